"""Evidence gathered over several windows."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from scipy import stats

from benchmarks import false_alarms
from services.stats import lasting as la

REFERENCE, WEEK, BINS = 7_000, 700, 250


def year(random, shifts, rows=WEEK):
    """Counts of a normal reference and of windows with these shifts."""
    r = random.normal(size=REFERENCE)
    edges = np.quantile(r, np.arange(1, BINS) / BINS)
    values = [r, *(random.normal(shift, size=rows) for shift in shifts)]
    counts = [
        np.bincount(np.searchsorted(edges, x, side="right"), minlength=BINS)
        for x in values
    ]
    return counts[0], np.array(counts[1:])


def test_docstrings_tell_the_truth():
    """Every example in the module's docstrings gives what it says."""
    found = doctest.testmod(la)

    assert found.attempted >= 5
    assert found.failed == 0


def test_the_size_is_the_shift_in_standard_deviations():
    """A shift of normal values is read off in their standard deviations, signed."""
    reference, windows = year(np.random.default_rng(0), [0.3, -0.3], rows=50_000)

    found = la.lasting_shift(reference, windows, memory=1)

    assert found.size == pytest.approx([0.3, -0.3], abs=0.03)
    assert (found.p < 1e-50).all()


def test_one_window_alone_is_the_z_test_of_normal_values():
    """On normal data p is close to that of the test that knows the distribution."""
    random = np.random.default_rng(1)
    r, c = random.normal(size=REFERENCE), random.normal(0.1, size=WEEK)
    edges = np.quantile(r, np.arange(1, BINS) / BINS)
    counts = [
        np.bincount(np.searchsorted(edges, x, side="right"), minlength=BINS)
        for x in (r, c)
    ]

    found = la.lasting_p(counts[0], counts[1][np.newaxis])

    z = (c.mean() - r.mean()) / np.sqrt(1 / REFERENCE + 1 / WEEK)
    assert stats.norm.isf(found[0] / 2) == pytest.approx(abs(z), abs=0.15)


@pytest.mark.parametrize("values", ["normal", "five values"])
def test_without_drift_the_level_is_kept(values):
    """p is below 0.05 in about 5 % of windows, with ties as without."""
    random = np.random.default_rng(2)
    p = {"normal": np.full(250, 1 / 250), "five values": np.array([5, 3, 1, 0.6, 0.4])}
    share = p[values] / p[values].sum()
    found = []
    for _ in range(1_500):
        reference = random.multinomial(REFERENCE, share)
        windows = random.multinomial(WEEK, share, size=4)
        found.append(la.lasting_p(reference, windows)[[0, 3]])

    called = (np.array(found) < 0.05).mean(axis=0)

    assert (called > 0.03).all()
    assert (called < 0.062).all()


def test_evidence_grows_while_a_shift_lasts():
    """A shift too small for one window is certain after four."""
    random = np.random.default_rng(3)
    p = np.array([la.lasting_p(*year(random, [0.1] * 4)) for _ in range(100)])

    middle = np.median(p, axis=0)

    assert (np.diff(middle) < 0).all()
    assert middle[0] > 0.004
    assert middle[3] < 1e-4


def test_memory_ends():
    """Windows older than the memory count no more."""
    random = np.random.default_rng(4)
    reference, windows = year(random, [1.0, 0, 0, 0, 0, 0])

    alone = la.lasting_shift(reference, windows[1:])
    found = la.lasting_shift(reference, windows)

    assert found.size[4:] == pytest.approx(alone.size[3:], abs=1e-12)
    assert found.size[3] > 0.2


def test_a_shift_that_turned_round_falls_silent():
    """A window that leans the other way is no evidence for the old shift."""
    reference, windows = year(np.random.default_rng(5), [0.5, 0.5, 0.5, -0.2])

    found = la.lasting_p(reference, windows)

    assert found[2] < 1e-20
    assert found[3] == 1


def test_one_odd_window_is_not_lasting():
    """After a single shifted window the next ones are rarely called with it."""
    random = np.random.default_rng(7)
    called = np.zeros(4)
    for _ in range(200):
        called += la.lasting_p(*year(random, [0, 0, 0, 0.5, 0, 0, 0]))[3:] < 0.01

    assert called[1:].sum() / 600 < 0.14


