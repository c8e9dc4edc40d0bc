"""Finding the time columns of a table and the form their times have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from services.errors import InvalidInput
from services.imports import times
from services.imports.mapping import guess
from services.imports.plans import TimePlan
from services.imports.sniffing import Sniffed

CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")
PARTS = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})[-/. ](\d{4}|\d{2})(?!\d)")
NAMED = re.compile(r"[A-Za-z]{3,}")
HEADER_ZONE = re.compile(r"(?:UTC|GMT)\s*(?:[+-]\d{1,2}(?::?\d{2})?)?", re.IGNORECASE)
COMPACT = re.compile(
    r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])\d+"
)
DAY_FIRST, MONTH_FIRST = "%d{s}%m{s}{y}", "%m{s}%d{s}{y}"
EPOCHS = (
    (1e8, 1e10, "epoch s"),
    (1e11, 1e13, "epoch ms"),
    (1e14, 1e16, "epoch us"),
    (1e17, 1e19, "epoch ns"),
    (20_000.0, 80_000.0, "excel"),
)


class NoTimeError(Exception):
    """No column holds times; the message says what was looked at."""


def check_zone(zone: str | None) -> None:
    """Raise ``InvalidInput`` unless ``zone`` is an IANA name or a fixed offset."""
    if zone is None or times.offset_of(zone) is not None:
        return
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, LookupError) as error:
        raise InvalidInput(
            f"--tz {zone!r} is not a time zone: write one like Europe/Berlin"
        ) from error


def plan_times(
    found: Sniffed, maps: Mapping[str, tuple[str, str]], tz: str | None, decimal: str
) -> tuple[TimePlan, tuple[str, ...]]:
    """The time plan of a table, with notes on what was assumed.

    Raises:
        NoTimeError: no column, or none whose values are times.
    """
    columns = _columns(found, maps)
    arrays = tuple(found.sample[name] for name in columns)
    style, formats, why = _style(arrays, _european(found, decimal))
    zone, zone_why = _zone(columns, arrays, style, tz)
    notes = [why] if why.startswith("assumed") else []
    notes += [zone_why] if zone_why.startswith("assumed") else []
    reason = "; ".join(filter(None, (why, zone_why)))
    plan = TimePlan(columns, style, formats, zone, reason)
    return plan, tuple(f"times: {note}" for note in notes)


def _european(found: Sniffed, decimal: str) -> bool:
    return decimal == "," or found.dialect.delimiter == ";"


def _columns(found: Sniffed, maps: Mapping[str, tuple[str, str]]) -> tuple[str, ...]:
    header = found.dialect.header
    said = [n for n in header if n in maps and maps[n][0] == "ts"]
    ranked = {n: guess(n) for n in header if n not in maps}
    names = said or sorted(
        (n for n, g in ranked.items() if g.field == "ts"), key=lambda n: ranked[n].rank
    )
    if not names:
        listed = ", ".join(header)
        raise NoTimeError(f"no time column among {listed}: name it, --map COLUMN=ts")
    clocks = [n for n in names if _is_clock(found.sample[n])]
    days = [n for n in names if _is_date(found.sample[n])]
    full = [n for n in names if n not in clocks and n not in days]
    for name in full:
        if _why_unreadable(found.sample[name]) is None:
            return (name,)
    if days and clocks:
        return days[0], clocks[0]
    if days and _why_unreadable(found.sample[days[0]]) is None:
        return (days[0],)
    listed = "; ".join(f"{n!r}: {_why_unreadable(found.sample[n])}" for n in names)
    raise NoTimeError(f"no column holds times: {listed}")


def _why_unreadable(array: pa.Array) -> str | None:
    try:
        _style((array,), european=False)
    except NoTimeError as error:
        return str(error)
    return None


def _is_text(array: pa.Array) -> bool:
    kind = array.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _all_match(array: pa.Array, pattern: str) -> bool:
    if not _is_text(array):
        return False
    texts = times.tidy(array).drop_null()
    hits = pc.match_substring_regex(texts, pattern)
    return len(texts) > 0 and bool(pc.all(hits).as_py())


def _is_clock(array: pa.Array) -> bool:
    return bool(pa.types.is_time(array.type)) or _all_match(
        array, r"^\d{1,2}:\d\d[^/-]*$"
    )


def _is_date(array: pa.Array) -> bool:
    if pa.types.is_date(array.type):
        return True
    midnight = r"^[^:T]{6,}([ T]0?0:00(:00)?(\.0+)?)?$"
    return _all_match(array, midnight) and not _all_match(array, r"^[\d.,]+$|^\d{8,}$")


def _style(
    arrays: tuple[pa.Array, ...], european: bool
) -> tuple[str, tuple[str, ...], str]:
    first = arrays[0]
    if len(arrays) == 1 and (
        pa.types.is_timestamp(first.type) or pa.types.is_date(first.type)
    ):
        return "native", (), "a time column"
    if len(arrays) == 1 and not _is_text(first):
        return _epoch(np.asarray(pc.cast(first, pa.float64(), safe=False).drop_null()))
    texts = times.tidy(first) if len(arrays) == 1 else times.joined(*arrays)
    walls, _ = times.split_zone(texts.drop_null())
    values = [str(v) for v in walls.to_pylist()]
    if not values:
        raise NoTimeError("the time column is empty")
    plain = pd.to_numeric(pd.Series(values).str.replace(",", "."), errors="coerce")
    if plain.notna().mean() > 0.5 and not _compact(values):
        return _epoch(plain.dropna().to_numpy("float64"))
    return _text_style(values, european)


def _compact(values: Sequence[str]) -> bool:
    hits = sum(len(v) in (12, 14) and bool(COMPACT.fullmatch(v)) for v in values)
    return hits > len(values) / 2


def _epoch(values: npt.NDArray[np.float64]) -> tuple[str, tuple[str, ...], str]:
    if len(values) == 0:
        raise NoTimeError("the time column is empty")
    middle = float(np.median(values))
    for low, high, style in EPOCHS:
        if low <= middle < high:
            return style, (), "Excel day numbers" if style == "excel" else style
    raise NoTimeError(f"numbers such as {middle:g} are not times")


def _text_style(
    values: Sequence[str], european: bool
) -> tuple[str, tuple[str, ...], str]:
    if _compact(values):
        return "text", ("%Y%m%d%H%M%S", "%Y%m%d%H%M"), "compact date and time"
    dates, why = _date_formats(values, european)
    candidates = [f"{d} {c}".strip() for d in dates for c in (*CLOCKS, "")]
    if not dates:
        candidates = ["ISO8601", *(f"%Y{s}%m{s}%d {c}" for s in "-/." for c in CLOCKS)]
    texts = pa.array(values, pa.string())
    hits = {f: int((~np.isnat(times.parse(texts, (f,)))).sum()) for f in candidates}
    if not any(hits.values()):
        raise NoTimeError(f"{values[0]!r} is not a time of a known form")
    ordered = tuple(sorted(candidates, key=lambda f: -hits[f]))
    return "text", ordered, why or ordered[0]


def _date_formats(values: Sequence[str], european: bool) -> tuple[list[str], str]:
    if sum(bool(NAMED.search(v)) for v in values) > len(values) / 2:
        forms = [
            f"{form}{s}{y}" if s else form
            for s in ("-", " ", "/")
            for y in ("%Y", "%y")
            for form in (f"%d{s}%b", f"%d{s}%B", f"%b{s}%d", f"%B{s}%d")
        ]
        return forms, "month by name"
    parts = [m for m in map(PARTS.match, values) if m]
    if len(parts) < len(values) / 2:
        return [], ""
    year = "%Y" if len(parts[0][4]) == 4 else "%y"
    order, why = _order(parts, european)
    marks = dict.fromkeys(m[2] for m in parts)
    return [order.format(s=s, y=year) for s in marks], why


def _order(parts: Sequence[re.Match[str]], european: bool) -> tuple[str, str]:
    pairs = {(int(m[1]), int(m[3]), int(m[4])) for m in parts}
    day = sum(a > 12 for a, _, _ in pairs)
    month = sum(b > 12 for _, b, _ in pairs)
    if day and month:
        raise NoTimeError("dates are written in both orders, day first and month first")
    if day or month:
        return (DAY_FIRST, "day first") if day else (MONTH_FIRST, "month first")
    dotted = parts[0][2] == "."
    spans = [_span(pairs, swap) for swap in (False, True)]
    if not dotted and min(spans) * 4 < max(spans):
        if spans[0] < spans[1]:
            return DAY_FIRST, "assumed day first, as days then follow days"
        return MONTH_FIRST, "assumed month first, as days then follow days"
    reason = "the dots" if dotted else "the delimiter and decimal mark"
    why = f"from {reason}: no date in the sample settles it"
    if dotted or european:
        return DAY_FIRST, f"assumed day first {why}"
    return MONTH_FIRST, f"assumed month first {why}"


def _span(pairs: set[tuple[int, int, int]], swap: bool) -> int:
    days = [y * 372 + (a if swap else b) * 31 + (b if swap else a) for a, b, y in pairs]
    return max(days) - min(days)


def _zone(
    columns: tuple[str, ...], arrays: tuple[pa.Array, ...], style: str, tz: str | None
) -> tuple[str, str]:
    if style.startswith("epoch"):
        return "UTC", ""
    if style == "native" and getattr(arrays[0].type, "tz", None):
        return "UTC", f"zone {arrays[0].type.tz} in the file"
    if tz is not None:
        return tz, f"zone {tz} from --tz where a time has none"
    for name in columns:
        match = HEADER_ZONE.search(name)
        if match:
            return match[0].upper().replace(" ", ""), f"zone {match[0]} in the header"
    if style == "text":
        texts = times.tidy(arrays[-1]) if len(arrays) == 1 else times.joined(*arrays)
        zones = times.split_zone(texts.drop_null())[1]
        if zones.null_count == 0:
            return "UTC", "zone with every time"
    return "UTC", "assumed UTC, as the times have no zone; --tz sets another"
