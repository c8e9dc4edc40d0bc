"""The values of heaters that rules judge: of all heaters, one read for each look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.alert_values_store import LatestRow
from data.hot_store import to_us
from data.records import METRICS, metric_mask
from services.alert_conditions import NEVER, Bools, Floats, Ints, Points
from services.alert_rules import BANDED, RuleSpec
from services.alert_subjects import SECOND_US, Subjects
from services.health_checks import NO_ERROR
from services.metrics import OFFLINE_AFTER_INTERVALS

DRAWING_LPM = 0.2
"""Less flow than this is a drip, or nothing."""
HEATING_POWER_W = 100.0
DEAD_V = 50.0
"""Below this voltage a heater has no power."""
OVERLAP_US = 10 * SECOND_US
AHEAD_US = 60 * SECOND_US
LOW_ONLY_ON: frozenset[str] = frozenset({"temperature_c"})
"""Too low means nothing while a heater is off."""
LOW_ONLY_DRAWING: frozenset[str] = frozenset({"outlet_temperature_c", "flow_lpm"})
"""Too low means nothing while no water is drawn."""


@dataclass
class Readings:
    """Readings of many heaters by place, in order of time; flagged values are NaN."""

    at: Ints
    ts: Ints
    values: Mapping[str, Floats]
    off: Bools
    drawing: Bools
    heating: Bools

    def points(self, spec: RuleSpec, low: Floats) -> Points:
        """What a rule judges of them; ``low``: the lower threshold of each heater."""
        value = spec.parsed.of({one.key: self.values[one.key] for one in spec.metrics})
        if spec.when == "drawing":
            value = np.where(self.drawing, value, np.nan)
        elif spec.when == "heating":
            value = np.where(self.heating, value, np.nan)
        applies = (
            ~self.off if spec.when == "on" else np.ones(len(value), dtype=np.bool_)
        )
        if spec.when == "always" and _low_sided(spec):
            with np.errstate(invalid="ignore"):
                too_low = value <= low[self.at]
            if spec.metric in LOW_ONLY_ON:
                applies = ~(self.off & too_low)
            elif spec.metric in LOW_ONLY_DRAWING:
                value = np.where(~self.drawing & too_low, np.nan, value)
        return Points(self.at, self.ts, value, applies, self.ts)


def _low_sided(spec: RuleSpec) -> bool:
    return spec.operator.startswith("<") or spec.operator == BANDED[0]


NOTHING = np.zeros(0, dtype=np.int64)


class ReadingValues:
    """Turns tables of readings into arrays; remembers each heater's last mode."""

    def __init__(self) -> None:
        self._off = np.zeros(0, dtype=np.bool_)

    def learn(self, subjects: Subjects, latest: list[LatestRow]) -> None:
        """The modes there were before the first reading that is looked at."""
        self._off = _grown(self._off, len(subjects))
        for row in latest:
            place = subjects.places.get(row.device_id)
            if place is not None and "mode" in row.good:
                self._off[place] = row.good["mode"][0] == "off"

    def of(self, table: pa.Table, subjects: Subjects, now: datetime) -> Readings:
        """The readings of known heaters, those from the future left out."""
        self._off = _grown(self._off, len(subjects))
        ids = pc.dictionary_encode(table["device_id"].combine_chunks())
        place = subjects.at(ids.dictionary.to_pylist())
        at = place[ids.indices.to_numpy()] if len(ids) else NOTHING
        ts = table["ts"].cast(pa.int64()).to_numpy()
        rows = np.flatnonzero((at >= 0) & (ts <= to_us(now) + AHEAD_US))
        rows = rows[np.lexsort((at[rows], ts[rows]))]
        quality = table["quality"].to_numpy()[rows]
        values = {
            name: _good(table[name], rows, quality, name)
            for name in METRICS
            if name in table.column_names
        }
        at, ts = at[rows], ts[rows]
        flow, power = _of(values, "flow_lpm", at), _of(values, "power_w", at)
        with np.errstate(invalid="ignore"):
            off = self._modes(table, rows, at) | (_of(values, "voltage_v", at) < DEAD_V)
            heats = _flags(table, "heating", rows, power >= HEATING_POWER_W)
            return Readings(at, ts, values, off, flow >= DRAWING_LPM, heats)

    def _modes(self, table: pa.Table, rows: npt.NDArray[np.intp], at: Ints) -> Bools:
        """Whether each reading's heater is off: by the last mode told."""
        if "mode" not in table.column_names or not len(rows):
            return self._off[at]
        column = table["mode"].take(pa.array(rows))
        told = pc.is_valid(column).to_numpy()
        off = pc.fill_null(pc.equal(column, "off"), False).to_numpy()
        found = np.array(off, dtype=np.bool_)
        order = np.argsort(at, kind="stable")
        first = np.r_[True, at[order][1:] != at[order][:-1]]
        # The row whose mode holds: the last one told of the same heater, or none.
        source = np.where(told[order], np.arange(len(order)), -1)
        source = np.maximum.accumulate(source)
        begin = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        has = source >= begin
        found[order] = np.where(
            has, off[order][np.maximum(source, 0)], self._off[at[order]]
        )
        self._off[at] = found
        return found


