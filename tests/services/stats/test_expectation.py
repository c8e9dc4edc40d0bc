"""What measures show when nothing drifts."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from services.stats import expectation as e
from services.stats import measures

DRAWS = 800
SHAPES = {
    "250 even bins": np.full(250, 1 / 250),
    "deciles": np.full(10, 0.1),
    "categories": np.array([0.55, 0.3, 0.1, 0.05, 0.0]),
}
ALL = [
    "psi",
    "js_divergence",
    "js_distance",
    "hellinger",
    "tvd",
    "l_infinity",
    "ks",
    "wasserstein",
    "wasserstein_in_sd",
    "chi_square",
]


def score(name, r, c, places):
    """The measure of that name on one pair of samples."""
    if name.startswith("wasserstein"):
        return getattr(measures, name)(r, c, places)
    found = getattr(measures, name)(r, c)
    return found.statistic if name == "chi_square" else found


def test_docstrings_tell_the_truth():
    """Every example in the module's docstrings gives what it says."""
    found = doctest.testmod(e)

    assert found.attempted >= 1
    assert found.failed == 0


@pytest.mark.parametrize("m", [60, 700])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ALL)
def test_the_mean_of_no_drift_is_known(name, shape, m):
    """Samples of the same distribution score what was expected, to a few per cent."""
    p = SHAPES[shape]
    places = np.linspace(-2, 3, p.size)
    random = np.random.default_rng(m)
    references = random.multinomial(7_000, p, size=DRAWS)
    windows = random.multinomial(m, p, size=DRAWS)
    pairs = zip(references, windows, strict=True)
    truth = np.array([score(name, r, c, places) for r, c in pairs])

    found = e.null_expectation(name, p * 1e6, 7_000, m, places)

    chance = 4 * truth.std() / np.sqrt(DRAWS)
    assert found == pytest.approx(truth.mean(), abs=0.06 * truth.mean() + chance)


@pytest.mark.parametrize("name", ALL)
def test_expectations_have_the_windows_shape_and_shrink_with_rows(name):
    """One number per window; more rows expect less, none expect nothing."""
    rows = np.array([[50, 100, 200, 0], [400, 3_000, 50_000, 700]])

    found = e.null_expectation(name, [40] * 250, 10_000, rows, np.arange(250))

    assert found.shape == rows.shape
    assert np.isnan(found).tolist() == (rows == 0).tolist()
    if name != "chi_square":
        assert (np.diff(np.sort(found[rows > 0])) > 0).all()
        order = np.argsort(rows[rows > 0])
        assert (np.diff(found[rows > 0][order]) < 0).all()


def test_the_answer_is_the_same_every_time():
    """The simulation is seeded: forgetting it changes nothing."""
    first = e.null_expectation("js_distance", [3, 1, 9], 13, [20, 30])
    e._simulated.cache_clear()

    assert (e.null_expectation("js_distance", [3, 1, 9], 13, [20, 30]) == first).all()


def test_a_constant_is_expected_to_stay():
    """With one bin nothing can differ by chance."""
    for name in ALL[:7]:
        found = e.null_expectation(name, [0, 50, 0], 50, [20])

        assert found.tolist() == [0.0], name


def test_no_reference_expects_nothing():
    """Without reference rows there is no expectation."""
    assert np.isnan(e.null_expectation("psi", [0, 0], 0, [5, 6])).all()


@pytest.mark.parametrize("name", ["mood", "wasserstein"])
def test_what_is_not_known_is_refused(name):
    """An unknown measure, or Wasserstein without positions, is an error."""
    with pytest.raises(ValueError, match=name):
        e.null_expectation(name, [1, 2], 3, [4])
