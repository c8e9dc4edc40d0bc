"""p-values, their correction for many features, and persistence."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.stats import significance as s
from services.stats.lasting import drift_p, lasting_p
from services.stats.measures import ks, psi

REFERENCE, WEEK, BINS = 7_000, 700, 250


def quantile_counts(random, rows, shift=0.0):
    """Counts of normal reference and window on the reference's quantile bins."""
    r, c = random.normal(size=REFERENCE), random.normal(shift, size=rows)
    edges = np.quantile(r, np.arange(1, BINS) / BINS)
    return tuple(
        np.bincount(np.searchsorted(edges, x, side="right"), minlength=BINS)
        for x in (r, c)
    )


def test_docstrings_tell_the_truth():
    """Every example in the module's docstrings gives what it says."""
    found = doctest.testmod(s)

    assert found.attempted >= 9
    assert found.failed == 0


@pytest.mark.parametrize(("n", "m"), [(7_000, 700), (10_000, 10_000), (900, 50_000)])
@pytest.mark.parametrize("shift", [0.0, 0.05, 0.1, 0.2])
def test_ks_p_is_scipys(n, m, shift):
    """p equals SciPy's asymptotic two-sample p, down to one in a million and less."""
    random = np.random.default_rng(3)
    expected = stats.ks_2samp(
        random.normal(size=n), random.normal(shift, size=m), method="asymp"
    )

    found = s.ks_p_value(expected.statistic, n, m)

    # The logarithm is what counts for the smallest p.
    assert np.log(found) == pytest.approx(np.log(expected.pvalue), rel=0.01, abs=3e-3)


def test_ks_p_of_small_windows_is_cautious():
    """With 50 rows p is within 3 % of SciPy's, and not below it in the tail."""
    size = 7_000 * 50 / 7_050
    d = np.array([0.13, 0.18, 0.25, 0.35])
    expected = stats.kstwo.sf(d, round(size))

    found = s.ks_p_value(d, 7_000, 50)

    assert found[:2] == pytest.approx(expected[:2], rel=0.03)
    assert (found[2:] >= expected[2:]).all()


def test_ks_on_fine_bins_keeps_its_level():
    """Without drift at most the promised share of windows is called, and not far less.

    250 bins lose little of the exact test.
    """
    random = np.random.default_rng(4)
    counts = [quantile_counts(random, WEEK) for _ in range(2_000)]
    p = np.array([s.ks_p_value(ks(r, c), REFERENCE, WEEK) for r, c in counts])

    assert 0.035 < (p < 0.05).mean() < 0.06
    assert 0.005 < (p < 0.01).mean() < 0.016


def test_chi_square_p_is_scipys():
    """p is the upper tail of the chi-square distribution."""
    values, dof = np.array([0.0, 3.0, 40.0, 400.0]), np.array([1, 2, 10, 249])

    assert s.chi_square_p_value(values, dof) == pytest.approx(
        stats.chi2.sf(values, dof), rel=1e-9
    )


def test_nothing_to_compare_is_no_evidence():
    """A single bin gives 1; a score that does not exist gives NaN."""
    assert s.chi_square_p_value(0.0, 0) == 1
    assert np.isnan(s.chi_square_p_value(np.nan, np.nan))
    assert np.isnan(s.ks_p_value(np.nan, 100, 0))
    assert np.isnan(s.psi_p_value(np.nan, 10, 100, 0))


@pytest.mark.parametrize("m", [500, 1_000, 5_000])
def test_psi_of_deciles_has_its_null_mean_and_level(m):
    """Without drift PSI averages (B - 1)(1/n + 1/m) and its p keeps the level."""
    random = np.random.default_rng(m)
    r = random.multinomial(10_000, [0.1] * 10, size=4_000)
    c = random.multinomial(m, [0.1] * 10, size=4_000)

    scores = psi(r, c)

    assert scores.mean() == pytest.approx(s.psi_null_mean(10, 10_000, m), rel=0.03)
    called = s.psi_p_value(scores, 10, 10_000, m) < 0.05
    assert called.mean() == pytest.approx(0.05, abs=0.015)


