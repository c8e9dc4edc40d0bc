"""The models of the simulated heaters' days, trained on their own early days.

The reference is made of predictions for the two weeks after training: heaters the
model knows, on days it has not seen, which is what it meets afterwards. (Predictions
for heaters left out of the training would say how it does on unknown heaters.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from data.model_records import ModelSpec
from data.records import LabelledFault
from services.demo_heater_days import DAY, DAY_S, HeaterDays
from services.demo_scoring import ALGORITHM, Trained, train
from services.demo_specs import DAILY_ENERGY, ELEMENT_FAILURE

LEAST_TRAINING_DAYS = 45
REFERENCE_DAYS = 14
LEAST_LOGGED_DAYS = 7
LEAST_RARE_ROWS = 50
"""Heater-days of the rare class that must be known before a model is trained."""
FAULT_WITHIN_DAYS = 7
WHOLE = 0.95
"""Share of a day with readings from which its energy counts as measured."""
ELEMENT_FAULTS = frozenset({"element_open", "element_weak"})

Labelled = Callable[[pd.DataFrame, Sequence[LabelledFault]], pd.Series]


def element_fault(days: pd.DataFrame, faults: Sequence[LabelledFault]) -> pd.Series:
    """``fault`` where an element is faulty at the end of the day or within a week."""
    made = days["day"] + DAY
    found = np.zeros(len(days), dtype=bool)
    for fault in faults:
        if fault.family not in ELEMENT_FAULTS:
            continue
        begun = made + FAULT_WITHIN_DAYS * DAY > _naive(fault.started_at)
        lasts = fault.ended_at is None or made < _naive(fault.ended_at)
        found |= ((days["device_id"] == fault.device_id) & begun & lasts).to_numpy()
    return pd.Series(np.where(found, "fault", "healthy"), index=days.index)


def next_day_energy(days: pd.DataFrame, _faults: Sequence[LabelledFault]) -> pd.Series:
    """Energy of the day after in kWh; none where its readings have gaps."""
    whole = days[days["covered_s"] >= WHOLE * DAY_S]
    used = whole.set_index(["device_id", "day"])["used_kwh"]
    next_days = pd.MultiIndex.from_arrays([days["device_id"], days["day"] + DAY])
    return pd.Series(used.reindex(next_days).to_numpy(), index=days.index)


def _naive(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


@dataclass(frozen=True)
class DayModel:
    """A model of heater-days. known_after_days: from prediction to label."""

    spec: ModelSpec
    label: Labelled
    known_after_days: int
    rare: str | None = None


DAY_MODELS: tuple[DayModel, ...] = (
    DayModel(ELEMENT_FAILURE, element_fault, FAULT_WITHIN_DAYS, rare="fault"),
    DayModel(DAILY_ENERGY, next_day_energy, 1),
)


def trained_at(
    model: DayModel, days: pd.DataFrame, faults: Sequence[LabelledFault]
) -> date | None:
    """The day on which a model can first be trained; ``None`` where it cannot.

    It needs ``LEAST_TRAINING_DAYS``, of a rare class ``LEAST_RARE_ROWS`` labels, and
    days left for its reference and for its life.
    """
    if not len(days):
        return None
    first, last = days["day"].min(), days["day"].max()
    known = days["day"] + (1 + model.known_after_days) * DAY
    at = first + LEAST_TRAINING_DAYS * DAY
    if model.rare is not None:
        rare = known[model.label(days, faults) == model.rare].sort_values()
        if len(rare) < LEAST_RARE_ROWS:
            return None
        at = max(at, rare.iloc[LEAST_RARE_ROWS - 1])
    left = (last - at) / DAY
    return at.date() if left >= REFERENCE_DAYS + LEAST_LOGGED_DAYS else None


class HeaterDayModel:
    """A model of heater-days: its reference, predictions and labels.

    Args:
        model: which.
        source: the days.
        seed: of the fit.
        begun: the first day of the training.
        trained: the day of the training.
    """

    def __init__(
        self, model: DayModel, source: HeaterDays, seed: int, begun: date, trained: date
    ) -> None:
        self._model = model
        self._source = source
        self._seed = seed
        self._begun = begun
        self._trained = trained
        self._fitted: Trained | None = None

    @property
    def spec(self) -> ModelSpec:
        """The model as registered."""
        return self._model.spec

    @property
    def first(self) -> date:
        """The first day logged."""
        return self._trained + REFERENCE_DAYS * DAY

    @property
    def versions(self) -> tuple[str, ...]:
        """The only version."""
        return (self.spec.version,)

    def over(self, today: date) -> date | None:
        """The day before which all days are over, by the heaters' readings."""
        over = self._source.over()
        return None if over is None else min(over, today)

    def lineage(self, _version: str) -> Mapping[str, object]:
        """What the owner says of the making of the version."""
        last = self._trained - (2 + self._model.known_after_days) * DAY
        return {
            "algorithm": ALGORITHM,
            "trained_on": f"{self._begun} to {last}",
            "rows": self._scorer().rows,
            "reference": f"{self._trained} to {self.first - DAY}, not trained on",
        }

    def reference(self, _version: str) -> pd.DataFrame:
        """Predictions and labels of the two weeks after the training."""
        found = self._labelled(self._trained, self.first, self.first + 8 * DAY)
        return self._scorer().predicted(found)

    def predictions(self, since: date, until: date) -> pd.DataFrame:
        """The predictions of the days ``[since, until)``."""
        days = self._source.rows(since, until)
        if not len(days):
            return days
        found = self._scorer().predicted(self._named(days))
        return found.assign(version=self.spec.version)

    def labels(self, since: date, until: date) -> pd.DataFrame:
        """The labels that became known from ``since`` until ``until``."""
        longest = (1 + self._model.known_after_days) * DAY
        first = max(since - longest, self.first)
        found = self._labelled(first, until - longest + DAY, until)
        if not len(found):
            return found
        chosen = found["known_at"] > np.datetime64(since)
        columns = self.spec.columns
        return found.loc[chosen, [columns.id, str(columns.label), "known_at"]]

    def _scorer(self) -> Trained:
        if self._fitted is None:
            days = self._labelled(self._begun, self._trained, self._trained)
            self._fitted = train(self.spec, days, self._seed)
        return self._fitted

    def _labelled(self, first: date, last: date, known: date) -> pd.DataFrame:
        """The days ``[first, last)`` whose label is known at a time, with it."""
        days = self._source.rows(first, max(last, known, first))
        if not len(days):
            return days
        days = self._named(days)
        label = self._model.label(days, self._source.faults())
        days[str(self.spec.columns.label)] = label
        days["known_at"] = days["ts"] + self._model.known_after_days * DAY
        chosen = days["known_at"] <= np.datetime64(known)
        return days[chosen & label.notna() & (days["day"] < np.datetime64(last))]

    def _named(self, days: pd.DataFrame) -> pd.DataFrame:
        """With the id and the time of the prediction."""
        stamp = days["day"].astype("datetime64[us]")
        name = days["device_id"].astype(str) + stamp.dt.strftime("-%Y%m%d")
        return days.assign(prediction_id=name, ts=stamp + DAY)
