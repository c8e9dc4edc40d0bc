"""Readings as JSON objects, turned into the frame that ``Telemetry`` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pandas as pd

from data.records import METRICS, READING_COLUMNS
from services.errors import InvalidInput, TooLarge

Scalar = str | float | bool | None
MILLISECONDS_FROM = 1e11
"""A number for a time is in seconds since 1970, or from here on in milliseconds."""
LARGEST = 1e300


def frame_of(rows: Sequence[Mapping[str, Scalar]], most: int) -> pd.DataFrame:
    """The readings as a telemetry frame, one row each, in their order.

    What cannot be read becomes a value that ``Telemetry`` rejects with its reason,
    so that one bad row does not hold back the others.

    Args:
        rows: ``device_id``, ``ts`` and any metrics and states. ``ts`` is an ISO
            time, UTC unless it says otherwise, or a number since 1970.
        most: rows of one batch at most (setting ``max_batch_rows``).

    Raises:
        InvalidInput: there is no row, or a field has a name that is not known.
        TooLarge: there are more than ``most`` rows.
    """
    if not rows:
        raise InvalidInput("The batch has no reading.")
    if len(rows) > most:
        raise TooLarge(
            f"The batch has {len(rows)} readings; at most {most} are taken at once "
            "(setting IOTSPHERE_MAX_BATCH_ROWS)."
        )
    for place, row in enumerate(rows):
        unknown = [name for name in row if name not in READING_COLUMNS]
        if unknown:
            raise InvalidInput(
                f"Reading {place} has an unknown field {unknown[0][:40]!r}; known are "
                f"{', '.join(READING_COLUMNS)}."
            )
    given = {name for row in rows for name in row} | {"device_id", "ts"}
    columns: dict[str, object] = {}
    for name in READING_COLUMNS:
        if name in given:
            columns[name] = [_value(name, row.get(name)) for row in rows]
    frame = pd.DataFrame(columns, dtype=object)
    frame["ts"] = pd.Series(columns["ts"], dtype="datetime64[us]")
    return frame


def _value(name: str, value: Scalar) -> object:
    if name == "ts":
        return _time(value)
    if name in METRICS and (isinstance(value, bool) or _huge(value)):
        return str(value)[:20] + " is no measured value"
    if name in {"device_id", "mode", "error_code"} and value is not None:
        return str(value)
    return value


def _huge(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and abs(value) > LARGEST


def _time(value: Scalar) -> datetime | None:
    try:
        if isinstance(value, str):
            when = datetime.fromisoformat(value.strip())
            aware = when.replace(tzinfo=UTC) if when.tzinfo is None else when
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else value
            aware = datetime.fromtimestamp(seconds, UTC)
        else:
            return None
        return aware.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None
