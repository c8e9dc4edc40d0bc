"""Frozen bins: what a reference's grid is, and that values fall into it exactly."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from data.binning import Binner
from data.grids import Grid, category_grid, numeric_grid


def psi(p: np.ndarray, q: np.ndarray, floor: float = 1e-4) -> float:
    """The closed form with a symmetric floor, as a second opinion."""
    p, q = (np.maximum(c / c.sum(), floor) for c in (p, q))
    return float(((q - p) * np.log(q / p)).sum())


@pytest.fixture(scope="module")
def samples():
    """The three samples of the reference table, drawn in its order."""
    rng = np.random.default_rng(0)
    return tuple(rng.normal(mean, 1, 10_000) for mean in (0, 0.5, 0))


def deciles(grid, values):
    """Counts of the ten coarse bins."""
    bins = Binner(grid)(pa.array(values))
    return np.bincount(grid.coarse_of[bins], minlength=13)[:10].astype(float)


def test_deciles_of_the_grid_give_the_reference_numbers(samples):
    """PSI on the grid's deciles is 0.239069 shifted and 0.003583 unshifted."""
    reference, shifted, same = samples
    grid = numeric_grid(reference)
    own = deciles(grid, reference)

    assert psi(own, deciles(grid, shifted)) == pytest.approx(0.239069, abs=1e-6)
    assert psi(own, deciles(grid, same)) == pytest.approx(0.003583, abs=1e-6)


def test_one_outlier_hardly_changes_a_score(samples):
    """A production value of a million moves PSI by less than one per cent."""
    reference, shifted, _ = samples
    grid = numeric_grid(reference)
    own = deciles(grid, reference)
    before = psi(own, deciles(grid, shifted))
    after = psi(own, deciles(grid, np.r_[shifted, 1e6]))

    assert after == pytest.approx(0.239191, abs=1e-6)
    assert abs(after / before - 1) < 0.01


def test_an_outlier_in_the_reference_hardly_changes_a_score(samples):
    """A reference value of a million moves PSI by less than one per cent."""
    reference, shifted, _ = samples
    grid = numeric_grid(reference)
    spoilt = numeric_grid(np.r_[reference, 1e6])
    before = psi(deciles(grid, reference), deciles(grid, shifted))
    after = psi(deciles(spoilt, np.r_[reference, 1e6]), deciles(spoilt, shifted))

    assert abs(after / before - 1) < 0.01


@pytest.mark.parametrize("shape", ["normal", "lognormal", "pareto", "cubed"])
def test_the_table_agrees_with_the_search(shape):
    """Every value lands in the bin a sorted search finds, tails included."""
    rng = np.random.default_rng(3)
    draw = {
        "normal": lambda n: rng.normal(0, 1, n),
        "lognormal": lambda n: rng.lognormal(0, 2, n),
        "pareto": lambda n: rng.pareto(1.2, n),
        "cubed": lambda n: rng.normal(0, 1, n) ** 3,
    }[shape]
    grid = numeric_grid(draw(20_000))
    values = np.r_[draw(200_000), grid.edges, np.nextafter(grid.edges, -np.inf)]
    expected = np.searchsorted(grid.edges, values, side="right")

    assert (Binner(grid)(pa.array(values)) == expected).all()


@settings(max_examples=150, deadline=None)
@given(
    arrays(np.float64, st.integers(2, 60), elements=st.floats(-1e300, 1e300)),
    arrays(np.float64, st.integers(1, 60), elements=st.floats(allow_nan=True)),
)
def test_any_numbers_find_their_bin(reference, values):
    """Whatever the reference was, each value has its bin or its special bin."""
    grid = numeric_grid(reference)
    bins = Binner(grid)(pa.array(values))
    finite = np.isfinite(values)
    expected = np.searchsorted(grid.edges, values[finite], side="right")

    assert (bins[finite] == expected).all()
    assert (bins[np.isnan(values)] == grid.bins).all()
    assert (bins[np.isneginf(values)] == grid.bins + 1).all()
    assert (bins[np.isposinf(values)] == grid.bins + 2).all()


def test_few_distinct_values_have_a_bin_each():
    """An integer column is counted exactly, so its KS distance is exact."""
    rng = np.random.default_rng(1)
    reference, window = rng.poisson(3, 5_000) * 1.0, rng.poisson(3.3, 800) * 1.0
    grid = numeric_grid(reference)
    counts = [
        np.bincount(Binner(grid)(pa.array(v)), minlength=grid.size)
        for v in (reference, window)
    ]
    gap = np.abs(np.subtract(*(np.cumsum(c) / c.sum() for c in counts))).max()
    levels = np.unique(np.r_[reference, window])
    exact = max(abs((reference <= v).mean() - (window <= v).mean()) for v in levels)

    assert gap == pytest.approx(exact, abs=1e-12)


def test_a_spike_has_a_bin_of_its_own():
    """Zeroes that are 40 % of a column do not share their bin with small numbers."""
    rng = np.random.default_rng(2)
    reference = np.where(rng.random(20_000) < 0.4, 0.0, rng.lognormal(0, 1, 20_000))
    grid = numeric_grid(reference)
    zero = Binner(grid)(pa.array([0.0]))[0]
    above = Binner(grid)(pa.array([reference[reference > 0].min()]))[0]

    assert above > zero
    assert grid.positions[zero] == 0.0


def test_an_empty_column_has_a_grid():
    """Nothing is a column too: one regular bin, and the special ones."""
    for values in (np.array([]), np.array([np.nan, np.inf])):
        grid = numeric_grid(values)

        assert grid.bins == 1
        assert Binner(grid)(pa.array([7.0, None, np.inf])).tolist() == [0, 1, 3]


def test_a_constant_column_shows_every_other_value():
    """What lies below or above the one value of a reference has a bin of its own."""
    grid = numeric_grid(np.full(50, 7.0))
    found = Binner(grid)(pa.array([6.9, 7.0, 7.1, None]))

    assert found.tolist() == [0, 1, 2, 3]
    assert np.isfinite(grid.positions).all()
    assert grid.coarse_of.tolist()[:3] == [0, 1, 2]


def test_categories_rare_unseen_and_missing_are_told_apart():
    """A category has its bin; rare, unseen and missing ones have theirs."""
    names = [f"c{i:04}" for i in range(600) for _ in range(600 - i)]
    grid = category_grid(pa.array(names))
    found = Binner(grid)(pa.array(["c0000", "c0599", "new", None]))

    assert grid.bins == 500
    assert found.tolist() == [0, 500, 501, 502]


def test_ten_thousand_categories_are_counted():
    """A column like an identifier keeps 500 bins and still knows what is new."""
    grid = category_grid(pa.array([f"id-{i}" for i in range(10_000)]))
    found = Binner(grid)(pa.array(["id-9999", "id-10000"]))

    assert grid.bins == 500
    assert found.tolist() == [500, 501]


def test_a_grid_survives_storage_and_keeps_its_id():
    """What the database gives back bins as before, under the same id."""
    rng = np.random.default_rng(5)
    values = rng.gamma(2, 1, 3_000)
    grid = Grid(
        {"f0": numeric_grid(values), "f1": category_grid(pa.array(["a", "b", "a"]))},
        {"g0": ("a",)},
    )
    back = Grid.from_json(grid.to_json())

    assert back.id == grid.id
    assert (back.columns["f0"].edges == grid.columns["f0"].edges).all()
    assert Grid({"f0": numeric_grid(values + 1)}).id != grid.id
