"""The monitored models of the demo: made with their past, carried on day by day.

Their predictions and labels go through the same door as those of anybody's models.
Nothing is said that is not known yet: a day is predicted when it is over, a label
comes when it would come in the field.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from data.device_store import DeviceStore
from data.model_records import ModelSpec
from services.access import Principal, requires
from services.demo_causes import WORLDS
from services.demo_day_models import DAY_MODELS, HeaterDayModel, trained_at
from services.demo_heater_days import HeaterDays
from services.demo_worlds import GeneratedModel
from services.inferences import Inferences
from services.metrics import Metrics
from services.models import Models

LIVED = timedelta(weeks=52)
"""How long the generated models have been live when the demo is made."""
LONGEST_HISTORY = timedelta(days=400)
SOURCE = "demo"

Progress = Callable[[int, int], None]


class Source(Protocol):
    """A model of the demo and what it sends; ``labels`` in ``(since, until]``."""

    @property
    def spec(self) -> ModelSpec:
        """The model as registered."""

    @property
    def first(self) -> date:
        """The first day logged."""

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions, the champion first."""

    def over(self, today: date) -> date | None:
        """The day before which all days are over; ``None`` where it is not known."""

    def lineage(self, version: str, /) -> Mapping[str, object]:
        """What the owner says of the making of a version."""

    def reference(self, version: str, /) -> pd.DataFrame:
        """Predictions and labels the version was not trained on."""

    def predictions(self, since: date, until: date) -> pd.DataFrame:
        """The predictions of the days ``[since, until)``."""

    def labels(self, since: date, until: date) -> pd.DataFrame:
        """The labels that became known."""


class DemoModels:
    """Simulated models behind real services.

    Args:
        models: where they are registered.
        inferences: the door for their rows.
        metrics: the heaters' roll-ups; their readings must be in the lake.
        store: devices and labelled faults.
        state_file: where it is kept what was logged.
        seed: all randomness comes from it.
        clock: the present, aware UTC.
        waits: whether staged readings wait for the flusher.
    """

    def __init__(
        self,
        models: Models,
        inferences: Inferences,
        metrics: Metrics,
        store: DeviceStore,
        *,
        state_file: Path,
        seed: int,
        clock: Callable[[], datetime],
        waits: Callable[[], bool],
    ) -> None:
        self._models = models
        self._inferences = inferences
        self._days = HeaterDays(metrics, store, waits)
        self._state_file = state_file
        self._seed = seed
        self._clock = clock

    @property
    def exists(self) -> bool:
        """Whether the models have been created to the end."""
        return bool(self._state.get("done"))

    def create(self, caller: Principal, progress: Progress | None = None) -> int:
        """Register the models and log their past; give the rows taken.

        Called again after an interruption it goes on where it stopped: what was taken
        is known by its ids and delivery keys. Models of the heaters' days are made
        where their history is long enough.

        Args:
            caller: needs ``model.admin`` and ``inference.write``.
            progress: called with (models done, models in all).
        """
        requires(caller, "model.admin")
        if self.exists:
            return 0
        if "start" not in self._state:
            self._plan()
        taken, sources = 0, self._sources
        for done, source in enumerate(sources, 1):
            if source.spec.name not in self._state["until"]:
                self._register(caller, source)
            taken += self._log(caller, source)
            if progress is not None:
                progress(done, len(sources))
        self._state["done"] = True
        self._save()
        self._days.forget()
        return taken

    def advance(self, caller: Principal) -> int:
        """Log the days that are over since the last time; give the rows taken.

        After a pause everything that was missed is logged.

        Args:
            caller: needs ``inference.write``.
        """
        requires(caller, "inference.write")
        if not self.exists:
            return 0
        taken = sum(self._log(caller, source) for source in self._sources)
        self._days.forget()
        return taken

    def _plan(self) -> None:
        """Decide, once, when each model begins."""
        today = self._clock().astimezone(UTC).date()
        start = today - LIVED
        self._state["seed"] = self._seed
        self._state["start"] = str(start - timedelta(days=start.weekday()))
        self._state["until"] = {}
        self._state["trained"] = {}
        over = self._days.over()
        if over is not None:
            days = self._days.rows(over - LONGEST_HISTORY, over)
            for model in DAY_MODELS:
                at = trained_at(model, days, self._days.faults())
                if at is not None:
                    self._state["begun"] = str(days["day"].min().date())
                    self._state["trained"][model.spec.name] = str(at)
        self._save()

    @cached_property
    def _sources(self) -> list[Source]:
        """The models; to be asked for once there is a plan."""
        state, seed = self._state, int(self._state["seed"])
        found: list[Source] = [
            HeaterDayModel(
                model,
                self._days,
                seed,
                date.fromisoformat(state["begun"]),
                date.fromisoformat(state["trained"][model.spec.name]),
            )
            for model in DAY_MODELS
            if model.spec.name in state["trained"]
        ]
        start = date.fromisoformat(state["start"])
        return [*found, *(GeneratedModel(world, seed, start) for world in WORLDS)]

    def _register(self, caller: Principal, source: Source) -> None:
        """Register a model with its versions and their references.

        The champion comes last: the version applied last is the champion.
        """
        for version in reversed(source.versions):
            spec = replace(source.spec, version=version)
            self._models.apply(caller, spec, source.lineage(version))
            self._inferences.set_reference(
                caller,
                spec.name,
                [_table(spec, source.reference(version), reference=True)],
                version=version,
                source="held-out days after the training",
            )
        self._state["until"][source.spec.name] = str(source.first)
        self._save()

    def _log(self, caller: Principal, source: Source) -> int:
        """Send what is new of a model, then keep how far it is logged."""
        spec = source.spec
        since = date.fromisoformat(self._state["until"][spec.name])
        today = self._clock().astimezone(UTC).date()
        until = source.over(today)
        if until is None or until <= since:
            return 0
        key = f"{spec.name} {since} {until}"
        rows, labels = source.predictions(since, until), source.labels(since, until)
        taken = 0
        if len(rows):
            table = _table(spec, rows)
            taken += self._inferences.accept(
                caller, spec.name, [table], source=SOURCE, key=key
            ).taken
        if len(labels):
            found = pa.Table.from_pandas(labels, preserve_index=False)
            taken += self._inferences.accept_labels(
                caller, spec.name, [found], source=SOURCE, key=key
            ).taken
        self._state["until"][spec.name] = str(until)
        self._save()
        return taken

    @cached_property
    def _state(self) -> dict[str, Any]:
        if not self._state_file.exists():
            return {}
        saved: dict[str, Any] = json.loads(self._state_file.read_text("utf-8"))
        return saved

    def _save(self) -> None:
        """Write the whole state or leave the old one: never half a file."""
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._state_file.with_suffix(".tmp")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(self._state, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._state_file)


def _table(
    spec: ModelSpec, frame: pd.DataFrame, *, reference: bool = False
) -> pa.Table:
    """The columns of the model out of a frame, in the sender's names."""
    columns = spec.columns
    names = [*(f.name for f in spec.features), *spec.segments, columns.prediction]
    names += columns.scores.values()
    names += [str(columns.label)] if reference else [columns.id, columns.timestamp]
    names += [] if reference else ["version"]
    return pa.Table.from_pandas(frame[list(dict.fromkeys(names))], preserve_index=False)
