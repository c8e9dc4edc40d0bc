"""Scores of other packages, reproduced from raw samples.

The numbers were taken from Evidently 0.7.23 and NannyML 0.13.1 themselves.
"""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from services.stats import compat, measures

TINY = 1e-6
ROUNDED = 0.5e-6  # the numbers are known to six decimals


def samples():
    """Three samples drawn in one go: a reference, a shifted one, one like it."""
    random = np.random.default_rng(0)
    return tuple(random.normal(mean, 1, 10_000) for mean in (0, 0.5, 0))


def cases():
    """Reference and current sample of every row of the table."""
    r, c, n = samples()
    abc = np.repeat(["a", "b", "c"], [5000, 3000, 2000])
    unseen = np.repeat(["a", "b", "c", "new"], [4950, 2970, 1980, 100])
    return {
        "shifted": (r, c),
        "same": (r, n),
        "outlier": (r, np.append(c, 1e6)),
        "reference outlier": (np.append(r, 1e6), c),
        "categories": (abc, np.repeat(["a", "b", "c"], [4000, 3500, 2500])),
        "unseen": (abc, unseen),
        "two unseen": (abc, np.append(unseen[:-50], ["newer"] * 50)),
    }


CASES = cases()
EVIDENTLY = [
    ("shifted", "psi", 0.251389),
    ("shifted", "js", 0.172305),
    ("shifted", "hellinger", 0.174000),
    ("shifted", "wasserstein", 0.497696),
    ("shifted", "kl", 0.123207),
    ("same", "psi", 0.003756),
    ("same", "js", 0.018067),
    ("same", "hellinger", 0.018552),
    ("same", "wasserstein", 0.012621),
    ("same", "ks", 0.757625),
    ("outlier", "psi", 0.019342),
    ("outlier", "js", 0.005887),
    ("outlier", "hellinger", 0.007071),
    ("categories", "psi", 0.041179),
    ("categories", "js", 0.071678),
    ("categories", "hellinger", 0.071712),
    ("categories", "chi2", 0.0),
    ("unseen", "psi", 0.045692),
    ("unseen", "js", 0.058977),
    ("unseen", "hellinger", 0.070799),
    ("unseen", "chi2", 0.0),
]
NANNYML = [
    ("shifted", "js", 0.207680),
    ("shifted", "hellinger", 0.174812),
    ("shifted", "wasserstein", 0.496738),
    ("shifted", "ks", 0.193900),
    ("same", "js", 0.026312),
    ("same", "hellinger", 0.023283),
    ("same", "wasserstein", 0.012617),
    ("same", "ks", 0.0094),
    ("outlier", "js", 0.207795),
    ("outlier", "hellinger", 0.174950),
    ("reference outlier", "js", 0.007071),
    ("reference outlier", "hellinger", 0.007071),
    ("categories", "js", 0.086094),
    ("categories", "hellinger", 0.071712),
    ("categories", "l_infinity", 0.1),
    ("categories", "chi2", 205.128205),
    ("unseen", "js", 0.070839),
    ("unseen", "hellinger", 0.070799),
    ("two unseen", "js", 0.070839),
    ("two unseen", "hellinger", 0.070799),
]


def test_docstrings_tell_the_truth():
    """Every example in the module's docstrings gives what it says."""
    found = doctest.testmod(compat)

    assert found.attempted >= 4
    assert found.failed == 0


@pytest.mark.parametrize(("case", "measure", "expected"), EVIDENTLY)
def test_evidently_is_reproduced(case, measure, expected):
    """Evidently's number comes out to 1e-6."""
    found = compat.evidently(*CASES[case], measure)

    assert found == pytest.approx(expected, abs=TINY)


@pytest.mark.parametrize(("case", "measure", "expected"), NANNYML)
def test_nannyml_is_reproduced(case, measure, expected):
    """NannyML's number comes out to 1e-6."""
    found = compat.nannyml(*CASES[case], measure)

    assert found == pytest.approx(expected, abs=TINY)


