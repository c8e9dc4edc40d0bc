"""The values of models that rules judge: what was concluded of their newest windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from data.alert_records import SEVERITIES
from data.alert_values_store import ModelNow
from data.hot_store import to_us
from data.model_records import Model
from services.alert_conditions import NEVER, Ints
from services.alert_subjects import Subjects
from services.alert_values import Moment

Window = Mapping[str, Any]
MEASURED: tuple[str, ...] = (
    "accuracy",
    "mae",
    "estimated_accuracy",
    "estimated_mae",
    "loss_rise",
    "floor_gap",
    "drift_psi",
    "missing_share",
)
VERDICTS: Mapping[str, str] = {
    "input_shift": "input_shift",
    "concept_drift": "concept_drift",
    "data_quality": "data_quality",
}
"""Metric -> kind of the verdict."""


@dataclass
class ModelValues:
    """All metrics of all models at one look.

    severities: that of each model's newest verdict, by place; ``""`` = none.
    """

    moments: dict[str, Moment]
    severities: list[str]
    now: dict[int, ModelNow] = field(default_factory=dict)

    def series(self, metric: str, place: int) -> list[tuple[datetime, float]]:
        """The metric in the windows of a model: their ends and values."""
        one = self.now.get(place)
        read = _READERS.get(metric)
        if one is None or read is None:
            return []
        found = [(window["end"], read(window)) for window in one.windows]
        return [(end, value) for end, value in found if value is not None]


def model_values(
    found: Sequence[ModelNow], subjects: Subjects, now: datetime
) -> ModelValues:
    """The metrics of the newest version with data of each model."""
    places = {
        one.id: subjects.places[name]
        for name, one in subjects.known.items()
        if isinstance(one, Model)
    }
    chosen: dict[int, ModelNow] = {}
    for one in found:
        place = places.get(one.model_id)
        if place is None or one.last_data is None:
            continue
        held = chosen.get(place)
        if held is None or held.last_data is None or one.last_data > held.last_data:
            chosen[place] = one
    size = len(subjects)
    names = (*_READERS, "label_lag_days", "label_coverage", "silent_h")
    value = {name: np.full(size, np.nan) for name in names}
    since = {name: np.full(size, NEVER) for name in names}
    severities = [""] * size
    for place, one in chosen.items():
        _fill(one, place, value, since, now)
        newest = _newest(one)
        if newest is not None and newest["severity"] in SEVERITIES:
            severities[place] = newest["severity"]
    moments = {name: Moment(value[name], since[name]) for name in names}
    return ModelValues(moments, severities, chosen)


def _fill(
    one: ModelNow,
    place: int,
    value: Mapping[str, Any],
    since: Mapping[str, Ints],
    now: datetime,
) -> None:
    newest = _newest(one)
    if newest is not None:
        for name, read in _READERS.items():
            found = read(newest)
            if found is not None:
                value[name][place] = found
                since[name][place] = to_us(newest["start"])
    if one.label_lag_days is not None:
        value["label_lag_days"][place] = one.label_lag_days
    due = now - timedelta(days=(one.label_lag_days or 0.0) + 1)
    covered = [w for w in one.windows if w["end"] <= due and w["coverage"] is not None]
    if covered:
        value["label_coverage"][place] = 100 * covered[-1]["coverage"]
        since["label_coverage"][place] = to_us(covered[-1]["start"])
    if one.last_data is not None:
        age_s = max((now - one.last_data).total_seconds(), 0.0)
        value["silent_h"][place] = age_s / 3_600


def _newest(one: ModelNow) -> Window | None:
    """The newest window with rows."""
    return next((w for w in reversed(one.windows) if w["rows"]), None)


def _measure(name: str) -> Callable[[Window], float | None]:
    def read(window: Window) -> float | None:
        value = (window["measures"] or {}).get(name)
        return None if value is None else float(value)

    return read


def _verdict(kind: str) -> Callable[[Window], float | None]:
    def read(window: Window) -> float | None:
        if window["state"] in {"none", "cannot_tell"}:
            return None
        return float(window["kind"] == kind and window["state"] == "look")

    return read


_READERS: Mapping[str, Callable[[Window], float | None]] = {
    **{name: _measure(name) for name in MEASURED},
    **{name: _verdict(kind) for name, kind in VERDICTS.items()},
}
