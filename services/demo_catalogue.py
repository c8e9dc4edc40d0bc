"""The demo fleet on paper: invented makes, sites and households, and their faults.

Every make, building and household here is fictional; the physics is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from data.records import Band, Device
from services.tank import products
from services.tank.draws import Resident
from services.tank.faults import FAMILIES, Fault
from services.tank.habits import Habit
from services.tank.heater import Heater
from services.tank.physics import Tank
from services.tank.sensors import Sensors
from services.tank.surroundings import Place

DAY_S = 86_400.0
ELECTRIC_MODES = ("off", "eco", "electric", "performance")
HEAT_PUMP_MODES = ("off", "eco", "electric", "performance", "high_demand", "heat_pump")


@dataclass(frozen=True)
class Product:
    """A make and model: its tank, its modes and what its sensors lack."""

    manufacturer: str
    model: str
    tank: Tank
    firmware: tuple[str, ...]
    warranty_years: int
    setpoint_max_c: float
    households: tuple[str, ...]
    lacks: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """``electric`` or ``heat_pump``, as devices are registered."""
        return "heat_pump" if self.tank.compressor_w else "electric"

    @property
    def most_w(self) -> float:
        """The most electric power it can take at rated voltage."""
        return self.tank.upper_element_w + 1.2 * self.tank.compressor_w


PRODUCTS: tuple[Product, ...] = (
    Product(
        "Emberwell", "E120", products.electric(120.0, 3000.0, 0.75),
        ("3.1.0", "3.2.4"), 5, 65.0, ("single", "couple"),
    ),
    Product(
        "Emberwell", "E190", products.electric(190.0, 4500.0, 0.95),
        ("3.2.4", "3.3.0"), 8, 65.0, ("couple", "family"),
    ),
    Product(
        "Tidewick", "HP 200", products.heat_pump(200.0, 430.0, 1800.0, 1.0),
        ("1.8.2", "1.9.0"), 10, 65.0, ("couple", "family"),
    ),
    Product(
        "Cloudkettle", "Plain 150", products.electric(150.0, 2400.0, 1.05),
        ("0.9.7",), 5, 60.0, ("single", "couple"),
        ("inlet_temperature_c", "voltage_v"),
    ),
    Product(
        "Tidewick", "HP 270", products.heat_pump(270.0, 520.0, 2000.0, 1.2),
        ("1.9.0", "2.0.1"), 10, 65.0, ("family", "large_family"),
    ),
    Product(
        "Emberwell", "E300 Pro", products.electric(300.0, 6000.0, 1.3, 230.0, 3.5),
        ("4.0.2",), 6, 70.0, ("large_family", "small_commercial"),
    ),
    Product(
        "Northspring", "Duo 250", products.heat_pump(250.0, 480.0, 2400.0, 1.1),
        ("5.4.0", "5.5.1"), 8, 65.0, ("family", "small_commercial"),
        ("voltage_v",),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    """A building of the demo: where it is and what its water and rooms are like."""

    building: str
    latitude: float
    longitude: float
    inlet_c: float
    supply_bar: float


SITES: tuple[Site, ...] = (
    Site("Harbour Row", 55.4721, 10.5306, 10.5, 3.4),
    Site("Millpond Court", 53.2194, 6.5665, 11.5, 3.7),
    Site("Granary Yard", 52.0116, 8.5347, 12.0, 3.2),
    Site("Larch Hill School", 56.1629, 9.9021, 10.0, 3.9),
    Site("Signal House", 51.4416, 5.4697, 12.5, 3.5),
)
UTC_OFFSET_H = 1.0
ROOMS = ("Utility room", "Basement", "Plant room", "Kitchen", "Attic")
ROOM_C: Mapping[str, float] = {"Basement": 16.0, "Attic": 18.5, "Plant room": 21.0}

FAULT_SIZE: Mapping[str, tuple[float, float]] = {
    "element_open": (1.0, 1.0),
    "element_weak": (0.5, 0.4),
    "leak": (0.5, 0.2),
    "insulation_loss": (1.0, 0.7),
    "thermostat_drift": (8.0, -7.0),
    "expansion_tank": (0.95, 0.9),
}
"""Size of the first and of later faults of a family, see ``Fault.size``."""


@dataclass(frozen=True)
class Member:
    """One heater of the fleet: as it is registered, and as it is simulated."""

    device: Device
    heater: Heater
    meter_kwh: float


def fleet(seed: int, heaters: int, start: datetime, days: float) -> tuple[Member, ...]:
    """The demo fleet; the same arguments always give the same fleet."""
    return tuple(_member(seed, index, start, days) for index in range(heaters))


def _member(seed: int, index: int, start: datetime, days: float) -> Member:
    rng = np.random.default_rng((seed, index, 21))
    faulty = index % 4 == 3
    family = FAMILIES[index // 4 % len(FAMILIES)] if faulty else None
    choice = [p for p in PRODUCTS if not family or _can_have(p, family)]
    product = choice[(index + index // 4) % len(choice)]
    site = SITES[index % len(SITES)]
    room = str(rng.choice(ROOMS))
    age_days = float(rng.uniform(0.4, 12.0)) * 365.25
    heater_id = f"heater-{index + 1:03d}"
    device = _device(
        rng, heater_id, product, site, (start - timedelta(days=age_days)).date()
    )
    device = _placed(device, index, site, room)
    household = str(rng.choice(product.households))
    resident = Resident(seed, index, household, UTC_OFFSET_H)
    heater = Heater(
        id=heater_id,
        tank=product.tank,
        place=_place(rng, site, room),
        resident=resident,
        habit=_habit(rng, product, household),
        sensors=Sensors(product.lacks),
        faults=_faults(rng, family, index // 4, start.timestamp(), days),
    )
    return Member(device, heater, round(age_days * float(rng.uniform(3.0, 8.0)), 1))


def _can_have(product: Product, family: str) -> bool:
    """Element faults only show where the elements do the daily work."""
    return product.type == "electric" or not family.startswith("element")


def _device(
    rng: np.random.Generator, heater_id: str, product: Product, site: Site, new: date
) -> Device:
    return Device(
        id=heater_id,
        name=heater_id,
        manufacturer=product.manufacturer,
        model=product.model,
        serial=f"{product.manufacturer[:2].upper()}{rng.integers(10**7, 10**8)}",
        type=product.type,
        capacity_l=product.tank.volume_l,
        rated_power_w=product.most_w
        if product.type == "electric"
        else round(product.tank.upper_element_w + product.tank.compressor_w),
        installed_on=new,
        warranty_until=_years_on(new, product.warranty_years),
        firmware=str(rng.choice(product.firmware)),
        modes=HEAT_PUMP_MODES if product.type == "heat_pump" else ELECTRIC_MODES,
        setpoint_min_c=40.0,
        setpoint_max_c=product.setpoint_max_c,
        reporting_interval_s=60,
        bands=bands(product, site),
        mixing_valve=(True, True, False, None)[int(rng.integers(0, 4))],
        simulated=True,
    )


def _placed(device: Device, index: int, site: Site, room: str) -> Device:
    floor, flat = index // len(SITES) // 4, index // len(SITES) % 4 + 1
    return replace(
        device,
        name=f"{site.building} {floor}.{flat:02d}",
        building=site.building,
        floor=str(floor) if floor else "Ground",
        room=room,
        latitude=site.latitude,
        longitude=site.longitude,
    )


def bands(product: Product, site: Site) -> dict[str, Band]:
    """Scales and limits of a product at a site, in stored units."""
    limit_c = product.setpoint_max_c
    volts, most_w = product.tank.rated_voltage_v, product.most_w
    found = {
        "temperature_c": Band(0.0, 90.0, 45.0, limit_c + 2.0, None, limit_c + 8.0),
        "outlet_temperature_c": Band(0.0, 90.0, None, limit_c, None, limit_c + 8.0),
        "inlet_temperature_c": Band(0.0, 40.0),
        "ambient_temperature_c": Band(-10.0, 45.0, 5.0, 35.0, 2.0, 40.0),
        "pressure_bar": Band(0.0, 10.0, site.supply_bar - 1.0, 5.5, 1.0, 8.0),
        "flow_lpm": Band(0.0, 30.0, 0.0, 24.0),
        "power_w": Band(0.0, round(most_w * 1.2, -2), 0.0, round(most_w * 1.1)),
        "voltage_v": Band(
            *(round(volts * x) for x in (0.8, 1.2, 0.9, 1.1, 0.85, 1.15))
        ),
    }
    return {
        metric: band for metric, band in found.items() if metric not in product.lacks
    }


def _place(rng: np.random.Generator, site: Site, room: str) -> Place:
    return Place(
        inlet_c=site.inlet_c,
        inlet_swing_k=5.0,
        room_c=ROOM_C.get(room, 19.5) + float(rng.uniform(-1.0, 1.0)),
        room_swing_k=4.0 if room in {"Basement", "Attic"} else 2.0,
        room_day_swing_k=0.8,
        mains_v=float(rng.uniform(228.0, 234.0)),
        supply_bar=site.supply_bar + float(rng.uniform(-0.15, 0.15)),
        utc_offset_h=UTC_OFFSET_H,
    )


def _habit(rng: np.random.Generator, product: Product, household: str) -> Habit:
    pump = product.type == "heat_pump"
    modes = ("eco", "heat_pump", "performance") if pump else ("electric",) * 3
    commercial = household == "small_commercial"
    patterns = ("steady", "steady", "steady", "steady", "weekly", "setback")
    return Habit(
        target_c=60.0
        if commercial
        else float(rng.choice((50.0, 52.0, 55.0, 55.0, 58.0))),
        mode=modes[int(rng.choice(3, p=(0.6, 0.2, 0.2)))],
        lowest_c=45.0,
        highest_c=62.0 if product.setpoint_max_c > 62.0 else product.setpoint_max_c,
        pattern=str(rng.choice(patterns)),
        away_mode="eco" if rng.random() < 0.5 else None,
        busy_mode=("high_demand" if pump else "performance"),
    )


def _faults(
    rng: np.random.Generator, family: str | None, turn: int, start_s: float, days: float
) -> tuple[Fault, ...]:
    """The faults of a heater: every fourth is repaired, the others are there today."""
    if family is None:
        return ()
    later = turn >= len(FAMILIES)
    if family == "offline":
        return _outages(rng, later, start_s, days)
    size = FAULT_SIZE.get(family, (1.0, 1.0))[later]
    begin_s = _minute(start_s + float(rng.uniform(0.3, 0.75)) * days * DAY_S)
    if turn % 4 == 1:
        left_s = start_s + days * DAY_S - begin_s
        return (Fault(family, begin_s, size, _minute(begin_s + 0.7 * left_s)),)
    return (Fault(family, begin_s, size),)


def _outages(
    rng: np.random.Generator, later: bool, start_s: float, days: float
) -> tuple[Fault, ...]:
    end_s = start_s + days * DAY_S
    if later:
        return (Fault("offline", _minute(end_s - 0.012 * days * DAY_S)),)
    begins = np.sort(rng.uniform(0.1, 0.9, 4)) * days * DAY_S + start_s
    return tuple(
        Fault("offline", _minute(b), 1.0, _minute(b + 0.006 * days * DAY_S))
        for b in begins
    )


def _minute(at_s: float) -> float:
    return float(at_s // 60.0 * 60.0)


def _years_on(day: date, years: int) -> date:
    """The same day ``years`` later; 28 February for a leap day."""
    leap = day.month == 2 and day.day == 29
    return date(day.year + years, day.month, 28 if leap else day.day)
