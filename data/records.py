"""The plain records the stores take and give, and the telemetry schema.

Stored units are °C, bar, L/min, W, kWh, V; times are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

METRICS: tuple[str, ...] = (
    "temperature_c",
    "target_temperature_c",
    "inlet_temperature_c",
    "outlet_temperature_c",
    "ambient_temperature_c",
    "pressure_bar",
    "flow_lpm",
    "power_w",
    "energy_kwh",
    "voltage_v",
)
"""Numeric columns of a reading, in the order of their quality bits: append only."""

STATES: tuple[str, ...] = ("mode", "heating", "error_code")
"""Columns of a reading that are not numbers: text, boolean, text."""

READING_COLUMNS: tuple[str, ...] = ("device_id", "ts", *METRICS, *STATES)
"""What a sender may give. Frames carry ``ts`` as naive UTC ``datetime64[us]``."""

QUALITY_REASONS: tuple[str, ...] = (
    "range",
    "stuck",
    "spike",
    "clock",
    "fault_code",
    "unit_doubt",
)
"""Why a value is not trusted, in the order of the bits: append only."""

BITS_PER_METRIC = len(QUALITY_REASONS)

MODES: tuple[str, ...] = (
    "off",
    "eco",
    "electric",
    "performance",
    "high_demand",
    "heat_pump",
    "gas",
)
"""Home Assistant's water_heater operation states."""

DEVICE_TYPES: tuple[str, ...] = ("electric", "heat_pump", "gas", "tankless")
LIFE_CYCLES: tuple[str, ...] = ("pending", "active", "inactive", "removed")
DEVICE_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"


def quality_bit(metric: str, reason: str) -> int:
    """The bit of ``quality`` that says ``metric`` is flagged for ``reason``."""
    place = METRICS.index(metric) * BITS_PER_METRIC + QUALITY_REASONS.index(reason)
    return 1 << place


def metric_mask(metric: str) -> int:
    """All quality bits of ``metric``: the value is good when none is set."""
    return ((1 << BITS_PER_METRIC) - 1) << (METRICS.index(metric) * BITS_PER_METRIC)


def quality_reasons(quality: int) -> dict[str, list[str]]:
    """The flagged metrics of a reading with their reasons, for people."""
    flagged: dict[str, list[str]] = {}
    for metric in METRICS:
        for reason in QUALITY_REASONS:
            if quality & quality_bit(metric, reason):
                flagged.setdefault(metric, []).append(reason)
    return flagged


@dataclass(frozen=True)
class Band:
    """Scale and limits of one quantity on one device, in stored units.

    ``low``..``high`` is the gauge's scale, ``normal_*`` the healthy band and
    ``alarm_*`` the limits from the device's specification; ``None`` = not stated.
    """

    low: float
    high: float
    normal_low: float | None = None
    normal_high: float | None = None
    alarm_low: float | None = None
    alarm_high: float | None = None


@dataclass(frozen=True)
class Device:
    """A water heater as registered. ``None`` means: nobody has said."""

    id: str
    name: str
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    type: str | None = None
    capacity_l: float | None = None
    rated_power_w: float | None = None
    building: str | None = None
    floor: str | None = None
    room: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    installed_on: date | None = None
    warranty_until: date | None = None
    firmware: str | None = None
    modes: tuple[str, ...] = ()
    setpoint_min_c: float | None = None
    setpoint_max_c: float | None = None
    reporting_interval_s: int = 60
    bands: Mapping[str, Band] = field(default_factory=dict)
    mixing_valve: bool | None = None
    simulated: bool = False
    life_cycle: str = "active"
    version: int = 1


@dataclass(frozen=True)
class LatestValue:
    """The newest good value of one metric or state, and when it was measured."""

    value: float | str | bool
    ts: datetime


@dataclass(frozen=True)
class Latest:
    """What is known of a device now: newest reading, newest good values."""

    device_id: str
    ts: datetime
    received_at: datetime
    quality: int
    values: Mapping[str, LatestValue]
    flagged: Mapping[str, LatestValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Shadow:
    """Reported and desired state of a device with per-key times and a version."""

    device_id: str
    version: int
    reported: Mapping[str, object]
    desired: Mapping[str, object]
    reported_at: Mapping[str, datetime]
    desired_at: Mapping[str, datetime]
    updated_at: datetime
    wish_version: int = 0
    """The version at which ``desired`` last changed; reports raise ``version`` only."""

    @property
    def delta(self) -> dict[str, object]:
        """The desired keys whose reported value is absent or different."""
        return {
            k: v for k, v in self.desired.items() if not same(self.reported.get(k), v)
        }


SAME_WITHIN = 0.05
"""Numbers closer than this are the same setting: devices round to their own step."""


def same(one: object, other: object) -> bool:
    """Whether two values of a shadow say the same."""
    numbers = (int, float)
    if isinstance(one, numbers) and isinstance(other, numbers):
        if isinstance(one, bool) or isinstance(other, bool):
            return one is other
        return abs(one - other) < SAME_WITHIN
    return one == other


@dataclass(frozen=True)
class Event:
    """Something that happened to a device: a row of its event log."""

    device_id: str
    ts: datetime
    category: str
    severity: str
    message: str
    actor: str = "system"
    id: int | None = None


EVENT_CATEGORIES: tuple[str, ...] = ("status", "alert", "maintenance", "user", "system")


@dataclass(frozen=True)
class LabelledFault:
    """A fault known to have been present: the truth a detector is judged by."""

    device_id: str
    family: str
    started_at: datetime
    ended_at: datetime | None
    detail: str