def _grown(values: Bools, size: int) -> Bools:
    more = np.zeros(max(size - len(values), 0), dtype=np.bool_)
    return np.concatenate([values, more])


def _good(
    column: pa.ChunkedArray, rows: npt.NDArray[np.intp], quality: Ints, metric: str
) -> Floats:
    value = column.to_numpy().astype(np.float64)[rows]
    return np.where(quality & metric_mask(metric), np.nan, value)


def _of(values: Mapping[str, Floats], name: str, at: Ints) -> Floats:
    found = values.get(name)
    return np.full(len(at), np.nan) if found is None else found


def _flags(
    table: pa.Table, name: str, rows: npt.NDArray[np.intp], otherwise: Bools
) -> Bools:
    if name not in table.column_names or not len(rows):
        return otherwise
    column = table[name].take(pa.array(rows))
    told = pc.is_valid(column).to_numpy()
    found = pc.fill_null(column, False).to_numpy()
    return np.asarray(np.where(told, found, otherwise))


@dataclass(frozen=True)
class Moment:
    """A metric of every subject at the time of a look, by place.

    since: when the value began to be what it is; ``NEVER`` = not known.
    """

    value: Floats
    since: Ints

    @classmethod
    def of(cls, value: Floats) -> Moment:
        """Values whose beginning is not known."""
        return cls(value, np.full(len(value), NEVER))


def _tells(held: list[Any] | None, ts_us: int) -> bool:
    """Whether the newest reading carries an error code that says something."""
    if held is None or held[1] < ts_us:
        return False
    return str(held[0]).strip().lower() not in NO_ERROR


def _age_s(ts_us: Floats, now: datetime) -> Floats:
    return np.maximum(to_us(now) - ts_us, 0) / SECOND_US


class LatestMoments:
    """What the newest state of each heater says of the moment, by place."""

    def __init__(self) -> None:
        self.received_us = 0
        """From when on states are to be read again: a little before the newest."""
        self._ts, self._warm, self._code = (np.zeros(0) for _ in range(3))

    def learn(self, latest: list[LatestRow], subjects: Subjects) -> None:
        """Take up states that came since the last look."""
        more = np.full(len(subjects) - len(self._ts), np.nan)
        self._ts = np.concatenate([self._ts, more])
        self._warm = np.concatenate([self._warm, more])
        self._code = np.concatenate([self._code, more])
        for row in latest:
            place = subjects.places.get(row.device_id)
            if place is None:
                continue
            self._ts[place] = row.ts_us
            if "temperature_c" in row.good:
                self._warm[place] = row.good["temperature_c"][1]
            self._code[place] = float(_tells(row.good.get("error_code"), row.ts_us))
            self.received_us = max(self.received_us, row.received_us - OVERLAP_US)

    def moments(
        self, interval_s: Floats, now: datetime, heard_from: datetime | None = None
    ) -> dict[str, Moment]:
        """The metrics that come from the newest states.

        ``heard_from``: before it nobody listened, so no heater was silent then.
        """
        heard_us = to_us(heard_from) if heard_from else NEVER
        age_s = _age_s(np.maximum(self._ts, heard_us), now)
        stale_s = _age_s(np.maximum(self._warm, heard_us), now)
        known = ~np.isnan(age_s)
        with np.errstate(invalid="ignore"):
            missed = age_s / interval_s
            gone = missed >= OFFLINE_AFTER_INTERVALS
        silent_s = np.where(gone, age_s, np.where(known, 0.0, np.nan))
        # A heater that is silent altogether is offline, not stale.
        stale_s = np.where(gone, np.nan, stale_s)
        told = np.where(known, self._ts, NEVER).astype(np.int64)
        return {
            "offline_min": Moment.of(silent_s / 60),
            "offline_intervals": Moment.of(missed),
            "stale_min": Moment.of(stale_s / 60),
            "error_code": Moment(self._code, told),
        }
