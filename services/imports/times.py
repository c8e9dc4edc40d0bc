"""Times of any common form as naive UTC."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from services.imports.names import MISSING_WORDS
from services.imports.plans import TimePlan

EPOCH_US = {"epoch s": 1e6, "epoch ms": 1e3, "epoch us": 1.0, "epoch ns": 1e-3}
FIRST_US, LAST_US = -2.2e15, 4.1e15
"""Years 1900 to 2099: beyond them an epoch is some other number."""
EXCEL_ZERO = np.datetime64("1899-12-30", "us")
ZONE_SUFFIX = (
    r"^(?P<wall>.*(?::\d\d|T\d{4,6})[^+Zz-]*?)\s*"
    r"(?P<zone>Z|z|UTC|GMT|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?)$"
)
OFFSET = re.compile(r"(?:UTC|GMT)?(?:([+-])(\d{1,2}):?(\d{2})?)?", re.IGNORECASE)
BAD = "not a time"
MISSING = "no time"
SKIPPED = "this local time never was: clocks went forward (zone {zone})"
TWICE = "this local time was twice: clocks went back (zone {zone})"

Times = npt.NDArray[np.datetime64]
Spans = npt.NDArray[np.timedelta64]
Objects = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]


def offset_of(zone: str) -> timedelta | None:
    """The fixed offset ``Z``, ``UTC``, ``GMT-05:00`` or ``+01`` names, else None."""
    if zone in ("Z", "z"):
        return timedelta(0)
    match = OFFSET.fullmatch(zone.replace(" ", ""))
    if not zone or match is None:
        return None
    sign, hours, minutes = match.groups()
    size = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return -size if sign == "-" else size


def tidy(texts: pa.Array) -> pa.Array:
    """Times without odd spaces and commas; words for "missing" become null."""
    plain = pc.utf8_trim_whitespace(pc.cast(texts, pa.string()))
    plain = pc.replace_substring_regex(plain, "[\u00a0\u202f]", " ")
    if pc.any(pc.match_substring(plain, ",")).as_py():
        plain = pc.replace_substring_regex(plain, r"(:\d\d),(\d+)", r"\1.\2")
        plain = pc.replace_substring_regex(plain, r",\s*", " ")
    words = pa.array(sorted(MISSING_WORDS), pa.string())
    missing = pc.is_in(pc.utf8_lower(plain), value_set=words)
    return pc.if_else(missing, pa.scalar(None, pa.string()), plain)


def joined(date: pa.Array, clock: pa.Array) -> pa.Array:
    """A date column and a time column as one text column."""
    parts = (pc.cast(date, pa.string()), pc.cast(clock, pa.string()))
    days = pc.replace_substring_regex(parts[0], r"[ T]0?0:00(:00)?(\.0+)?$", "")
    return pc.binary_join_element_wise(tidy(days), tidy(parts[1]), " ")


def split_zone(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Wall times and the zones written behind them (null where none is)."""
    parts = pc.extract_regex(texts, ZONE_SUFFIX)
    walls, zones = pc.struct_field(parts, "wall"), pc.struct_field(parts, "zone")
    return pc.coalesce(walls, texts), zones


def parse(walls: pa.Array, formats: tuple[str, ...]) -> Times:
    """Wall times by the first format that fits each; NaT where none does."""
    texts = pd.Series(walls.to_pandas(), dtype="str")
    parsed = np.full(len(texts), np.datetime64("NaT"), "datetime64[us]")
    left = texts.notna().to_numpy().copy()
    for form in formats:
        if not left.any():
            break
        times = pd.to_datetime(texts[left], format=form, errors="coerce")
        if getattr(times.dtype, "tz", None) is None:
            parsed[left] = times.to_numpy("datetime64[us]")
        left &= np.isnat(parsed)
    return parsed


def is_twice(reason: object) -> bool:
    """Whether a row was refused as its local time was twice."""
    return isinstance(reason, str) and reason.startswith(TWICE.partition(":")[0])


def to_utc(
    arrays: tuple[pa.Array, ...], plan: TimePlan, devices: Objects
) -> tuple[Times, Objects]:
    """Naive UTC times and, where there is none, the reason (else ``None``)."""
    if plan.style == "text":
        return _from_text(arrays, plan, devices)
    reasons = np.full(len(arrays[0]), None, object)
    if plan.style == "native":
        times, aware = native(arrays[0])
        reasons[np.isnat(times)] = MISSING
        if not aware:
            times = localise(times, plan.zone, devices, reasons)
        return times, reasons
    numbers, missing = _numbers(arrays[0])
    times = from_number(numbers, plan.style)
    reasons[np.isnat(times)] = BAD
    reasons[missing] = MISSING
    if plan.style == "excel":
        times = localise(times, plan.zone, devices, reasons)
    return times, reasons


def native(array: pa.Array) -> tuple[Times, bool]:
    """A column that holds times: naive microseconds, and whether they are UTC."""
    aware = getattr(array.type, "tz", None) is not None
    plain = pc.cast(array, pa.timestamp("us", "UTC" if aware else None), safe=False)
    times = pc.cast(plain, pa.int64()).to_numpy(zero_copy_only=False)
    known = ~pc.is_null(array).to_numpy(zero_copy_only=False)
    out = np.full(len(array), np.datetime64("NaT"), "datetime64[us]")
    out[known] = times[known].astype("int64").astype("datetime64[us]")
    return out, aware