def test_far_outliers_are_reproduced_to_the_decimals_known():
    """Numbers known to two or four decimals come out to those."""
    outlier, in_reference = CASES["outlier"], CASES["reference outlier"]

    assert round(compat.evidently(*outlier, "wasserstein"), 2) == 100.68
    assert round(compat.nannyml(*outlier, "wasserstein"), 2) == 100.49
    assert round(compat.nannyml(*in_reference, "ks"), 4) == 0.0001


def deciles(reference, current):
    """Counts of both in the reference's deciles with open tails."""
    edges = np.quantile(reference, np.arange(1, 10) / 10)
    return tuple(
        np.bincount(np.searchsorted(edges, x, side="right"), minlength=10)
        for x in (reference, current)
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [("shifted", 0.239069), ("same", 0.003583), ("outlier", 0.239191)],
)
def test_our_psi_on_deciles(case, expected):
    """PSI on the reference's deciles, which an outlier does not move."""
    found = measures.psi(*deciles(*CASES[case]))

    assert found == pytest.approx(expected, abs=ROUNDED)


def test_our_js_on_sturges_bins_is_evidentlys_in_another_base():
    """On Evidently's bins base 2 gives 0.206959, natural 0.172305, squared 0.042832."""
    r, c = CASES["shifted"]
    edges = np.histogram_bin_edges(np.concatenate([r, c]), bins="sturges")
    counts = np.histogram(r, edges)[0], np.histogram(c, edges)[0]

    base_2 = measures.js_distance(*counts)

    assert base_2 == pytest.approx(0.206959, abs=ROUNDED)
    assert base_2 * np.sqrt(np.log(2)) == pytest.approx(0.172305, abs=ROUNDED)
    assert measures.js_divergence(*counts) == pytest.approx(0.042832, abs=ROUNDED)


@pytest.mark.parametrize("score", [compat.evidently, compat.nannyml])
def test_missing_and_infinite_values_are_dropped(score):
    """Rows without a finite value change no score, as in both packages."""
    r, c, _ = samples()
    abc = np.array(["a", "b", "a", None, "c"], dtype=object)

    holes = np.concatenate([c, [np.nan] * 500, [np.inf, -np.inf]])

    assert score(r, holes, "js") == score(r, c, "js")
    assert score(abc, abc[:3], "js") == score(abc[[0, 1, 2, 4]], abc[:3], "js")


def test_small_references_are_compared_exactly_by_nannyml():
    """Below 10,000 reference rows KS is SciPy's exact distance."""
    r, c, _ = samples()
    below = np.sort(np.concatenate([r[:900], c]))
    gap = np.abs(
        np.searchsorted(np.sort(r[:900]), below, side="right") / 900
        - np.searchsorted(np.sort(c), below, side="right") / c.size
    ).max()

    assert compat.nannyml(r[:900], c, "ks") == pytest.approx(gap, abs=1e-12)
    assert 0.4 < compat.nannyml(r[:900], c, "wasserstein") < 0.6


def test_few_distinct_numbers_are_categories_to_evidently():
    """A numeric column with at most 20 values is compared value by value."""
    numbers = np.repeat([0, 1, 50], [5000, 3000, 2000])
    moved = np.repeat([0, 1, 50], [4000, 3500, 2500])

    assert compat.evidently(numbers, moved, "psi") == pytest.approx(0.041179, abs=TINY)


@pytest.mark.parametrize("score", [compat.evidently, compat.nannyml])
def test_measures_that_do_not_fit_are_refused(score):
    """The message names what is known for that kind of values."""
    with pytest.raises(ValueError, match=r"wasserstein is none of .*categorical"):
        score(["a"], ["b"], "wasserstein")
    with pytest.raises(ValueError, match=r"mood is none of .*numeric"):
        score([1.0], [2.0], "mood")
