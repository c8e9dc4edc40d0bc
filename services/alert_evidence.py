"""What a rule saw at the moment of firing, and the words in which it is told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from data.alert_values_store import AlertValuesStore
from data.hot_store import from_us
from data.model_records import Model
from data.model_store import ModelStore
from services.alert_conditions import Turn
from services.alert_metrics import ALERT_METRICS
from services.alert_model_values import ModelValues
from services.alert_rules import BANDED, RuleSpec
from services.alert_subjects import Subjects
from services.alert_values import ReadingValues
from services.alert_watching import Watching
from services.wording import duration

MOST_POINTS = 200
SHORTEST, LONGEST = timedelta(hours=1), timedelta(hours=24)
AFTER = timedelta(seconds=1)
Series = Sequence[tuple[datetime, float]]


@dataclass(frozen=True)
class Fired:
    """A turn of one rule, with its subject's thresholds."""

    watching: Watching
    turn: Turn

    @property
    def low(self) -> float:
        """The lower threshold of the subject."""
        return float(self.watching.condition.low[self.turn.at])

    @property
    def high(self) -> float:
        """The upper one."""
        return float(self.watching.condition.high[self.turn.at])


def number(value: float) -> str:
    """A number as a message says it: at most two decimals, no zeros behind."""
    return f"{value:,.2f}".rstrip("0").rstrip(".").replace("-0", "0", value == 0)


def message_of(fired: Fired, name: str) -> str:
    """The rule's message about a subject, in stored units."""
    spec = fired.watching.spec
    threshold = _amount(spec, fired.low if spec.operator[0] == "<" else fired.high)
    if spec.operator in BANDED:
        threshold = f"{number(fired.low)} to {_amount(spec, fired.high)}"
    value = _amount(spec, fired.turn.value)
    return spec.message.format(name=name, value=value, threshold=threshold)


def _amount(spec: RuleSpec, value: float) -> str:
    """A value with its stored unit; an age in the words of a duration."""
    known = ALERT_METRICS.get(spec.metric)
    if known is not None and known.grows_s and math.isfinite(value):
        return duration(value * known.grows_s)
    return f"{number(value)} {spec.unit}".rstrip()


def thinned(series: Series) -> list[list[object]]:
    """At most so many points, the first and the last among them."""
    places = range(len(series))
    if len(series) > MOST_POINTS:
        places = np.linspace(0, len(series) - 1, MOST_POINTS).round().astype(int)  # type: ignore[assignment]
    return [[series[p][0].isoformat(), round(series[p][1], 6)] for p in places]


class Evidences:
    """Gathers the evidence of all alerts of one look."""

    def __init__(self, values: AlertValuesStore, models: ModelStore) -> None:
        self._values = values
        self._models = models

    def of(
        self,
        fired: Sequence[Fired],
        subjects: Mapping[str, Subjects],
        measured: ModelValues | None,
        now: datetime,
    ) -> list[dict[str, Any]]:
        """The evidence of each, in their order; readings in one question for all."""
        series = self._of_readings(
            [f for f in fired if f.watching.reads], subjects["device"], now
        )
        found = []
        for one in fired:
            key = id(one.watching), one.turn.at
            points = series.get(key) or self._of_moment(one, measured)
            facts = _thresholds(one) | {"points": thinned(points)}
            if one.watching.spec.source == "model":
                facts |= self._of_model(one, subjects["model"], measured)
            found.append(facts)
        return found

    def _of_readings(
        self, fired: Sequence[Fired], subjects: Subjects, now: datetime
    ) -> dict[tuple[int, int], Series]:
        if not fired:
            return {}
        ids = sorted({subjects.ids[f.turn.at] for f in fired})
        start = max(min(_start(f) for f in fired), now - LONGEST)
        names = {metric.key for f in fired for metric in f.watching.spec.metrics}
        table = self._values.between(ids, start, now + timedelta(minutes=1), names)
        readings = ReadingValues().of(table, subjects, now)
        series: dict[tuple[int, int], Series] = {}
        for one in fired:
            spec = one.watching.spec
            last = one.turn.ts + AFTER // timedelta(microseconds=1)
            mine = (readings.at == one.turn.at) & (readings.ts <= last)
            mine &= readings.ts >= int(_start(one).timestamp() * 1e6)
            given = {m.key: readings.values[m.key][mine] for m in spec.metrics}
            values, ts = spec.parsed.of(given), readings.ts[mine]
            known = dict(zip(ts.tolist(), values.tolist(), strict=True))
            series[id(one.watching), one.turn.at] = [
                (from_us(t), v) for t, v in known.items() if not np.isnan(v)
            ]
        return series

    def _of_moment(self, one: Fired, measured: ModelValues | None) -> Series:
        """An age has grown from the threshold on; of the rest the value is known."""
        spec, turn = one.watching.spec, one.turn
        if spec.source == "model" and measured is not None and spec.metric:
            series = measured.series(spec.metric, turn.at)
            if series:
                return series
        here = (from_us(turn.ts), turn.value)
        grows = spec.metric and spec.metrics[0].grows_s
        if grows and spec.operator.startswith(">") and turn.since < turn.ts:
            return [(from_us(turn.since), one.high), here]
        return [here]

    def _of_model(
        self, one: Fired, subjects: Subjects, measured: ModelValues | None
    ) -> dict[str, Any]:
        """Version, window, data version and reference of what was judged."""
        model = subjects.known.get(subjects.ids[one.turn.at])
        concluded = measured.now.get(one.turn.at) if measured else None
        if not isinstance(model, Model) or concluded is None:
            return {}
        reference = self._models.reference(model.id, concluded.version)
        facts: dict[str, Any] = {
            "version": concluded.version,
            "data_version": concluded.judged_seq,
            "reference": reference.hash if reference else None,
        }
        window = next((w for w in reversed(concluded.windows) if w["rows"]), None)
        if window is not None:
            ends = window["start"].isoformat(), window["end"].isoformat()
            facts |= {"window": list(ends), "sentence": window["sentence"]}
        return facts


def _thresholds(one: Fired) -> dict[str, Any]:
    spec = one.watching.spec
    facts: dict[str, Any] = {
        "unit": spec.unit,
        "operator": spec.operator,
        "peak": round(one.turn.value, 6),
        "for_s": spec.for_s,
        "rule_revision": one.watching.rule.revision,
    }
    if spec.operator in BANDED:
        return facts | {"band": [one.low, one.high]}
    return facts | {"threshold": one.low if spec.operator.startswith("<") else one.high}


def _start(one: Fired) -> datetime:
    """Twice the time the condition held, at least an hour, before it fired."""
    held = timedelta(microseconds=one.turn.ts - one.turn.since)
    return from_us(one.turn.ts) - min(max(2 * held, SHORTEST), LONGEST)