def from_number(values: npt.NDArray[np.float64], style: str) -> Times:
    """Epochs or Excel day numbers as times; NaT outside 1900 to 2099."""
    if style == "excel":
        micros = np.round(values * 86_400e3) * 1e3
        micros += EXCEL_ZERO.astype("int64")
    else:
        micros = np.round(values * EPOCH_US[style])
    good = (micros > FIRST_US) & (micros < LAST_US)
    out = np.full(len(values), np.datetime64("NaT"), "datetime64[us]")
    out[good] = micros[good].astype("int64").astype("datetime64[us]")
    return out


def _numbers(array: pa.Array) -> tuple[npt.NDArray[np.float64], Flags]:
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        texts = tidy(array)
        missing = pc.is_null(texts).to_numpy(zero_copy_only=False)
        plain = pd.Series(pc.replace_substring(texts, ",", ".").to_pandas())
        values = pd.to_numeric(plain, errors="coerce")
        return values.to_numpy("float64", na_value=np.nan), missing
    values = pc.cast(array, pa.float64(), safe=False)
    out = values.to_numpy(zero_copy_only=False)
    return out, np.isnan(out)


def _from_text(
    arrays: tuple[pa.Array, ...], plan: TimePlan, devices: Objects
) -> tuple[Times, Objects]:
    texts = tidy(arrays[0]) if len(arrays) == 1 else joined(*arrays)
    walls, zones = split_zone(texts)
    parsed = parse(walls, plan.formats)
    reasons = np.full(len(parsed), None, object)
    reasons[np.isnat(parsed)] = BAD
    reasons[pc.is_null(texts).to_numpy(zero_copy_only=False)] = MISSING
    zoned = pc.is_valid(zones).to_numpy(zero_copy_only=False)
    out = parsed.copy()
    for zone in pc.unique(zones).drop_null().to_pylist():
        here = pc.fill_null(pc.equal(zones, zone), False).to_numpy(zero_copy_only=False)
        out[here] = parsed[here] - np.timedelta64(offset_of(zone) or timedelta(0))
    if not zoned.all():
        rest = np.where(zoned, np.datetime64("NaT"), parsed)
        local = localise(rest, plan.zone, devices, reasons)
        out = np.where(zoned, out, local)
    return out, reasons


def localise(walls: Times, zone: str, devices: Objects, reasons: Objects) -> Times:
    """Wall times of a zone as UTC; writes into ``reasons`` where there is none.

    A wall time that was twice is settled by the order of the device's rows when
    they step back once, as a clock that is set back does; else it is refused.
    """
    fixed = offset_of(zone)
    if fixed is not None:
        shifted: Times = walls - np.timedelta64(fixed)
        return shifted
    series = pd.Series(walls)
    key = ZoneInfo(zone)
    local = series.dt.tz_localize(key, ambiguous="NaT", nonexistent="NaT")
    out: Times = local.dt.tz_convert(None).to_numpy("datetime64[us]").copy()
    lost = np.isnat(out) & ~np.isnat(walls)
    if not lost.any():
        return out
    early, late = (_forced(series[lost], key, dst) for dst in (True, False))
    twice = ~np.isnat(early)
    reasons[np.flatnonzero(lost)[~twice]] = SKIPPED.format(zone=zone)
    settled = _settled(series[lost].to_numpy(), early, late, devices[lost])
    settled[~twice] = np.datetime64("NaT")
    out[lost] = settled
    reasons[np.flatnonzero(lost)[twice & np.isnat(settled)]] = TWICE.format(zone=zone)
    return out


def _forced(walls: pd.Series, zone: ZoneInfo, dst: bool) -> Times:
    flags = np.full(len(walls), dst)
    local = walls.dt.tz_localize(zone, ambiguous=flags, nonexistent="NaT")
    times: Times = local.dt.tz_convert(None).to_numpy("datetime64[us]")
    return times


def _settled(walls: Times, early: Times, late: Times, devices: Objects) -> Times:
    out = np.full(len(walls), np.datetime64("NaT"), "datetime64[us]")
    frame = pd.DataFrame({"device": devices, "day": walls.astype("datetime64[D]")})
    for places in frame.groupby(["device", "day"], dropna=False).indices.values():
        second = _second_pass(walls[places], (late - early)[places])
        if second is not None:
            out[places] = np.where(second, late[places], early[places])
    return out


def _second_pass(walls: Times, shifts: Spans) -> Flags | None:
    steps = np.diff(walls).astype("int64")
    back, forth = np.flatnonzero(steps < 0), np.flatnonzero(steps > 0)
    newest_first = len(forth) == 1 and len(back) > 1
    turns = forth if newest_first else back
    if len(turns) != 1 or len(steps) < 2:
        return None
    # Set back an hour, the true step is the hour less the step seen; a row merely
    # out of order would leave a gap unlike the device's other steps.
    shift = int(shifts.astype("int64")[0])
    others = np.abs(np.delete(steps, turns[0]))
    if shift - abs(int(steps[turns[0]])) > 2 * int(others.max()):
        return None
    after: Flags = np.arange(len(walls)) > turns[0]
    return ~after if newest_first else after
