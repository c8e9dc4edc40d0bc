"""Cells as numbers, modes, on/off and texts: each distinct cell is read once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.records import DEVICE_ID_PATTERN
from services.imports.names import FALSE_WORDS, MISSING_WORDS, MODE_WORDS, TRUE_WORDS
from services.incoming import ERROR_CODE_LENGTH

Floats = npt.NDArray[np.float64]
Objects = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]

PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
GROUPED = re.compile(
    r"[+-]?[1-9]\d{0,2}(?P<mark>[,. '\u00a0\u202f])\d{3}((?P=mark)\d{3})*"
)
DEVICE_ID = re.compile(DEVICE_ID_PATTERN)


def number(text: str, decimal: str) -> float | None:
    """A number with this decimal mark, thousands grouped or not, else ``None``.

    One group behind the *other* mark (``1.234`` among decimal commas) may be a
    thousand or a fraction: that is refused, not guessed.
    """
    whole, mark, fraction = text.partition(decimal)
    grouped = GROUPED.fullmatch(whole)
    if grouped and grouped["mark"] != decimal:
        once = not mark and whole.count(grouped["mark"]) == 1
        if once and decimal == "," and grouped["mark"] == ".":
            return None
        whole = re.sub(r"[^\d+-]", "", whole)
    elif decimal == "," and "." in text:
        return None
    plain = f"{whole}.{fraction}" if mark else whole
    return float(plain) if PLAIN.fullmatch(plain) else None


def numbers(array: pa.Array, decimal: str) -> tuple[Floats, Flags]:
    """A column as floats (NaN where missing) and where it is not a number."""
    if _is_number(array.type):
        values = pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return np.where(np.isinf(values), np.nan, values), np.isinf(values)
    cells, codes = _distinct(array)
    parsed, bad = _parse_all(cells, decimal)
    return parsed[codes], bad[codes]


def _parse_all(cells: list[str | None], decimal: str) -> tuple[Floats, Flags]:
    parsed = np.full(len(cells), np.nan)
    bad = np.zeros(len(cells), bool)
    for place, cell in enumerate(cells):
        if cell is None:
            continue
        try:
            value = float(cell) if PLAIN.fullmatch(cell) and decimal == "." else None
        except ValueError:
            value = None
        value = number(cell, decimal) if value is None else value
        if value is None or not np.isfinite(value):
            bad[place] = True
        else:
            parsed[place] = value
    return parsed, bad


def _is_number(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind)
    )


def _distinct(array: pa.Array) -> tuple[list[str | None], npt.NDArray[np.int64]]:
    """The distinct trimmed cells, ``None`` for missing, and each row's place."""
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if _is_number(array.type) and not pa.types.is_integer(array.type):
        whole = pc.equal(pc.floor(array), array)
        if pc.all(whole, min_count=0).as_py():
            array = pc.cast(array, pa.int64())
    encoded = array.dictionary_encode(null_encoding="encode")
    cells: list[str | None] = []
    for value in encoded.dictionary.to_pylist():
        text = "" if value is None else str(value).strip()
        cells.append(None if text.lower() in MISSING_WORDS else text)
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype("int64")
    return cells, codes


@dataclass
class Dropped:
    """Words that are no mode or state, by field, with how often they were met."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)


def _mode(cell: str) -> str | None:
    return MODE_WORDS.get(re.sub(r"[\s_-]+", "_", cell.lower()))


def _flag(cell: str) -> bool | None:
    word = cell.lower()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None


def _text(cell: str) -> str | None:
    return cell if len(cell) <= ERROR_CODE_LENGTH else None


STATE_READERS: Mapping[str, Callable[[str], str | bool | None]] = {
    "mode": _mode,
    "heating": _flag,
    "error_code": _text,
}


def states(array: pa.Array, name: str, dropped: Dropped) -> Objects:
    """A mode, heating or error column; unknown words become missing and counted."""
    cells, codes = _distinct(array)
    read = STATE_READERS[name]
    found = np.full(len(cells), None, object)
    for place, cell in enumerate(cells):
        if cell is None:
            continue
        found[place] = read(cell)
        if found[place] is None:
            times = int((codes == place).sum())
            dropped.counts[name, cell] += times
    values: Objects = found[codes]
    return values


@dataclass
class DeviceIds:
    """Ids as stored for ids as written: what an id may not hold becomes ``-``."""

    written: dict[str, str] = field(default_factory=dict)
    """Stored id -> the id as written that claimed it first."""

    def stored(self, cell: str) -> tuple[str | None, str | None]:
        """The stored id, or the reason why there is none."""
        known = re.sub(r"[^A-Za-z0-9_-]+", "-", cell).strip("-") if cell else ""
        if DEVICE_ID.fullmatch(cell):
            known = cell
        if not DEVICE_ID.fullmatch(known):
            return None, f"{cell[:80]!r} cannot be a device id"
        first = self.written.setdefault(known, cell)
        if first != cell:
            return None, f"device ids {first!r} and {cell!r} would be one"
        return known, None

    def column(self, array: pa.Array) -> tuple[Objects, Objects]:
        """A device column as stored ids and reasons where there is none."""
        cells, codes = _distinct(array)
        found = [self.stored(c) if c else (None, "no device") for c in cells]
        ids = np.array([i for i, _ in found] or [None], object)
        reasons = np.array([r for _, r in found] or [None], object)
        return ids[codes], reasons[codes]

    @property
    def renamed(self) -> dict[str, str]:
        """Ids as written -> as stored, where they differ."""
        return {was: now for now, was in self.written.items() if was != now}
