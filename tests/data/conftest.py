"""Store tests run on both databases."""

from __future__ import annotations

import pytest

from tests.conftest import Stores, open_stores


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, settings, clock) -> Stores:
    """Every fact of this folder holds on SQLite and on PostgreSQL."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres_stores")
    else:
        yield from open_stores(settings, clock)
