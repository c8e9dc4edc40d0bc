"""Whom rules watch: heaters and models, each at a place that it keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from data.model_records import Model
from data.records import Device
from services.alert_conditions import Bools, Floats, Ints
from services.alert_rules import RuleScope
from services.metrics import gap_s

SECOND_US = 1_000_000
MODEL_GAP_US = 6 * 3_600 * SECOND_US
"""Looks at models further apart than this leave a gap between them."""


@dataclass
class Subjects:
    """Devices, or models, by place; a place is given once and never again."""

    ids: list[str] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    known: dict[str, Device | Model] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, found: Mapping[str, Device | Model]) -> None:
        """These are watched from now on, and no others; new ones get a place."""
        self.place(found)
        self.known = dict(found)

    def place(self, ids: Iterable[str]) -> None:
        """Give a place to those that have none, watched or not."""
        for one in ids:
            if one not in self.places:
                self.places[one] = len(self.ids)
                self.ids.append(one)

    def at(self, ids: Iterable[str]) -> Ints:
        """The places of ids; -1 for those that are not known."""
        places = self.places
        return np.array([places.get(one, -1) for one in ids], dtype=np.int64)

    def at_each(self, ids: pd.Series[str]) -> Ints:
        """The place of each row of a column that names few of them often."""
        codes, names = pd.factorize(ids)
        return self.at(names)[codes]

    def name(self, place: int) -> str:
        """What a subject is called: its id once it is gone."""
        one = self.known.get(self.ids[place])
        return one.name if isinstance(one, Device) else self.ids[place]

    def mask(self, scope: RuleScope) -> Bools:
        """Whom a scope lets pass of those that are watched."""
        found = np.zeros(len(self), dtype=np.bool_)
        for one, subject in self.known.items():
            found[self.places[one]] = (
                _device_passes(scope, subject)
                if isinstance(subject, Device)
                else _model_passes(scope, subject)
            )
        return found

    def limits(self, metric: str, limit: str) -> Floats:
        """A limit of each device's own gauge; NaN where it has none."""
        found = np.full(len(self), np.nan)
        for one, subject in self.known.items():
            band = subject.bands.get(metric) if isinstance(subject, Device) else None
            value = getattr(band, limit) if band is not None else None
            if value is not None:
                found[self.places[one]] = value
        return found

    def gaps_us(self) -> Ints:
        """The gap limit of each subject."""
        found = np.full(len(self), MODEL_GAP_US)
        for one, subject in self.known.items():
            if isinstance(subject, Device):
                gap = gap_s(subject.reporting_interval_s)
                found[self.places[one]] = int(gap * SECOND_US)
        return found


def devices_by_id(devices: Sequence[Device]) -> dict[str, Device | Model]:
    """The heaters that are in use."""
    return {one.id: one for one in devices if one.life_cycle == "active"}


def models_by_name(models: Sequence[Model]) -> dict[str, Device | Model]:
    """The models that are not archived."""
    return {one.spec.name: one for one in models if not one.spec.archived}


def _device_passes(scope: RuleScope, device: Device) -> bool:
    valve = scope.mixing_valve
    return (
        _in(scope.types, device.type)
        and _in(scope.buildings, device.building)
        and _in(scope.ids, device.id)
        and (valve is None or device.mixing_valve is valve)
    )


def _model_passes(scope: RuleScope, model: Model) -> bool:
    return (
        _in(scope.kinds, model.spec.kind)
        and _in(scope.owners, model.spec.owner)
        and _in(scope.names, model.spec.name)
        and (not scope.tags or not set(scope.tags).isdisjoint(model.spec.tags))
    )


def _in(wanted: tuple[str, ...], value: str | None) -> bool:
    return not wanted or value in wanted
