"""Water heaters as registered: read, register, edit, change their life cycle."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date, datetime
from math import isfinite

from data.device_store import DeviceStore, Exists, Stale
from data.records import (
    DEVICE_ID_PATTERN,
    DEVICE_TYPES,
    LIFE_CYCLES,
    MODES,
    Device,
    Event,
)
from data.records import METRICS as METRIC_NAMES
from data.session import Transaction
from services.access import Principal, requires
from services.audit import Audit
from services.errors import Conflict, InvalidInput, NotFound
from services.metrics import Metrics, connectivity

NEXT_LIFE: dict[str, tuple[str, ...]] = {
    "pending": ("active", "removed"),
    "active": ("inactive",),
    "inactive": ("active", "removed"),
    "removed": (),
}
RESERVED_IDS = frozenset({"iotsphere", "homeassistant"})
"""Users of the broker with rights of their own: see ``deploy/mosquitto/acl``."""
TEXT_LIMITS = {
    "name": 120,
    "manufacturer": 80,
    "model": 80,
    "serial": 80,
    "building": 80,
    "floor": 40,
    "room": 40,
    "firmware": 40,
}
NUMBER_LIMITS = {
    "capacity_l": (1.0, 20_000.0, "L"),
    "rated_power_w": (100.0, 200_000.0, "W"),
    "latitude": (-90.0, 90.0, "degrees"),
    "longitude": (-180.0, 180.0, "degrees"),
    "setpoint_min_c": (5.0, 85.0, "°C"),
    "setpoint_max_c": (5.0, 95.0, "°C"),
    "reporting_interval_s": (1.0, 3_600.0, "s"),
}


@dataclass(frozen=True)
class DeviceHeaderView:
    """What stands above every tab of one device."""

    device_id: str
    name: str
    place: str
    connectivity: str
    last_seen: datetime | None
    simulated: bool
    life_cycle: str
    options: tuple[tuple[str, str], ...]


def place_of(device: Device) -> str:
    """Building, floor and room as people read them; empty when nobody has said."""
    parts = (device.building, device.floor, device.room)
    return " · ".join(part for part in parts if part)


class Devices:
    """The register of water heaters."""

    def __init__(
        self,
        store: DeviceStore,
        metrics: Metrics,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._audit = audit
        self._store = store
        self._metrics = metrics
        self._clock = clock

    def get(self, caller: Principal, device_id: str) -> Device:
        """The device.

        Raises:
            NotFound: no device has this id, or it was removed.
        """
        requires(caller, "device.read")
        device = self._store.get(device_id)
        if device is None or device.life_cycle == "removed":
            raise NotFound(f"There is no device {device_id[:64]!r}.")
        return device

    def list(self, caller: Principal) -> list[Device]:
        """Every device that is not removed, by name."""
        requires(caller, "fleet.read")
        return self._store.all()

    def page(
        self, caller: Principal, after: str, limit: int
    ) -> tuple[tuple[Device, ...], bool]:
        """Up to ``limit`` devices by id from beyond ``after``; whether more follow."""
        requires(caller, "fleet.read")
        found = self._store.page(after, limit + 1)
        return tuple(found[:limit]), len(found) > limit

    def header(self, caller: Principal, device_id: str) -> DeviceHeaderView:
        """What stands above the tabs of a device, with the switcher's options."""
        device = self.get(caller, device_id)
        latest = self._metrics.latest([device_id]).get(device_id)
        last = latest.ts if latest else None
        return DeviceHeaderView(
            device_id=device.id,
            name=device.name,
            place=place_of(device),
            connectivity=connectivity(last, device.reporting_interval_s, self._clock()),
            last_seen=last,
            simulated=device.simulated,
            life_cycle=device.life_cycle,
            options=tuple((d.id, d.name) for d in self._store.all()),
        )

    def register(self, caller: Principal, device: Device) -> Device:
        """Add a device; it waits as ``pending`` unless the caller says otherwise.

        Raises:
            InvalidInput: a field is out of its limits.
            Conflict: the id is taken.
        """
        return self.register_all(caller, [device])[0]

    def register_all(
        self, caller: Principal, new: Sequence[Device]
    ) -> tuple[Device, ...]:
        """Add devices, all or none.

        Raises:
            InvalidInput: a field of one is out of its limits.
            Conflict: one of the ids is taken.
        """
        requires(caller, "device.admin")
        for device in new:
            _validate(device)
        now = self._clock()
        try:
            with self._store.transaction() as tx:
                self._store.add(tx, new, now)
                for device in new:
                    self._record(tx, caller, device.id, "registered", now)
        except Exists as error:
            taken = sorted(self._store.life_cycles([device.id for device in new]))
            known = taken[0] if taken else new[0].id
            raise Conflict(f"A device {known} exists already.") from error
        return tuple(new)

    def update(self, caller: Principal, device: Device) -> Device:
        """Store changed facts under the version they were read at.

        Raises:
            InvalidInput: a field is out of its limits, or the life cycle changed.
            Conflict: somebody else changed the device meanwhile.
        """
        requires(caller, "device.admin")
        held = self.get(caller, device.id)
        if device.life_cycle != held.life_cycle:
            raise InvalidInput("The life cycle is changed on its own, not by an edit.")
        _validate(device)
        return self._replace(caller, device, "edited")

    def set_life_cycle(
        self, caller: Principal, device_id: str, life_cycle: str
    ) -> Device:
        """Activate, deactivate or remove a device.

        Raises:
            InvalidInput: not a life cycle, or not reachable from the present one.
        """
        requires(caller, "device.admin")
        device = self.get(caller, device_id)
        if life_cycle not in LIFE_CYCLES:
            raise InvalidInput(f"{life_cycle!r} is none of {', '.join(LIFE_CYCLES)}.")
        if life_cycle not in NEXT_LIFE[device.life_cycle]:
            raise InvalidInput(
                f"{device.name} is {device.life_cycle} and cannot become {life_cycle}."
            )
        return self._replace(
            caller, replace(device, life_cycle=life_cycle), f"made {life_cycle}"
        )

    def _replace(self, caller: Principal, device: Device, what: str) -> Device:
        now = self._clock()
        try:
            with self._store.transaction() as tx:
                self._store.replace(tx, device, now)
                self._record(tx, caller, device.id, what, now)
        except Stale as error:
            raise Conflict(
                f"{device.name} was changed by somebody else; load it again."
            ) from error
        return replace(device, version=device.version + 1)

    def _record(
        self,
        tx: Transaction,
        caller: Principal,
        device_id: str,
        what: str,
        now: datetime,
    ) -> None:
        """Log a change in the event log and the audit, in the change's transaction."""
        event = Event(
            device_id, now, "user", "info", f"Device {what}", actor=caller.username
        )
        self._store.add_events(tx, [event])
        verb = what.rsplit(maxsplit=1)[-1]
        self._audit.record(tx, caller, f"device.{verb}", device_id)


