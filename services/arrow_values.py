"""Columns of any Arrow type as text, numbers and times: no sender's value raises."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

LONGEST_TEXT = 500
LARGEST_WHOLE = 2.0**53
"""Whole numbers below this are exact as a float."""
NO_NUMBERS = ("nan", "", "null", "none", "na")
"""How texts say that a number is missing, in small letters."""
Column: TypeAlias = pa.Array | pa.ChunkedArray
Mask = npt.NDArray[np.bool_]


def plain(values: Column) -> pa.Array:
    """One array whose values stand in it: no dictionary, run ends, or extension.

    Nested values and those nobody can decode become text; what cannot even be shown
    is missing.
    """
    try:
        array = _joined(values)
        while (inner := _unwrapped(array)) is not array:
            array = inner
    except (pa.ArrowException, ValueError):
        return _shown(values)
    kind = array.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        # Stored in UTC whatever the zone is called; an unknown one would raise later.
        array = array.cast(pa.timestamp(kind.unit))
    is_text = any(test(kind) for test in _TEXTS)
    return _valid_text(array) if is_text or pa.types.is_nested(kind) else array


def _joined(values: Column) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    if values.num_chunks == 1:
        return values.chunk(0)
    return pa.concat_arrays(values.chunks) if values.num_chunks else pa.nulls(0)


def _unwrapped(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_dictionary(kind):
        return array.dictionary_decode()
    if pa.types.is_run_end_encoded(kind):
        return pc.run_end_decode(array)
    if isinstance(kind, pa.BaseExtensionType):
        storage = kind.storage_type
        return (
            _shown(array) if pa.types.is_fixed_size_binary(storage) else (array.storage)
        )
    return array


_TEXTS = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)


def _valid_text(array: pa.Array) -> pa.Array:
    """Text that can be stored: valid UTF-8 without NUL, which ends SQL texts."""
    try:
        text = array.cast(pa.string())
        text.validate(full=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        text = _shown(array)
    if pc.any(pc.match_substring(text, "\0")).as_py():
        text = pc.replace_substring(text, "\0", "\ufffd")
    return text


def _shown(values: Column) -> pa.Array:
    """Values as Python shows them; bytes as UTF-8 with signs for what is none."""
    if any(test(values.type) for test in _TEXTS[:3]):
        values = values.cast(pa.large_binary())
    return pa.array([_word(value) for value in values], pa.string())


def _word(value: pa.Scalar) -> str | None:
    try:
        found = value.as_py()
    except (pa.ArrowException, ValueError, OverflowError):
        return None
    if isinstance(found, bytes):
        return found.decode("utf-8", "replace")
    return None if found is None else str(found).encode("utf-8", "replace").decode()


def text(values: Column) -> pa.Array:
    """Values as text of at most ``LONGEST_TEXT`` characters, null where missing.

    Whole numbers stand without a fraction, as people write classes; NaN is missing.
    """
    array = plain(values)
    kind = array.type
    if pa.types.is_floating(kind):
        numbers = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return pa.array([_number_word(v) for v in numbers], pa.string())
    if pa.types.is_boolean(kind):
        return pc.if_else(array, "1", "0").cast(pa.string())
    try:
        found = array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        found = _shown(array)
    return pc.utf8_slice_codeunits(found, 0, LONGEST_TEXT)


def _number_word(value: float) -> str | None:
    if np.isnan(value):
        return None
    is_whole = value == np.floor(value) and abs(value) < LARGEST_WHOLE
    return str(int(value)) if is_whole else repr(float(value))


def numbers(values: Column) -> tuple[npt.NDArray[np.float64], Mask]:
    """Values as float64 with NaN where missing, and which of them are no numbers."""
    array = plain(values)
    kind = array.type
    nothing = np.zeros(len(array), dtype=bool)
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan), nothing
    if pa.types.is_boolean(kind):
        array, kind = array.cast(pa.int8()), pa.int8()
    if is_number(kind):
        return _floats(array), nothing
    if not pa.types.is_string(kind):
        return np.full(len(array), np.nan), np.asarray(array.is_valid())
    given = array.to_pandas()
    parsed = pd.to_numeric(given, errors="coerce")
    found = np.array(parsed.to_numpy(dtype=np.float64, na_value=np.nan))
    bad = np.isnan(found) & np.asarray(array.is_valid())
    said = pc.utf8_lower(pc.utf8_trim_whitespace(array))
    bad &= ~np.asarray(pc.is_in(said, pa.array(NO_NUMBERS)))
    return found, bad


def is_number(kind: pa.DataType) -> bool:
    """Whether values of a type are numbers."""
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(test(kind) for test in tests)


def _floats(array: pa.Array) -> npt.NDArray[np.float64]:
    """Numbers as the nearest float64."""
    found: Any = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(found)


_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_LARGEST_US = 2.0**62
_NOT_A_TIME = np.iinfo(np.int64).min


def times(values: Column) -> npt.NDArray[np.datetime64]:
    """Times as naive UTC microseconds; NaT where they cannot be read.

    Each number is seconds, milliseconds, microseconds or nanoseconds since 1970, by
    its size; texts are ISO 8601, UTC where they name no zone.
    """
    array = plain(values)
    kind = array.type
    if is_number(kind):
        return _epoch(_floats(array))
    if pa.types.is_date(kind):
        array = array.cast(pa.timestamp("s"), safe=False)
        kind = array.type
    if pa.types.is_timestamp(kind):
        return _stamps(array, _PER_SECOND[kind.unit])
    if not pa.types.is_string(kind):
        return np.full(len(array), np.datetime64("NaT"), "datetime64[us]")
    given = array.to_pandas().astype("str")
    parsed = pd.to_datetime(given, errors="coerce", utc=True, format="ISO8601")
    return np.asarray(parsed.dt.tz_localize(None).to_numpy(), "datetime64[us]")


def _epoch(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.datetime64]:
    size = np.abs(numbers)
    with np.errstate(invalid="ignore", over="ignore"):
        scale = np.select([size < 1e11, size < 1e14, size < 1e17], [1e6, 1e3, 1], 1e-3)
        us = numbers * scale
        readable = np.abs(us) < _LARGEST_US
    whole = np.where(readable, np.rint(np.where(readable, us, 0)), _NOT_A_TIME)
    return np.asarray(whole.astype(np.int64).view("datetime64[us]"))


def _stamps(array: pa.Array, per_second: int) -> npt.NDArray[np.datetime64]:
    ticks = array.cast(pa.int64()).fill_null(_NOT_A_TIME).to_numpy()
    if per_second > 1_000_000:
        us = ticks // (per_second // 1_000_000)
        readable = ticks != _NOT_A_TIME
    else:
        factor = 1_000_000 // per_second
        readable = np.abs(ticks.astype(np.float64)) < _LARGEST_US / factor
        us = np.where(readable, ticks, 0) * factor
    return np.asarray(np.where(readable, us, _NOT_A_TIME).view("datetime64[us]"))
