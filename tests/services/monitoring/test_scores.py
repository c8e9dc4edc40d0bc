"""Scores, tests and states of features from counts alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from data.counts import Counts
from data.grids import CategoryGrid, ColumnGrid, Grid, NumericGrid, numeric_grid
from services.drift_views import MEASURES
from services.monitoring.references import edges_before, rolling, season_edges
from services.monitoring.scores import Scores, least_rows, scored
from services.stats.measures import merge_bins, psi

FEATURES, WEEKS, WEEK_ROWS, REFERENCE_ROWS = 25, 52, 700, 7_000


def binned(grid: NumericGrid, values: np.ndarray) -> np.ndarray:
    """Counts of all bins, NaN as missing."""
    place = np.searchsorted(grid.edges, values, side="right")
    place[np.isnan(values)] = grid.bins
    return np.bincount(place, minlength=grid.size)


def one(
    reference: np.ndarray, windows: list[np.ndarray], measure: str = "psi"
) -> tuple[Scores, NumericGrid, Counts, Counts]:
    """The scores of one numeric feature."""
    grid = numeric_grid(reference)
    base = Counts(1, {"f0": binned(grid, reference)[np.newaxis]})
    now = Counts(len(windows), {"f0": np.stack([binned(grid, w) for w in windows])})
    return scored(Grid({"f0": grid}), base, now, ["f0"], measure), grid, base, now


def year(seed: int, shift: float, shifted: int = 5) -> Scores:
    """A year of weeks in which the first features lie ``shift`` sd off."""
    random = np.random.default_rng(seed)
    columns: dict[str, ColumnGrid] = {}
    base, now = {}, {}
    for place in range(FEATURES):
        values = random.normal(size=REFERENCE_ROWS)
        name, grid = f"f{place}", numeric_grid(values)
        moved = shift if place < shifted else 0.0
        weeks = random.normal(size=(WEEKS, WEEK_ROWS)) + moved
        columns[name] = grid
        base[name] = binned(grid, values)[np.newaxis]
        now[name] = np.stack([binned(grid, week) for week in weeks])
    names = list(columns)
    return scored(Grid(columns), Counts(1, base), Counts(WEEKS, now), names)


def categories(reference: list[int], window: list[int], measure: str = "psi") -> Scores:
    """The scores of a categorical feature; last bins: other, unseen, missing."""
    grid = Grid({"f0": CategoryGrid(("a", "b", "c"))})
    base = Counts(1, {"f0": np.array([reference])})
    return scored(grid, base, Counts(1, {"f0": np.array([window])}), ["f0"], measure)


def test_a_year_without_drift_raises_few_false_alarms() -> None:
    """At most 10 of 1,300 feature-weeks without drift are called drifted."""
    false = [year(seed, 0.0).moved().sum() for seed in range(4)]

    assert np.mean(false) <= 10


def test_a_shift_of_a_fifth_of_a_deviation_is_found() -> None:
    """A 0.2 sd shift is found in 245 of 260 weeks with at most 20 false, on average."""
    found = [year(seed, 0.2).moved() for seed in range(6)]

    assert np.mean([f[:5].sum() for f in found]) >= 245
    assert np.mean([f[5:].sum() for f in found]) <= 20


def test_psi_is_that_of_the_reference_deciles() -> None:
    """The PSI of a cell is the measure on the merged fine bins."""
    random = np.random.default_rng(2)
    found, grid, base, now = one(random.normal(size=5_000), [random.normal(size=500)])
    r = merge_bins(base.columns["f0"][0, : grid.bins], grid.coarse)
    c = merge_bins(now.columns["f0"][0, : grid.bins], grid.coarse)

    assert len(r) == 10
    assert found.value[0, 0] == pytest.approx(float(psi(r, c)), abs=1e-12)
    assert found.expected[0, 0] == pytest.approx(9 * (1 / 5_000 + 1 / 500), rel=1e-9)


@pytest.mark.parametrize("measure", [m for m in MEASURES if m != "chi_square"])
def test_one_outlier_changes_no_score(measure: str) -> None:
    """A single value of a million moves each measure by less than 1 %."""
    random = np.random.default_rng(3)
    reference, window = random.normal(size=10_000), random.normal(0.5, 1, size=10_000)
    spoilt = window.copy()
    spoilt[0] = 1e6
    found = one(reference, [window, spoilt], measure)[0].value[0]

    assert found[1] == pytest.approx(found[0], rel=0.01)


def test_missing_values_are_a_state_of_their_own() -> None:
    """40 % missing is "missing" and not "drift": the values themselves held."""
    random = np.random.default_rng(4)
    window = random.normal(size=1_000)
    window[:400] = np.nan
    found = one(random.normal(size=5_000), [window])[0]

    assert found.state[0, 0] == "missing"
    assert found.missing_rise[0, 0] == pytest.approx(0.4)
    assert found.p[0, 0] > 0.05


def test_a_rise_of_missing_values_by_chance_is_fine() -> None:
    """One point more missing values than the reference is no state."""
    random = np.random.default_rng(5)
    reference, window = random.normal(size=5_000), random.normal(size=1_000)
    reference[:100], window[:30] = np.nan, np.nan

    assert one(reference, [window])[0].state[0, 0] == "fine"


def test_unseen_categories_are_a_state_of_their_own() -> None:
    """5 % of categories the reference never had are "unseen"."""
    found = categories([3_000, 1_500, 500, 0, 0, 0], [570, 285, 95, 0, 50, 0])

    assert found.state[0, 0] == "unseen"
    assert found.unseen[0, 0] == pytest.approx(0.05)


def test_categories_have_no_distance_that_needs_an_order() -> None:
    """KS and Wasserstein of categories cannot be told; the test is still made."""
    for measure in ("ks", "wasserstein"):
        found = categories(
            [3_000, 1_500, 500, 0, 0, 0], [300, 400, 300, 0, 0, 0], measure
        )
        assert np.isnan(found.value[0, 0])
        assert found.state[0, 0] == "drift"


def test_too_few_rows_are_grey_and_never_fine() -> None:
    """A window that could not find half a standard deviation is "few"."""
    random = np.random.default_rng(6)
    reference = random.normal(size=5_000)
    enough = least_rows(5_000, 1)
    sizes = (0, 1, 29, enough - 1, enough)
    found = one(reference, [random.normal(size=n) for n in sizes])[0]

    assert found.state[0].tolist() == ["none", "few", "few", "few", "fine"]


def test_a_constant_reference_is_scored_without_a_crash() -> None:
    """A column of one value and one without any value give a state, no error."""
    constant = one(np.full(500, 3.0), [np.full(100, 3.0)])[0]
    empty = one(np.full(500, np.nan), [np.full(100, np.nan)])[0]

    assert constant.state[0, 0] == "fine"
    assert np.isnan(constant.shift[0, 0])
    assert empty.state[0, 0] == "few"


def test_the_shift_has_a_sign_and_a_unit() -> None:
    """The shift is the difference of the means in reference standard deviations."""
    random = np.random.default_rng(7)
    reference = random.normal(10, 4, size=20_000)
    down = random.normal(8, 4, size=20_000)

    assert one(reference, [down])[0].shift[0, 0] == pytest.approx(-0.5, abs=0.03)


def test_a_reference_for_each_window_gives_the_same_as_a_pinned_one() -> None:
    """The same counts as one reference or one for each window: the same numbers."""
    random = np.random.default_rng(8)
    windows = [random.normal(size=600) for _ in range(3)]
    for measure in MEASURES:
        pinned, grid, base, now = one(random.normal(size=3_000), windows, measure)
        each = Counts(3, {"f0": np.repeat(base.columns["f0"], 3, axis=0)})
        found = scored(Grid({"f0": grid}), each, now, ["f0"], measure)
        np.testing.assert_allclose(found.value, pinned.value, rtol=1e-12)
        np.testing.assert_allclose(found.window_p, pinned.window_p, rtol=1e-12)
        np.testing.assert_allclose(found.expected, pinned.expected, rtol=0.1)


def test_the_rolling_reference_is_the_sum_of_the_four_windows_before() -> None:
    """Each window's rolling reference adds up the four windows before it."""
    counts = np.arange(14, dtype=np.int64).reshape(7, 2)
    found = rolling(Counts(4, {"f0": counts[:4]}), Counts(3, {"f0": counts[4:]}))

    for place in range(3):
        expected = counts[place : place + 4].sum(axis=0).tolist()
        assert found.columns["f0"][place].tolist() == expected


def test_season_windows_keep_their_weekday() -> None:
    """The same season lies 50 to 54 weeks before; a month, the month a year before."""
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    edges = (monday, monday + timedelta(days=7))
    found = season_edges("week", edges)
    weeks = [(monday - e[0]) / timedelta(weeks=1) for e in found]

    assert weeks == [54, 53, 52, 51, 50]
    assert all(e[0].weekday() == 0 for e in found)
    march = datetime(2026, 3, 1, tzinfo=UTC)
    assert season_edges("month", (march,)) == ((datetime(2025, 3, 1, tzinfo=UTC),),)
    assert edges_before("month", march, 2)[0] == datetime(2026, 1, 1, tzinfo=UTC)
