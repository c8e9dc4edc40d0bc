"""Draws, habits and surroundings: the world a heater stands in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tank import draws, habits, surroundings
from services.tank.draws import DAY_S, HOUSEHOLDS, Resident
from services.tank.habits import Habit, changes_between
from services.tank.surroundings import Place

FIRST_DAY = 20_514
"""2 March 2026, a Monday, in days since 1970."""
PLACE = Place(11.0, 5.0, 19.5, 2.0, 0.8, 230.0, 3.4, 1.0)


def litres_of_days(kind: str, days: range, device: int = 0) -> np.ndarray:
    """Litres a household draws on each of the days."""
    resident = Resident(5, device, kind, 1.0)
    found = []
    for day in days:
        rows = draws.day_draws(resident, day)
        found.append((rows[:, 1] * rows[:, 2]).sum() / 60.0)
    return np.array(found)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.integers(1, 900), st.floats(1.0, 12.0)),
        min_size=1, max_size=12,
    ),
    st.sampled_from([5.0, 7.5, 60.0, 61.0]),
)  # fmt: skip
def test_steps_share_out_every_litre(rows, dt_s):
    """However the time is cut, the steps together draw what the draws say."""
    table = np.array(rows, dtype=float)
    steps = int(6000 // dt_s) + 1
    litres = draws.litres_per_step(table, 0.0, dt_s, steps)
    assert litres.sum() == pytest.approx((table[:, 1] * table[:, 2]).sum() / 60.0)
    assert (litres >= 0.0).all()


def test_larger_households_draw_more():
    """Litres a day rise from single to large family, in the usual range."""
    kinds = ("single", "couple", "family", "large_family")
    means = [
        np.mean(
            [litres_of_days(k, range(FIRST_DAY, FIRST_DAY + 90), d) for d in range(4)]
        )
        for k in kinds
    ]
    assert means == sorted(means)
    assert 20.0 < means[0] < 60.0
    assert 180.0 < means[-1] < 350.0


def test_a_small_business_rests_at_the_weekend():
    """Saturday and Sunday draw less than a third of a working day."""
    litres = litres_of_days("small_commercial", range(FIRST_DAY, FIRST_DAY + 70))
    weeks = litres.reshape(10, 7)
    assert weeks[:, 5:].mean() < weeks[:, :5].mean() / 3


def test_holidays_are_days_without_a_draw():
    """Some homes are away for days on end and draw nothing; businesses never are."""
    away = 0
    for device in range(20):
        litres = litres_of_days("family", range(FIRST_DAY, FIRST_DAY + 112), device)
        resident = Resident(5, device, "family", 1.0)
        gone = [draws.is_away(resident, FIRST_DAY + i) for i in range(112)]
        assert (litres[gone] == 0.0).all()
        away += sum(gone)
    assert 50 < away < 300
    office = Resident(5, 1, "small_commercial", 1.0)
    assert not any(draws.is_away(office, FIRST_DAY + i) for i in range(112))


def test_mornings_and_evenings_are_busy():
    """A family draws more from 6 to 9 and 18 to 22 than at night by far."""
    resident = Resident(5, 2, "family", 1.0)
    rows = np.concatenate([draws.day_draws(resident, FIRST_DAY + i) for i in range(60)])
    hours = np.bincount((rows[:, 0] // 3600).astype(int), minlength=24)
    assert hours[[6, 7, 8, 18, 19, 20, 21]].mean() > 5 * hours[:5].mean()


@pytest.mark.parametrize("kind", sorted(HOUSEHOLDS))
def test_every_household_has_whole_days(kind):
    """Draws begin within their day and flow at 2 to 15 L/min."""
    rows = draws.day_draws(Resident(1, 1, kind, 0.0), FIRST_DAY)
    assert ((rows[:, 0] >= 0) & (rows[:, 0] < DAY_S)).all()
    assert ((rows[:, 2] > 2.0) & (rows[:, 2] < 15.0)).all()


@pytest.mark.parametrize("pattern", habits.PATTERNS)
def test_changes_do_not_depend_on_how_time_is_cut(pattern):
    """Hour by hour finds the changes of the whole, each once, within the limits."""
    habit = Habit(55.0, "eco", 45.0, 60.0, pattern, "off", "performance")
    resident = Resident(9, 4, "family", 1.0)
    start, end = FIRST_DAY * DAY_S, (FIRST_DAY + 56) * DAY_S
    whole = changes_between(habit, resident, start, end)
    pieces = [
        change
        for hour in range(start, end, 3600)
        for change in changes_between(habit, resident, hour, hour + 3600)
    ]
    assert whole == pieces
    assert len(whole) > 0
    targets = [c.target_c for c in whole if c.target_c is not None]
    assert all(45.0 <= target <= 60.0 for target in targets)


def test_water_is_coldest_in_february_and_warmest_in_august():
    """The main follows the season by its swing, half a year apart."""
    year = surroundings.weather(PLACE, 77, 1_767_225_600.0, 86_400.0, 365)
    smooth = np.convolve(year[:, 0], np.ones(15) / 15, "same")[15:-15]
    assert 15 + smooth.argmin() == pytest.approx(35, abs=25)
    assert 15 + smooth.argmax() == pytest.approx(217, abs=25)
    assert np.ptp(smooth) == pytest.approx(10.0, abs=1.0)


def test_noise_has_mean_nought_and_deviation_one():
    """Each sensor's noise is centred, of unit size, and unlike its neighbour's."""
    found = surroundings.noise(123, 0.0, 60.0, 50_000)
    assert np.abs(found.mean(axis=1)).max() < 0.02
    assert np.abs(found.std(axis=1) - 1.0).max() < 0.02
    apart = np.corrcoef(found) - np.eye(surroundings.NOISES)
    assert np.abs(apart).max() < 0.02
