"""Reading scores back, for notebooks."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from .result import IoTSphereError
from .rows import path_of
from .transport import Transport
from .values import plain


def frame(transport: Transport, model: str, what: str, query: Mapping[str, Any]) -> Any:
    """All items of a model's ``drift`` or ``performance``.

    Returns:
        A pandas DataFrame with one row per item; without pandas the list of dicts.

    Raises:
        IoTSphereError: there is no answer, or not one that has items.
    """
    asked = {
        name.rstrip("_"): str(plain(value)) if isinstance(value, date) else str(value)
        for name, value in query.items()
        if value is not None
    }
    found: list[Any] = []
    while True:
        answer = transport.call("GET", path_of(model, what, **asked))
        if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
            raise IoTSphereError(f"{transport.url} answers {what} without items")
        found += answer["items"]
        cursor = answer.get("next_cursor")
        if not cursor or str(cursor) == asked.get("cursor"):
            break
        asked["cursor"] = str(cursor)
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        return found
    return pandas.DataFrame(found)
