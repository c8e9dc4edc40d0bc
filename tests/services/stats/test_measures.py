"""Distances between binned distributions."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from benchmarks.result import median_ms
from services.stats import measures as m

UNORDERED = {
    "psi": m.psi,
    "js_divergence": m.js_divergence,
    "js_distance": m.js_distance,
    "hellinger": m.hellinger,
    "l_infinity": m.l_infinity,
    "tvd": m.tvd,
}
ALL = UNORDERED | {
    "ks": m.ks,
    "wasserstein": lambda r, c: m.wasserstein(r, c, np.arange(np.shape(r)[-1])),
    "wasserstein_in_sd": lambda r, c: m.wasserstein_in_sd(
        r, c, np.arange(np.shape(r)[-1])
    ),
    "chi_square": lambda r, c: m.chi_square(r, c).statistic,
}
BOUNDED = (*list(UNORDERED)[1:], "ks")
SAMPLES = 10_000


@st.composite
def two_counts(draw):
    """Two count vectors on the same bins, each with at least one row."""
    bins = draw(st.integers(2, 30))
    cell = st.integers(0, 2_000)
    r, c = (np.array(draw(st.lists(cell, min_size=bins, max_size=bins))) for _ in "rc")
    assume(r.sum() > 0 and c.sum() > 0)
    return r, c


def normal_counts(shift=0.0, bins=250):
    """Counts of a normal reference and of a shifted window, and the values."""
    random = np.random.default_rng(0)
    r, c = random.normal(size=SAMPLES), random.normal(shift, size=SAMPLES)
    edges = np.quantile(r, np.arange(1, bins) / bins)
    return tuple(
        np.bincount(np.searchsorted(edges, x, side="right"), minlength=bins)
        for x in (r, c)
    )


def test_docstrings_tell_the_truth():
    """Every example in the module's docstrings gives what it says."""
    found = doctest.testmod(m)

    assert found.attempted > 10
    assert found.failed == 0


@given(two_counts())
@settings(deadline=None, max_examples=100)
def test_js_is_scipys(counts):
    """The distance in base 2 equals SciPy's to 1e-9, near zero included."""
    r, c = counts

    expected = jensenshannon(r, c, 2)
    # SciPy takes the root of a rounding error where both are the same.
    expected = 0.0 if np.isnan(expected) else expected

    assert m.js_distance(r, c) ** 2 == pytest.approx(expected**2, abs=1e-12)
    if expected > 1e-6:
        assert m.js_distance(r, c) == pytest.approx(expected, abs=1e-9)


@given(two_counts())
@settings(deadline=None, max_examples=100)
def test_wasserstein_is_scipys(counts):
    """The area between the distribution functions equals SciPy's to 1e-9."""
    r, c = counts
    places = np.cumsum(np.linspace(0.1, 3, r.size)) - 5

    expected = stats.wasserstein_distance(places, places, r, c)

    assert m.wasserstein(r, c, places) == pytest.approx(expected, abs=1e-9)


@given(two_counts())
@settings(deadline=None, max_examples=100)
def test_chi_square_is_scipys(counts):
    """Statistic and degrees of freedom equal SciPy's, empty columns dropped."""
    r, c = counts
    table = np.stack([r, c])[:, r + c > 0]

    expected = stats.chi2_contingency(table, correction=False)
    found = m.chi_square(r, c)

    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert found.dof == expected.dof


@given(two_counts())
@settings(deadline=None, max_examples=50)
def test_ks_is_scipys_on_bin_midpoints(counts):
    """The distance equals SciPy's on rows put at the middle of their bins."""
    r, c = counts
    places = np.arange(r.size) + 0.5

    expected = stats.ks_2samp(
        np.repeat(places, r), np.repeat(places, c), method="asymp"
    )

    assert m.ks(r, c) == pytest.approx(expected.statistic, abs=1e-9)


@given(two_counts())
@settings(deadline=None, max_examples=100)
def test_simple_sums_are_what_they_say(counts):
    """Hellinger, total variation and L-infinity equal their definitions."""
    r, c = counts
    p, q = r / r.sum(), c / c.sum()

    assert m.hellinger(r, c) ** 2 == pytest.approx(1 - np.sqrt(p * q).sum(), abs=1e-9)
    assert m.tvd(r, c) == pytest.approx(np.abs(p - q).sum() / 2, abs=1e-9)
    assert m.l_infinity(r, c) == pytest.approx(np.abs(p - q).max(), abs=1e-9)


@given(two_counts())
@settings(deadline=None, max_examples=100)
def test_measures_are_bounded_symmetric_and_zero_for_equal(counts):
    """0 to 1 where promised, the same both ways round, 0 against themselves."""
    r, c = counts
    for name in (*UNORDERED, "ks", "wasserstein"):
        score = ALL[name]

        assert score(r, c) >= 0, name
        assert score(r, c) == pytest.approx(score(c, r), abs=1e-12), name
        assert score(r, 3 * r) == pytest.approx(0, abs=1e-7), name
    for name in BOUNDED:
        assert ALL[name](r, c) <= 1, name


