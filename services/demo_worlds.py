"""Generated worlds for monitored models: rows of any day, always the same ones.

A world is a year of a model's life with a known cause in it. Its rows come from the
seed and the day alone, so that a day generated again is the same day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.model_records import ModelSpec
from services.demo_scoring import ALGORITHM, Trained, train
from services.stats.intervals import Array

ROWS_A_DAY = 100
NORMALS, UNIFORMS = 12, 8
"""Random numbers of a row: normal ones, and even ones of 0 to 1 besides time, label
and delay."""
FIRST_DAY = -400
TRAINED_ON = (-182, -112)
"""Days of training, counted from the first day logged: their labels are all known
when the reference begins."""
REFERENCE = (-84, -28)
"""Days of the reference: after training, never trained on, labels known on day 0."""

Frame = dict[str, npt.NDArray[np.generic]]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Draws:
    """What chance gives to rows. z: (NORMALS, rows); u: (UNIFORMS, rows); week: (rows,)
    weeks since the first day logged; label: (rows,) even numbers of 0 to 1."""

    z: Array
    u: Array
    week: Array
    label: Array

    def picked(self, place: int, names: str, odds: tuple[float, ...]) -> Array:
        """A category per row, by its odds."""
        edges = np.cumsum(odds)[:-1] / sum(odds)
        places = np.searchsorted(edges, self.u[place], side="right")
        return np.asarray(np.array(names.split(), dtype=object)[places])

    def happens(self, logit: Array, names: tuple[str, ...]) -> Array:
        """The first or second name, the second with the chance of the logit."""
        chance = 1 / (1 + np.exp(-logit))
        return np.where(self.label < chance, names[1], names[0])


@dataclass(frozen=True)
class Challenger:
    """A later version: its days of training, its reference, its first day."""

    version: str
    trained_on: tuple[int, int]
    reference: tuple[int, int]
    first: int


@dataclass(frozen=True)
class World:
    """A model and the world it lives in.

    rows_of: features and label of rows. label_days: least and further mean delay of a
    label. labelled: share of rows that ever get one. trained: share of the rows of
    the training days that version 1 was trained on.
    """

    spec: ModelSpec
    number: int
    rows_of: Callable[[Draws], Frame]
    label_days: tuple[float, float]
    labelled: float = 1.0
    trained: float = 1.0
    challenger: Challenger | None = None


class GeneratedModel:
    """A model of a world: its reference, predictions and labels."""

    def __init__(self, world: World, seed: int, start: date) -> None:
        self._world = world
        self._seed = seed
        self._start = start
        self._fitted: dict[str, Trained] = {}

    @property
    def spec(self) -> ModelSpec:
        """The model as registered."""
        return self._world.spec

    @property
    def first(self) -> date:
        """The first day logged."""
        return self._start

    def over(self, today: date) -> date | None:
        """Today: the days before it are over."""
        return today

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions, the champion first."""
        later = self._world.challenger
        return (self.spec.version, *((later.version,) if later else ()))

    def lineage(self, version: str) -> Mapping[str, object]:
        """What the owner says of the making of a version."""
        days, reference = self._days(version)
        return {
            "algorithm": ALGORITHM,
            "trained_on": self._written(days),
            "rows": self._model(version).rows,
            "reference": f"{self._written(reference)}, not trained on",
        }

    def reference(self, version: str) -> pd.DataFrame:
        """Predictions and labels of days that the version was not trained on."""
        frame = self._rows(*self._days(version)[1])
        return self._model(version).predicted(frame[frame["known"]])

    def predictions(self, since: date, until: date) -> pd.DataFrame:
        """The predictions of the days ``[since, until)``, of all versions then live."""
        first, last = self._day(since), self._day(until)
        frame = self._rows(first, last)
        found = [self._versioned(frame, self.spec.version)]
        later = self._world.challenger
        if later is not None and last > later.first:
            found.append(
                self._versioned(frame[frame["day"] >= later.first], later.version)
            )
        columns = [self.spec.columns.label, "known_at", "known", "day"]
        return pd.concat(found, ignore_index=True).drop(columns=columns)

    def labels(self, since: date, until: date) -> pd.DataFrame:
        """The labels that became known from ``since`` until ``until``."""
        longest = timedelta(days=self._world.label_days[0] + self._longest + 1)
        earliest = max(since - longest, self._start)
        frame = self._rows(self._day(earliest), self._day(until))
        known = frame["known_at"]
        chosen = frame["known"] & (known > np.datetime64(since))
        chosen &= known <= np.datetime64(until)
        label = self.spec.columns.label
        return frame.loc[chosen, [self.spec.columns.id, str(label), "known_at"]]

    @property
    def _longest(self) -> float:
        return 4 * self._world.label_days[1]

    def _versioned(self, frame: pd.DataFrame, version: str) -> pd.DataFrame:
        return self._model(version).predicted(frame).assign(version=version)

    def _model(self, version: str) -> Trained:
        if version not in self._fitted:
            frame = self._rows(*self._days(version)[0])
            frame = frame[frame["known"]]
            if version == self.spec.version:
                frame = frame.iloc[: round(self._world.trained * len(frame))]
            self._fitted[version] = train(self.spec, frame, self._seed)
        return self._fitted[version]

    def _days(self, version: str) -> tuple[tuple[int, int], tuple[int, int]]:
        later = self._world.challenger
        if later is not None and version == later.version:
            return later.trained_on, later.reference
        return TRAINED_ON, REFERENCE

    def _day(self, day: date) -> int:
        return (day - self._start).days

    def _written(self, days: tuple[int, int]) -> str:
        first, last = (self._start + timedelta(days=d) for d in days)
        return f"{first} to {last - timedelta(days=1)}"

    def _rows(self, first: int, last: int) -> pd.DataFrame:
        """The rows of the days ``[first, last)`` with label and when it is known."""
        numbers = [self._chance(day) for day in range(first, last)]
        counts = np.array([chance.shape[1] for chance in numbers], dtype=np.int64)
        chance = (
            np.concatenate(numbers, axis=1)
            if numbers
            else np.zeros((NORMALS + UNIFORMS + 4, 0))
        )
        day = np.repeat(np.arange(first, last), counts)
        z, u = chance[:NORMALS], chance[NORMALS : NORMALS + UNIFORMS]
        moment, label, told, delay = chance[NORMALS + UNIFORMS :]
        draws = Draws(z, u, (day + moment) / 7, label)
        ts = np.datetime64(self._start, "us") + _days(day + moment)
        least, further = self._world.label_days
        late = least + np.minimum(-further * np.log1p(-delay), self._longest)
        frame = pd.DataFrame(self._world.rows_of(draws))
        place = np.arange(len(day)) - np.repeat(np.cumsum(counts) - counts, counts)
        frame["day"] = day
        frame["ts"] = ts
        frame["prediction_id"] = self._ids(day, place)
        frame["known_at"] = ts + _days(late)
        frame["known"] = told < self._world.labelled
        return frame

    def _ids(self, day: Ints, place: Ints) -> pd.Series:
        dates = np.datetime64(self._start, "D") + day
        names = pd.Series(dates.astype("U10")) + "-"
        return self.spec.name + "-" + names + pd.Series(place + 1).map("{:03d}".format)

    def _chance(self, day: int) -> Array:
        """(24, rows) the random numbers of a day, its rows in order of time."""
        key = (self._seed, self._world.number, day - FIRST_DAY)
        rng = np.random.default_rng(key)
        rows = int(rng.poisson(ROWS_A_DAY))
        even = rng.random((UNIFORMS + 4, rows))
        even[UNIFORMS].sort()
        return np.concatenate([rng.normal(size=(NORMALS, rows)), even])


def _days(days: Array) -> npt.NDArray[np.timedelta64]:
    return np.asarray((days * 86_400e6).astype("timedelta64[us]"))
