"""Energy of a day against what the heater's own past leads to expect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from data.hot_store import to_us
from services import alert_energy
from services.access import SYSTEM
from services.alert_conditions import Floats
from services.alert_energy import METERS, READ, energy_excess, excess_at, excess_pct
from services.alert_rule_reading import read_rule
from services.alert_subjects import Subjects
from tests.conftest import NOW, VIEWER, Stores, readings
from tests.services.alert_world import HOT, TANK, World
from tests.services.alert_world import world as opened

DAYS, QUARTERS = 31, 96
SLOW_TANK = replace(TANK, id="wh-2", reporting_interval_s=900)
RULE: dict[str, Any] = {
    "key": "energy", "metric": "energy_excess_pct", "threshold": 30.0, "deadband": 0,
    "for_s": 0, "off_delay_s": 0,
}  # fmt: skip
MINUTES = (16.68, 11.50, 12.03, 14.88, 13.75, 18.11, 8.00, 17.83, 79.24, 21.50, 40.33,
           21.00, 13.50, 19.75, 24.00, 29.00, 15.35, 19.00, 9.50, 35.10, 17.90, 52.32,
           18.75, 19.83, 10.75)  # fmt: skip
CASES = (7, 3, 3, 4, 6, 7, 2, 7, 30, 5, 16, 10, 4, 6, 9, 10, 6, 7, 3, 17, 10, 26, 9, 8,
         4)  # fmt: skip
FEET = (560, 220, 340, 80, 150, 330, 110, 210, 1460, 605, 688, 215, 255, 462, 448, 776,
        200, 132, 36, 770, 140, 810, 450, 635, 150)  # fmt: skip
"""Table 3.2 of the book: minutes to deliver cases to a machine some feet away."""


@pytest.fixture
def world(stores: Stores) -> Iterator[World]:
    """Stores with a tank that reports every quarter hour."""
    stores.add(SLOW_TANK)
    yield from opened(stores)


def one(kwh: Any, litres: Any, rise: Any) -> float:
    """The excess of one heater."""
    rows = (np.atleast_2d(np.asarray(v, dtype=float)) for v in (kwh, litres, rise))
    return float(excess_pct(*rows)[0])


def reference(kwh: Floats, litres: Floats, rise: Floats) -> float:
    """The same of the plain normal equations."""
    design = np.c_[np.ones(len(kwh)), litres, rise]
    past, y = design[:-1], kwh[:-1]
    use = np.isfinite(y)
    past, y = past[use], y[use]
    inverse = np.linalg.inv(past.T @ past)
    b = inverse @ past.T @ y
    s = np.sqrt(((y - past @ b) ** 2).sum() / (len(y) - 3))
    expected = design[-1] @ b
    half = s * np.sqrt(1 + design[-1] @ inverse @ design[-1])
    over = kwh[-1] - expected
    return (
        float(100 * over / expected)
        if over > student.ppf(0.99, len(y) - 3) * half
        else 0.0
    )


def test_the_interval_is_the_published_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Montgomery, Peck and Vining: 8 cases, 275 feet: 19.22, 95 % up to 26.16 min."""
    monkeypatch.setattr(alert_energy, "CONFIDENCE", 0.975)
    given = [*CASES, 8], [*FEET, 275]
    assert one([*MINUTES, 26.155], *given) == 0.0
    found = one([*MINUTES, 26.165], *given)
    assert found == pytest.approx(100 * (26.165 - 19.22) / 19.22, abs=0.05)


def test_values_are_those_of_the_normal_equations() -> None:
    """On 300 random heaters with missing days, about half of them above."""
    chance = np.random.default_rng(3)
    litres = chance.uniform(40, 160, (300, 29))
    litres[:, -1] = chance.uniform(50, 120, 300)
    rise = chance.normal(0, 3, (300, 29))
    kwh = 1.5 + 0.05 * litres + 0.2 * rise + chance.normal(0, 0.4, (300, 29))
    kwh[:, -1] *= chance.uniform(1, 1.5, 300)
    kwh[:, :-1][chance.random((300, 28)) < 0.2] = np.nan
    found = excess_pct(kwh, litres, rise)
    wanted = [reference(*row) for row in zip(kwh, litres, rise, strict=True)]
    assert found == pytest.approx(wanted, abs=1e-6)
    assert 0.2 < np.mean(found > 0) < 0.8


def test_stable_heaters_are_above_on_one_day_of_a_hundred() -> None:
    """20,000 days of heaters that only vary: 1 % above, with 14 days as with 28."""
    chance = np.random.default_rng(8)
    for days in (15, 29):
        litres = chance.gamma(4, 30, (20_000, days))
        rise = chance.normal(0, 3, (20_000, days))
        noise = chance.normal(0, 0.5, (20_000, days))
        value = excess_pct(2 + 0.05 * litres + 0.2 * rise + noise, litres, rise)
        told = value[np.isfinite(value)]
        assert len(told) > 18_000
        assert np.mean(told > 0) == pytest.approx(0.01, abs=0.003)


SEED = np.random.default_rng(1)
LITRES, RISE = SEED.uniform(40, 160, 29), SEED.normal(0, 2, 29)
LITRES[-1] = 100.0
KWH = 2 + 0.05 * LITRES + SEED.normal(0, 0.3, 29)


