"""Which routes an alert concerns."""

from __future__ import annotations

from dataclasses import dataclass

from data.alert_records import Alert
from data.device_store import DeviceStore
from data.model_store import ModelStore
from services.notify_spec import RouteSpec


@dataclass(frozen=True)
class Subject:
    """What filters ask of the device or model that an alert is about."""

    name: str
    building: str | None = None
    device_type: str | None = None
    tags: tuple[str, ...] = ()


class Subjects:
    """Looks up what alerts are about; what is gone is known by its name only."""

    def __init__(self, devices: DeviceStore, models: ModelStore) -> None:
        self._devices = devices
        self._models = models

    def of(self, alert: Alert) -> Subject:
        """The subject of an alert."""
        if alert.source == "model":
            model = self._models.model(alert.subject)
            return Subject(alert.subject, tags=model.spec.tags if model else ())
        device = self._devices.get(alert.subject)
        if device is None:
            return Subject(alert.subject)
        return Subject(alert.subject, device.building, device.type)


def matches(spec: RouteSpec, alert: Alert, subject: Subject) -> bool:
    """Whether a route wants to hear of an alert."""
    if alert.source not in spec.sources or alert.severity not in spec.severities:
        return False
    if alert.source == "model":
        return _fits(spec.model_names, subject.name) and (
            not spec.model_tags or bool(set(spec.model_tags) & set(subject.tags))
        )
    return (
        _fits(spec.device_ids, subject.name)
        and _fits(spec.buildings, subject.building)
        and _fits(spec.device_types, subject.device_type)
    )


def _fits(wanted: tuple[str, ...], value: str | None) -> bool:
    return not wanted or value in wanted