@pytest.mark.parametrize("name", BOUNDED)
def test_disjoint_distributions_score_one(name):
    """Where no bin is shared every bounded measure but L-infinity is 1."""
    assert float(ALL[name]([4, 0], [0, 9])) == pytest.approx(1)


@given(two_counts(), st.data())
@settings(deadline=None, max_examples=100)
def test_merging_bins_never_raises_a_score(counts, data):
    """Coarser bins keep the rows and can only hide differences."""
    r, c = counts
    cuts = data.draw(st.sets(st.integers(1, r.size - 1)))
    groups = [0, *sorted(cuts)]
    rr, cc = m.merge_bins(r, groups), m.merge_bins(c, groups)

    assert rr.sum() == r.sum()
    assert rr.dtype == r.dtype
    for name in ("js_divergence", "hellinger", "tvd", "ks", "chi_square"):
        assert ALL[name](rr, cc) <= ALL[name](r, c) + 1e-9, name


@pytest.mark.parametrize("groups", [[], [1, 2], [0, 2, 2], [0, 4]])
def test_groups_that_lose_bins_are_refused(groups):
    """Groups must start at the first bin, increase and stay within."""
    with pytest.raises(ValueError, match="groups"):
        m.merge_bins([1, 2, 3, 4], groups)


def test_deciles_of_250_quantile_bins_are_25_bins_each():
    """The coarse groups of a smooth reference are its deciles."""
    reference, _ = normal_counts()

    assert m.coarse_groups(reference).tolist() == list(range(0, 250, 25))


def test_a_heavy_value_keeps_a_group_of_its_own():
    """A bin with most of the rows is not merged with its neighbours."""
    groups = m.coarse_groups([1] * 20 + [800] + [9] * 20)

    assert 20 in groups
    assert 21 in groups


def test_psi_of_normals_is_the_squared_shift():
    """Fine bins come close to the closed form (shift / sd)^2."""
    reference, current = normal_counts(shift=0.5)
    groups = m.coarse_groups(reference, 50)

    found = m.psi(m.merge_bins(reference, groups), m.merge_bins(current, groups))

    assert found == pytest.approx(0.25, abs=0.02)


def test_psi_floors_both_sides_alike():
    """An empty bin costs the same on either side, and the floor can be set."""
    one, other = [500, 500, 0], [400, 400, 200]
    expected = 0.2 * np.log(5 / 4) + (0.2 - 1e-3) * np.log(0.2 / 1e-3)

    assert m.psi(one, other) == pytest.approx(float(m.psi(other, one)))
    assert m.psi(one, other, floor=1e-3) == pytest.approx(expected)


@pytest.mark.parametrize("name", ALL)
def test_an_empty_side_has_no_score(name):
    """Without rows on either side the score is NaN, and others are untouched."""
    windows = np.array([[1, 2, 3], [0, 0, 0], [3, 2, 1]])

    found = ALL[name](np.array([1, 1, 1]), windows)

    assert np.isnan(found).tolist() == [False, True, False]
    assert np.isnan(ALL[name](np.zeros(3), windows)).all()


@pytest.mark.parametrize("name", ALL)
def test_windows_are_scored_one_by_one(name):
    """A block of windows gives the scores of its windows, in its shape."""
    random = np.random.default_rng(1)
    reference = random.integers(1, 50, 20)
    windows = random.integers(0, 9, (3, 4, 20))

    found = ALL[name](reference, windows)

    assert found.shape == (3, 4)
    assert found.dtype == np.float64
    assert found[2, 1] == pytest.approx(float(ALL[name](reference, windows[2, 1])))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("name", ALL)
def test_one_outlier_changes_nothing(name, side):
    """One extreme value, in the window or the reference, moves a score < 1 %."""
    counts = normal_counts(shift=0.5)
    before = float(ALL[name](*counts))
    counts[side][-1] += 1

    assert before > 0
    assert float(ALL[name](*counts)) == pytest.approx(before, rel=0.01)


def test_wasserstein_in_sd_has_no_unit():
    """Stretching the axis changes the distance and not the normalised one."""
    reference, current = normal_counts(shift=0.5, bins=50)
    places = np.linspace(-2, 2, 50)

    plain = m.wasserstein(reference, current, places)

    assert m.wasserstein(reference, current, 9 * places) == pytest.approx(9 * plain)
    assert m.wasserstein_in_sd(reference, current, 9 * places + 1) == pytest.approx(
        float(m.wasserstein_in_sd(reference, current, places))
    )
    assert np.isnan(m.wasserstein_in_sd([5, 0], [1, 4], [0, 1]))


@pytest.mark.parametrize("places", [[0, np.inf, 2], [0, np.nan, 2], [0, 2, 1]])
def test_bad_positions_are_refused(places):
    """Positions are finite and do not decrease."""
    with pytest.raises(ValueError, match="positions"):
        m.wasserstein([1, 1, 1], [1, 2, 1], places)


@pytest.mark.parametrize("name", ALL)
def test_a_year_of_weeks_is_scored_in_no_time(name):
    """52 windows of 250 bins take less than a few milliseconds."""
    random = np.random.default_rng(2)
    reference, windows = random.poisson(28, 250), random.poisson(3, (52, 250))

    assert median_ms(lambda: ALL[name](reference, windows)) < 5
