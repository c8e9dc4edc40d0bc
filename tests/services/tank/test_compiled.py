"""Compiling: with a cache on disk where there is one, without it elsewhere."""

from __future__ import annotations

import pytest
from numba.core.caching import CacheImpl, UserProvidedCacheLocator

from services.tank import compiled as module
from services.tank.compiled import compiled


def double(x: float) -> float:
    """Twice the number."""
    return 2.0 * x


def test_nowhere_to_keep_the_code_still_compiles(monkeypatch: pytest.MonkeyPatch):
    """In a read-only installation without a home the function is compiled all the same.

    Numba finds no place for its cache then and refuses at once.
    """
    monkeypatch.setattr(CacheImpl, "_locator_classes", [UserProvidedCacheLocator])
    with pytest.raises(RuntimeError, match="no locator"):
        module.njit(cache=True)(double)
    assert compiled(double)(21.0) == 42.0
