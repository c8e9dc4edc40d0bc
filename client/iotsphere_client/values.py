"""Single values: what they are, and as plain JSON.

numpy, pandas and polars are not imported: their scalars are known by their shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from numbers import Integral, Real
from typing import Any
from uuid import UUID

Plain = str | int | float | bool | None
_FAST = frozenset({int, bool, type(None)})
_LARGEST_INT = 2**63
_TRUE, _FALSE = ("true", "True", "1"), ("false", "False", "0")


def unwrap(value: Any) -> Any:
    """A value of Python's own types where there is one; every null is None."""
    if type(value) in _FAST:
        return value
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        name = type(value).__name__
        if name in ("datetime64", "timedelta64"):
            value = value.astype(f"{name}[us]").item()
        elif name == "longdouble":
            value = float(value)
        else:
            value = value.item()
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, Decimal):
        return None if value.is_nan() else float(value)
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def kind_of(value: Any) -> str | None:
    """integer, real, boolean, text, time or other; None of a null."""
    value = unwrap(value)
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Integral):
        return "integer"
    if isinstance(value, Real | timedelta):
        return "real"
    if isinstance(value, date):
        return "time"
    return "text" if isinstance(value, str | bytes | UUID | time) else "other"


def kind_of_all(values: Sequence[Any]) -> str:
    """The kind of a column of values; empty where all are null."""
    kinds = {kind_of(value) for value in values} - {None}
    if not kinds:
        return "empty"
    if len(kinds) == 1:
        return str(kinds.pop())
    if kinds == {"integer", "real"}:
        return "real"
    return "other" if "other" in kinds else "text"


def plain(value: Any) -> Plain:
    """A value as JSON has it.

    Times are ISO 8601 in UTC with Z, naive ones are taken as UTC; durations are
    seconds; infinities are the texts ``inf`` and ``-inf``; nulls are None.
    """
    quick = _QUICK.get(type(value))
    if quick is not None:
        return quick(value)
    value = unwrap(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return _integer(int(value))
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Real):
        return _real(float(value))
    return _moment(value) if isinstance(value, date) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    text = str.__str__(value) if isinstance(value, str) else str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def time_text(value: Any) -> Plain:
    """As :func:`plain`, but a text that is an ISO time comes as UTC with Z."""
    value = unwrap(value)
    moment = iso_time(value) if isinstance(value, str) else None
    return plain(value if moment is None else moment)


def iso_time(text: str) -> datetime | None:
    """The moment an ISO 8601 text names, or None where it names none."""
    text = text.strip()
    if len(text) < len("2026-01-01"):
        return None
    if text[-1] in "zZ":
        text = f"{text[:-1]}+00:00"  # Python 3.10 does not read the Z
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def id_text(value: Any) -> str | None:
    """A prediction id as text, the same for 7, 7.0 and "7"."""
    value = unwrap(value)
    if isinstance(value, Integral) and not isinstance(value, bool):
        return str(int(value))
    said = plain(value)
    return None if said is None else class_text(said)


def class_text(value: Any, classes: Sequence[str] = ()) -> str | None:
    """A class as the text it has among the classes, the same for 1, 1.0 and "1"."""
    value = plain(value)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        names = _TRUE if value else _FALSE
        return next((name for name in names if name in classes), names[0])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def utc_now() -> str:
    """The present as the server reads it."""
    return str(_moment(datetime.now(timezone.utc)))


def _integer(value: int) -> Plain:
    if -_LARGEST_INT <= value < _LARGEST_INT:
        return value
    try:
        return float(value)
    except OverflowError:
        return "inf" if value > 0 else "-inf"


def _real(value: float) -> Plain:
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else ("inf" if value > 0 else "-inf")


def _moment(value: date) -> str:
    if not isinstance(value, datetime):
        return f"{value.isoformat()}T00:00:00Z"
    if hasattr(value, "to_pydatetime"):
        return _moment(value.to_pydatetime(warn=False))
    if value.tzinfo is not None:
        try:
            value = value.astimezone(timezone.utc)
        except OverflowError:  # year 1 or 9999: the server judges it as it is
            return value.isoformat()
    return f"{value.replace(tzinfo=None).isoformat()}Z"


_QUICK: Mapping[type, Callable[[Any], Plain]] = {
    float: _real,
    int: _integer,
    str: _text,
}
"""The commonest types, because the abstract number classes are slow to ask."""