def test_without_an_expectation_there_is_no_value() -> None:
    """Too few days, no newest one, flat, joined or unseen draws, nothing expected."""
    gone = np.full(29, np.nan)
    few = np.where(np.arange(29) < 15, np.nan, KWH)
    enough = np.where(np.arange(29) < 14, np.nan, KWH)
    unseen = np.r_[LITRES[:-1], LITRES[:-1].max() + 1]
    assert np.isfinite(one(KWH, LITRES, RISE))
    assert np.isfinite(one(enough, LITRES, RISE))
    assert np.isnan(one(few, LITRES, RISE))
    assert np.isnan(one(np.r_[KWH[:-1], np.nan], LITRES, RISE))
    assert np.isnan(one(KWH, np.full(29, 80.0), RISE))
    assert np.isnan(one(KWH, LITRES, LITRES / 10 - 3))
    assert np.isnan(one(KWH, unseen, RISE))
    assert np.isnan(one(np.zeros(29), LITRES, RISE))
    assert np.isnan(one(gone, gone, gone))


class Past:
    """A month of a tank, quarter by quarter; one draw in each evening."""

    def __init__(self, newest: float = 1.0) -> None:
        chance = np.random.default_rng(5)
        shape = DAYS, QUARTERS
        self.litres = np.zeros(shape)
        self.litres[:, 30] = chance.uniform(50, 150, DAYS)
        self.litres[-1, 30] = 100.0
        self.kwh = 0.02 * chance.uniform(0.8, 1.2, shape)
        self.kwh[:, 31] += 0.05 * self.litres.sum(axis=1)
        self.kwh[-1] *= newest
        self.tank = 55 + chance.normal(0, 1, shape)
        self.frame = self._frame()

    def _frame(self) -> pd.DataFrame:
        return readings(
            "wh-2", NOW - timedelta(days=DAYS), DAYS * 1_440, 900,
            energy_kwh=500 + np.cumsum(self.kwh), flow_lpm=self.litres.ravel() / 15,
            temperature_c=self.tank.ravel(),
        )  # fmt: skip

    def wanted(self) -> float:
        """What it should come to."""
        rise = self.tank[2:, -1] - self.tank[1:-1, -1]
        days = self.kwh.sum(axis=1)[2:], self.litres.sum(axis=1)[2:]
        return reference(*days, rise)

    def value(self, world: World) -> float:
        """What the stores say of it."""
        world.stores.telemetry.accept_bulk(SYSTEM, self.frame)
        world.stores.flush()
        subjects = Subjects()
        subjects.take({"wh-2": SLOW_TANK})
        gaps = {"wh-2": 2_700.0}
        return float(energy_excess(world.stores.lake, gaps, subjects, NOW)[0])


@pytest.mark.parametrize("reset", [False, True])
def test_a_wasteful_day_is_found_through_a_reset_of_the_meter(
    world: World, reset: bool
) -> None:
    """Twice the energy is about 100 %, also where the meter began anew in that day."""
    past = Past(newest=2.0)
    if reset:
        meter = past.frame["energy_kwh"].to_numpy(copy=True)
        meter[-40:] -= meter[-41]
        past.frame["energy_kwh"] = meter
    value = past.value(world)
    assert value == pytest.approx(past.wanted(), abs=0.01)
    assert 80 < value < 120


def test_energy_of_a_silence_is_not_charged_to_the_day_after(world: World) -> None:
    """Two days away with the meter running on: no value; the same days told: 0."""
    past = Past()
    whole = past.frame
    lost = np.arange(len(whole)) // QUARTERS
    past.frame = whole[(lost < DAYS - 3) | (lost == DAYS - 1)]
    assert np.isnan(past.value(world))
    past.frame = whole
    assert past.value(world) == 0.0


def test_a_day_that_is_hardly_metered_has_no_value(world: World) -> None:
    """Flow in 8 of 10 readings of the newest day: what was drawn is not known."""
    past = Past(newest=2.0)
    flow = past.frame["flow_lpm"].to_numpy(copy=True)
    flow[-QUARTERS:][::5] = np.nan
    past.frame["flow_lpm"] = flow
    assert np.isnan(past.value(world))


def test_the_worker_and_the_replay_say_the_same(world: World) -> None:
    """One alert with the value of the day, one activation that still holds."""
    past = Past(newest=2.0)
    past.value(world)
    world.rule(**RULE)
    world.look()
    (raised,) = world.alerts
    assert (raised.subject, raised.active) == ("wh-2", True)
    assert raised.value == pytest.approx(past.wanted(), abs=0.01)

    spec = read_rule(HOT | RULE)
    found = world.ruled.rules.preview(VIEWER, spec, 2)
    (period,) = found.periods
    assert found.note == ""
    assert NOW - timedelta(days=1) < period.start < NOW
    assert period.end is None
    frame = world.stores.lake.folded(
        {"wh-2": 2_700.0}, NOW - timedelta(days=DAYS), NOW, 900, METERS, only=READ
    )
    ticks = np.array([to_us(NOW), to_us(NOW) + 1_800_000_000])
    assert excess_at(frame, ticks) == pytest.approx([raised.value] * 2)