def test_the_minimum_detectable_shift_is_found_at_its_power():
    """A shift of that size is found in about 80 % of windows, a half of it rarely."""
    random = np.random.default_rng(5)
    alpha = 0.01
    shift = float(s.minimum_detectable_shift(REFERENCE, WEEK, alpha))
    found = {}
    for size in (shift, shift / 2):
        hits = 0
        for _ in range(400):
            r, c = quantile_counts(random, WEEK, size)
            alone = s.ks_p_value(ks(r, c), REFERENCE, WEEK)
            hits += bool(drift_p(alone, lasting_p(r, c[np.newaxis]))[0] <= alpha)
        found[size] = hits / 400

    assert 0.75 < found[shift] < 0.87
    assert found[shift / 2] < 0.3


def test_more_rows_detect_smaller_shifts():
    """The shift shrinks with rows and with patience, and needs rows to exist."""
    few, many = s.minimum_detectable_shift(7_000, [100, 2_800], 0.01)

    assert few > 2.5 * many
    assert s.minimum_detectable_shift(7_000, 700, 0.01, power=0.95) > (
        s.minimum_detectable_shift(7_000, 700, 0.01)
    )
    assert np.isnan(s.minimum_detectable_shift(7_000, 0, 0.01))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
@settings(deadline=None, max_examples=100)
def test_benjamini_hochberg_is_scipys(p):
    """The adjusted p-values equal SciPy's."""
    assert s.benjamini_hochberg(p) == pytest.approx(
        stats.false_discovery_control(p), abs=1e-12
    )


def test_what_could_not_be_judged_leaves_the_family():
    """NaN stays NaN and makes no other p-value larger."""
    p = np.array([0.04, np.nan, 0.001, np.nan, 0.03])

    found = s.benjamini_hochberg(p)

    assert np.isnan(found).tolist() == [False, True, False, True, False]
    assert found[[0, 2, 4]] == pytest.approx(
        stats.false_discovery_control(p[[0, 2, 4]])
    )
    assert s.discoveries(p, q=0.005).tolist() == [False, False, True, False, False]
    assert np.isnan(s.benjamini_hochberg([np.nan, np.nan])).all()


def test_families_are_adjusted_along_the_axis_named():
    """Features by windows: each window is a family of its own."""
    p = np.random.default_rng(6).random((25, 52)) ** 3

    found = s.benjamini_hochberg(p, axis=0)

    assert found.shape == p.shape
    assert found[:, 7] == pytest.approx(stats.false_discovery_control(p[:, 7]))


@pytest.mark.parametrize(
    "table", [(0, 10, 5, 10), (3, 7_000, 4, 700), (20, 300, 40, 300), (9, 9, 9, 9)]
)
def test_missing_share_is_fishers_test(table):
    """With few rows in a cell p is SciPy's exact one-sided p."""
    r, n, k, m = table
    expected = stats.fisher_exact([[k, m - k], [r, n - r]], alternative="greater")

    assert s.missing_share_p(r, n, k, m) == pytest.approx(expected.pvalue, rel=1e-8)


def test_missing_share_of_large_counts_is_near_fishers():
    """The normal approximation is within a few per cent where it is used."""
    table = (1_400, 14_000, 330, 3_000)
    r, n, k, m = table
    expected = stats.fisher_exact([[k, m - k], [r, n - r]], alternative="greater")

    found = s.missing_share_p(*table)

    assert found != pytest.approx(expected.pvalue, rel=1e-6)
    assert found == pytest.approx(expected.pvalue, rel=0.15)


def test_only_more_missing_values_are_an_alarm():
    """40 % missing is beyond doubt, fewer than before is not, no rows are NaN."""
    missing = np.array([280, 35, 0, 0])
    rows = np.array([700, 700, 700, 0])

    found = s.missing_share_p(350, 7_000, missing, rows)

    assert found[0] < 1e-100
    assert found[1] > 0.4
    assert found[2] == 1
    assert np.isnan(found[3])


def test_persistence_counts_the_last_windows():
    """k of the last n, the window itself included, for every row of flags."""
    flags = np.array([[1, 0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0, 1]], dtype=bool)

    found = s.persistence(flags, k=2, n=3)

    assert found.tolist() == [
        [False, False, True, True, True, False, False],
        [False, False, False, False, False, False, False],
    ]
    assert s.persistence(flags[1], k=1, n=9).tolist() == [False] * 3 + [True] * 4


@pytest.mark.parametrize(("k", "n"), [(0, 3), (4, 3)])
def test_impossible_persistence_is_refused(k, n):
    """k must lie between 1 and n."""
    with pytest.raises(ValueError, match="k must"):
        s.persistence([True], k, n)
