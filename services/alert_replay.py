"""Would it have fired? A rule replayed over the past, before it is saved.

The same state machine as in the worker, on what the stores keep of the past: quarter
hours or hours of heaters, judged windows of models. A rule without an on-delay is
judged on the extremes of each bucket, one with a delay on its means; a bucket that
meets the condition has met it for its whole length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from data.alert_records import StoredRule
from data.alert_values_store import AlertValuesStore
from data.device_store import DeviceStore
from data.hot_store import from_us, to_us
from data.lake import Lake
from data.model_store import ModelStore
from data.records import Device
from services.access import Principal, requires
from services.alert_conditions import Points, Turn, advance
from services.alert_metrics import READING
from services.alert_model_values import model_values
from services.alert_past import (
    REPLAYED,
    bucket_points,
    moment_points,
    read_past,
)
from services.alert_rules import RuleSpec
from services.alert_subjects import (
    SECOND_US,
    Subjects,
    devices_by_id,
    models_by_name,
)
from services.alert_watching import Watching
from services.errors import InvalidInput
from services.metrics import gap_s

MOST_DAYS = 90
FINE_S, COARSE_S = 900, 3_600
FINE_DEVICE_DAYS = 6_000
"""Above so many devices × days the hours are read instead of the quarters ..."""
MOST_DEVICE_DAYS = 100_000
"""... and above so many, fewer days."""
MOST_PERIODS = 500
FOREVER = timedelta(days=400) // timedelta(microseconds=1)


@dataclass(frozen=True)
class FiredPeriod:
    """One activation; ``end`` is ``None`` while it holds."""

    subject: str
    name: str
    start: datetime
    end: datetime | None
    value: float


@dataclass(frozen=True)
class FiredSubject:
    """How often it would have fired for one subject."""

    subject: str
    name: str
    activations: int


@dataclass(frozen=True)
class Replay:
    """What a rule would have done.

    judged: subjects in its scope. resolution_s: width of the buckets it was judged
    on, 0 = judged windows of models. periods: the newest first, at most
    ``MOST_PERIODS`` of them. note: what the replay cannot see, or why there is none.
    """

    start: datetime
    end: datetime
    judged: int
    activations: int
    subjects: tuple[FiredSubject, ...]
    periods: tuple[FiredPeriod, ...]
    resolution_s: int
    note: str


class Replays:
    """Replays rules over the past."""

    def __init__(
        self,
        devices: DeviceStore,
        models: ModelStore,
        values: AlertValuesStore,
        lake: Lake,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._models = models
        self._values = values
        self._lake = lake
        self._clock = clock

    def would_have_fired(
        self, caller: Principal, spec: RuleSpec, days: int = MOST_DAYS
    ) -> Replay:
        """How often, when and for whom a rule would have fired.

        Raises:
            InvalidInput: the days are not 1 to ``MOST_DAYS``.
        """
        requires(caller, "alert.read")
        if not 1 <= days <= MOST_DAYS:
            raise InvalidInput(f"days must be 1 to {MOST_DAYS}.")
        now = self._clock()
        if spec.source == "device":
            return self._of_devices(spec, days, now)
        return self._of_models(spec, days, now)

    def _of_devices(self, spec: RuleSpec, days: int, now: datetime) -> Replay:
        subjects = Subjects()
        subjects.take(devices_by_id(self._devices.all()))
        watching = _watching(spec, subjects, now)
        devices = [
            d
            for p, d in enumerate(subjects.known.values())
            if isinstance(d, Device) and watching.mask[p]
        ]
        note = ""
        if len(devices) * days > MOST_DEVICE_DAYS:
            days = max(MOST_DEVICE_DAYS // len(devices), 1)
            note = f"Only {days} days: these are many heaters. "
        bucket_s = FINE_S if len(devices) * days <= FINE_DEVICE_DAYS else COARSE_S
        start = now - timedelta(days=days)
        missing = [m.key for m in spec.metrics if m.key not in REPLAYED]
        if missing:
            note = f"{missing[0]} is not kept for the past: it cannot be replayed."
        if missing or not devices:
            return _counted(watching, subjects, [], start, now, bucket_s, note)
        gaps = {d.id: gap_s(d.reporting_interval_s) for d in devices}
        past = read_past(self._lake, gaps, spec, start, now, bucket_s)
        if spec.metrics[0].grain == READING:
            points = bucket_points(past, spec, watching.condition, subjects)
        else:
            points = moment_points(past, spec, subjects, start, now)
        gap = np.maximum(watching.gaps, 2 * bucket_s * SECOND_US)
        turns = _judged(watching, points, gap, bucket_s)
        return _counted(watching, subjects, turns, start, now, bucket_s, note)

    def _of_models(self, spec: RuleSpec, days: int, now: datetime) -> Replay:
        subjects = Subjects()
        subjects.take(models_by_name(self._models.models()))
        watching = _watching(spec, subjects, now)
        start = now - timedelta(days=days)
        measured = model_values(self._values.models(start), subjects, now)
        names = [metric.key for metric in spec.metrics]
        rows: list[tuple[datetime, int, float]] = []
        known = False
        for place in np.flatnonzero(watching.mask).tolist():
            found = [dict(measured.series(name, place)) for name in names]
            known = known or any(found)
            for end in sorted(set.intersection(*(set(one) for one in found))):
                given = {
                    n: np.array([one[end]]) for n, one in zip(names, found, strict=True)
                }
                rows.append((min(end, now), place, float(spec.parsed.of(given)[0])))
        rows.sort(key=lambda row: (row[0], row[1]))
        points = Points.of(
            np.array([row[1] for row in rows], dtype=np.int64),
            np.array([to_us(row[0]) for row in rows], dtype=np.int64),
            np.array([row[2] for row in rows], dtype=np.float64),
        )
        gap = np.full(len(subjects), FOREVER)
        turns = _judged(watching, points, gap, 0)
        note = "" if known else "Nothing of this is kept for the past."
        return _counted(watching, subjects, turns, start, now, 0, note)


def _watching(spec: RuleSpec, subjects: Subjects, now: datetime) -> Watching:
    rule = StoredRule(
        spec.key, spec.name, spec.source, spec.severity, True, {}, 0, "", now
    )
    watching = Watching(rule, spec)
    watching.fit(subjects)
    return watching


def _judged(
    watching: Watching, points: Points, gap_us: np.ndarray, bucket_s: int
) -> list[Turn]:
    """The turns; a bucket that meets a condition has met it for its whole length."""
    wide = bucket_s * SECOND_US
    old = watching.condition
    condition = replace(
        old, for_us=max(old.for_us - wide, 0), off_us=max(old.off_us - wide, 0)
    )
    points = points.taken(watching.mask[points.at])
    return advance(watching.states, condition, points, gap_us)


def _counted(
    watching: Watching,
    subjects: Subjects,
    turns: list[Turn],
    start: datetime,
    now: datetime,
    resolution_s: int,
    note: str,
) -> Replay:
    ends: dict[int, int] = {}
    running: dict[int, int] = {}
    for number, turn in enumerate(turns):
        if turn.on:
            running[turn.at] = number
        else:
            ends[running.pop(turn.at)] = turn.ts
    begun = [(max(t.since, to_us(start)), i) for i, t in enumerate(turns) if t.on]
    counts = Counter(turns[i].at for _since, i in begun)
    periods = []
    for since, i in sorted(begun, reverse=True)[:MOST_PERIODS]:
        place, end = turns[i].at, ends.get(i)
        name = subjects.ids[place], subjects.name(place)
        until = None if end is None else from_us(end)
        periods.append(FiredPeriod(*name, from_us(since), until, turns[i].value))
    return Replay(
        start=start,
        end=now,
        judged=int(watching.mask.sum()),
        activations=len(begun),
        subjects=tuple(
            FiredSubject(subjects.ids[place], subjects.name(place), n)
            for place, n in counts.most_common()
        ),
        periods=tuple(periods),
        resolution_s=resolution_s,
        note=note.strip(),
    )