def field_errors(device: Device) -> dict[str, str]:
    """What is wrong with a device's fields, by the name of the field."""
    found: dict[str, str] = {}
    if not re.fullmatch(DEVICE_ID_PATTERN, device.id):
        found["id"] = "The id must be 1 to 64 of A-Z a-z 0-9 _ and -."
    if device.id in RESERVED_IDS:
        found["id"] = f"The id {device.id} is a user of the broker."
    if not device.name.strip():
        found["name"] = "The name must not be empty."
    for name, longest in TEXT_LIMITS.items():
        value = getattr(device, name)
        if value is not None and len(value) > longest:
            found[name] = f"{name} is longer than {longest} characters."
        if value is not None and not value.isprintable():
            found[name] = f"{name} contains control characters."
    for name, (low, high, unit) in NUMBER_LIMITS.items():
        value = getattr(device, name)
        if value is not None and not (isfinite(value) and low <= value <= high):
            found[name] = f"{name} must lie in {low:g} to {high:g} {unit}."
    return _choice_errors(device) | _band_errors(device) | found


def _choice_errors(device: Device) -> dict[str, str]:
    found: dict[str, str] = {}
    if device.type is not None and device.type not in DEVICE_TYPES:
        found["type"] = f"type must be one of {', '.join(DEVICE_TYPES)}."
    unknown = [mode for mode in device.modes if mode not in MODES]
    if unknown:
        found["modes"] = (
            f"mode {unknown[0]!r} is none of Home Assistant's: {', '.join(MODES)}."
        )
    if device.life_cycle not in LIFE_CYCLES:
        found["life_cycle"] = f"life_cycle must be one of {', '.join(LIFE_CYCLES)}."
    low, high = device.setpoint_min_c, device.setpoint_max_c
    if low is not None and high is not None and low >= high:
        found["setpoint_max_c"] = "setpoint_min_c must lie below setpoint_max_c."
    start, end = device.installed_on, device.warranty_until
    if start is not None and start > date(2100, 1, 1):
        found["installed_on"] = "installed_on lies after 2100."
    if start is not None and end is not None and end < start:
        found["warranty_until"] = "warranty_until lies before installed_on."
    return found


def _band_errors(device: Device) -> dict[str, str]:
    for metric, band in device.bands.items():
        if metric not in METRIC_NAMES:
            return {"bands": f"{metric!r} is not a metric: {', '.join(METRIC_NAMES)}."}
        stated = [v for v in astuple(band) if v is not None]
        if not all(isfinite(value) for value in stated):
            return {"bands": f"The band of {metric} must be of finite numbers."}
        pairs = (
            (band.low, band.high),
            (band.normal_low, band.normal_high),
            (band.alarm_low, band.alarm_high),
        )
        if any(a is not None and b is not None and a >= b for a, b in pairs):
            return {"bands": f"Each low of {metric} must lie below its high."}
    return {}


def _validate(device: Device) -> None:
    errors = field_errors(device)
    if errors:
        raise InvalidInput(" ".join(errors.values()))