def test_one_odd_window_of_categories_is_not_lasting():
    """The weeks after one week of other categories do not inherit its alarm."""
    plain, odd = [3_000, 2_500, 1_500], [200, 200, 300]
    week = [300, 250, 150]

    found = la.lasting_p(plain, [week, odd, week, week, odd], ordered=False)

    assert (found[:4] == 1).all()
    assert found[4] < 1e-9


def test_empty_windows_are_not_judged():
    """A window without rows is NaN and does not disturb those after it."""
    reference, windows = year(np.random.default_rng(6), [0.2] * 4)
    windows[1] = 0

    for ordered in (True, False):
        found = la.lasting_shift(reference, windows, ordered=ordered)

        assert np.isnan(found.p).tolist() == [False, True, False, False]
        assert np.isnan(found.size).tolist() == [False, True, False, False]
    assert np.isnan(la.lasting_p(np.zeros(BINS), windows)).all()


def test_a_constant_that_stays_is_no_evidence():
    """All rows in one bin on both sides: p is 1; leaving the bin is certain."""
    found = la.lasting_shift([0, 500, 0], [[0, 100, 0], [0, 20, 80]])

    assert found.p[0] == 1
    assert found.p[1] == 1  # one odd window among two
    assert la.lasting_p([0, 500, 0], [[0, 20, 80]])[0] < 1e-50
    assert np.isnan(found.size).all()


def test_bins_empty_in_the_reference_have_finite_scores():
    """Rows below everything the reference holds score low, not infinitely low."""
    scores = la.normal_scores([0, 10, 10, 0])

    assert np.isfinite(scores).all()
    assert (np.diff(scores) > 0).all()
    assert la.lasting_shift([0, 50, 50, 0], [[30, 0, 0, 0]]).size[0] < -1


def test_categories_are_judged_without_an_order():
    """The pooled chi-square finds a small lasting change; its size is Cramer's V."""
    reference = np.array([3_000, 2_500, 1_500])
    windows = np.array([[280, 250, 170]] * 4)
    table = np.stack([reference, windows.sum(axis=0)])

    found = la.lasting_shift(reference, windows, ordered=False)

    assert found.p[0] > 0.05
    assert found.p[3] < 0.01
    assert found.p[3] == pytest.approx(stats.chi2_contingency(table).pvalue)
    assert found.size[3] == pytest.approx(stats.contingency.association(table))


def test_one_p_speaks_for_both_tests():
    """Either test can raise the alarm, at the price of its weight."""
    found = la.drift_p(
        [0.001, 0.9, 0.5, np.nan, 0.001], [0.9, 0.001, 0.9, np.nan, np.nan], weight=0.2
    )

    assert found == pytest.approx([0.005, 0.00125, 1, np.nan, 0.005], nan_ok=True)


def test_nothing_drifts_and_little_is_called():
    """At most 10 false alarms of 1,300 on average, where the peers have 48 to 86."""
    years = [false_alarms.run(seed, shift=0, start_week=0) for seed in range(8)]

    assert {y["unshifted"] for y in years} == {1_300}
    assert np.mean([y["false"] for y in years]) <= 6
    assert max(y["weeks_false"] for y in years) <= 10


@pytest.mark.parametrize(("shift", "least"), [(0.2, 245), (0.3, 260)])
def test_plain_shifts_are_hit_every_week(shift, least):
    """0.2 sd: 245 of 260 feature-weeks; 0.3 sd: all; false ones few on average."""
    years = [false_alarms.run(seed, shift, start_week=0) for seed in range(6)]

    assert min(y["hits"] for y in years) >= least
    assert np.mean([y["false"] for y in years]) <= 20


@pytest.mark.parametrize("start", [0, 26])
def test_a_small_lasting_shift_is_found_within_four_weeks(start):
    """0.1 sd in 5 of 25 features is found in at least 95 % of them (20 years)."""
    years = [false_alarms.run(seed, 0.1, start) for seed in range(20)]

    assert np.mean([y["found"] for y in years]) >= 0.95
