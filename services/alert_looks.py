"""What the evaluation sees at one look: readings, values of the moment, subjects."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import numpy as np

from data.alert_values_store import AlertValuesStore, ModelNow
from data.device_store import DeviceStore
from data.lake import Lake
from data.model_store import ModelStore
from data.records import Device
from services.alert_conditions import Floats
from services.alert_model_values import ModelValues, model_values
from services.alert_slow_values import SLOW, slow_moments
from services.alert_subjects import Subjects, devices_by_id, models_by_name
from services.alert_values import LatestMoments, Moment, Readings, ReadingValues

MODELS_EVERY = timedelta(seconds=10)
AGED_EVERY = timedelta(seconds=30)
"""What is known of models ages with the clock, in hours."""
SLOW_EVERY = timedelta(minutes=10)
MODEL_LOOK = timedelta(days=400)


class Looks:
    """Reads what has changed since the last look; one question for each kind."""

    def __init__(
        self,
        values: AlertValuesStore,
        devices: DeviceStore,
        models: ModelStore,
        lake: Lake,
    ) -> None:
        self._values = values
        self._devices = devices
        self._models = models
        self._lake = lake
        self.heard_from: datetime | None = None
        """Before it nobody listened; ``None`` = somebody always did."""
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.subjects = {"device": Subjects(), "model": Subjects()}
        self.measured: ModelValues | None = None
        self._readings = ReadingValues()
        self._mark = 0
        self._device_version: tuple[int, int] | None = None
        self._models_read: datetime | None = None
        self._models_known: tuple[tuple[str, int], ...] = ()
        self._slow: dict[str, Moment] = {}
        self._slow_read: datetime | None = None
        self._intervals: Floats = np.zeros(0)
        self._latest = LatestMoments()
        self._concluded: tuple[int, int, int] | None = None
        self._concluded_read: datetime | None = None
        self._found: list[ModelNow] = []
        self._aged: datetime | None = None

    def renew(self, now: datetime) -> bool:
        """Look who is there; whether anybody came, changed or went."""
        changed = False
        version = self._devices.version()
        if version != self._device_version:
            changed, self._device_version = True, version
            subjects = self.subjects["device"]
            subjects.take(devices_by_id(self._devices.all()))
            self._intervals = np.full(len(subjects), np.nan)
            for one, device in subjects.known.items():
                if isinstance(device, Device):
                    place = subjects.places[one]
                    self._intervals[place] = max(device.reporting_interval_s, 1)
            self._slow_read = None
            self._latest = LatestMoments()
        if _due(self._models_read, now, MODELS_EVERY):
            self._models_read = now
            models = self._models.models()
            known = tuple((m.spec.name, m.revision) for m in models)
            if known != self._models_known:
                changed, self._models_known = True, known
                self.subjects["model"].take(models_by_name(models))
        return changed

    def readings(self, now: datetime) -> Readings | None:
        """The readings that came since the last look, ``None`` = none."""
        newest = self._values.newest_id()
        if newest == self._mark:
            return None
        table = self._values.fresh(self._mark)
        self._mark = newest
        return self._readings.of(table, self.subjects["device"], now)

    def past(
        self, start: datetime, metrics: Collection[str], now: datetime
    ) -> Readings:
        """The readings from ``start`` on with the metrics named."""
        self._readings.learn(self.subjects["device"], self._values.latest())
        # What comes while this is read is read again at the next look.
        self._mark = self._values.newest_id()
        table = self._values.since(start, metrics)
        return self._readings.of(table, self.subjects["device"], now)

    def moments(
        self, source: str, wanted: Collection[str], now: datetime
    ) -> dict[str, Moment]:
        """The values of the moment of every heater, or of every model."""
        if source == "model":
            return self._of_models(now).moments
        subjects = self.subjects["device"]
        moments = {}
        if not set(wanted) <= set(SLOW):
            self._latest.learn(self._values.latest(self._latest.received_us), subjects)
            intervals = _padded(self._intervals, len(subjects))
            moments = self._latest.moments(intervals, now, self.heard_from)
        if not set(wanted).isdisjoint(SLOW):
            if _due(self._slow_read, now, SLOW_EVERY):
                self._slow = slow_moments(self._lake, subjects, now)
                self._slow_read = now
            size = len(subjects)
            moments |= {
                name: Moment.of(_padded(one.value, size))
                for name, one in self._slow.items()
            }
        return moments

    def _of_models(self, now: datetime) -> ModelValues:
        """What was concluded; read again when it has changed, or after a while."""
        subjects = self.subjects["model"]
        concluded, held = self._values.concluded_at(), self.measured
        changed = concluded != self._concluded
        if changed or _due(self._concluded_read, now, SLOW_EVERY):
            self._found = self._values.models(now - MODEL_LOOK)
            self._concluded, self._concluded_read = concluded, now
            held = None
        same = held is not None and len(held.severities) == len(subjects)
        if held is None or not same or _due(self._aged, now, AGED_EVERY):
            held = model_values(self._found, subjects, now)
            self.measured, self._aged = held, now
        return held

    def turn_back(self) -> None:
        """The clock was set back: newer times say nothing of what is known."""
        self._latest = LatestMoments()


def _padded(values: Floats, size: int) -> Floats:
    return np.concatenate([values, np.full(size - len(values), np.nan)])


def _due(last: datetime | None, now: datetime, every: timedelta) -> bool:
    """Whether it is time again; a clock that was set back is no reason to wait."""
    return last is None or not timedelta() <= now - last < every
