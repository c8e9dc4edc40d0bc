"""Drift of all columns together: the domain classifier, pairs, reconstruction."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import ks_2samp

from data.model_records import Feature, ModelSpec
from services.monitoring.importance import measured_importance
from services.stats.boosting import classifier, regressor
from services.stats.encoding import MOST_CATEGORIES, Encoder
from services.stats.interaction import changed_pairs
from services.stats.multivariate import domain_drift
from services.stats.reconstruction import Reconstruction

DOCUMENTED = (
    "boosting calibration cbpe cells classification density_ratio dle encoding "
    "estimated interaction intervals multivariate reconstruction regression scoring"
)


def rows_of(
    rng: np.random.Generator, count: int, tie: float = 0.7, shift: float = 0.0
) -> pd.DataFrame:
    """Twenty numbers, of which x3 and x7 are correlated by ``tie``; five categories."""
    numbers = rng.normal(size=(count, 20))
    numbers[:, 7] = tie * numbers[:, 3] + np.sqrt(1 - tie**2) * numbers[:, 7]
    numbers[:, 0] += shift
    numbers[:, 1] = np.exp(numbers[:, 1])
    frame = pd.DataFrame(numbers, columns=[f"x{k}" for k in range(20)])
    for k in range(5):
        frame[f"c{k}"] = rng.choice(list("abcdefgh")[: 3 + k], size=count)
    return frame


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    """10,000 rows without drift."""
    return rows_of(np.random.default_rng(1), 10_000)


def test_a_rotated_correlation_is_found_and_its_pair_named(
    reference: pd.DataFrame,
) -> None:
    """No column moved on its own; the classifier fires and names x3 with x7."""
    window = rows_of(np.random.default_rng(2), 3000, tie=-0.7)
    alone = [ks_2samp(reference[c], window[c]).pvalue for c in ("x3", "x7")]

    found = domain_drift(reference, window)

    assert min(alone) > 0.01
    assert found.drifted is True
    assert found.p_value < 1e-6
    assert {name for name, _ in found.importance[:2]} == {"x3", "x7"}
    assert found.pair is not None
    assert (found.pair.first, found.pair.second) == ("x3", "x7")
    assert found.pair.reference_correlation == pytest.approx(0.68, abs=0.04)
    assert found.pair.window_correlation == pytest.approx(-0.68, abs=0.04)


def test_a_shifted_column_is_no_pair(reference: pd.DataFrame) -> None:
    """One column that moved alone is named first, and no pair is blamed."""
    found = domain_drift(reference, rows_of(np.random.default_rng(3), 3000, shift=0.7))

    assert found.drifted is True
    assert found.importance[0][0] == "x0"
    assert found.importance[0][1] > 5 * abs(found.importance[1][1])
    assert found.pair is None


def test_categories_whose_relation_changed_are_a_pair() -> None:
    """Two categories that come to agree are named, although their shares stay."""
    rng = np.random.default_rng(4)
    before = pd.DataFrame({k: rng.choice(list("pqr"), 4000) for k in ("a", "b", "c")})
    after = pd.DataFrame({k: rng.choice(list("pqr"), 2000) for k in ("a", "b", "c")})
    after["c"] = np.where(rng.random(2000) < 0.5, after["a"], after["c"])

    found = domain_drift(before, after)

    assert found.pair is not None
    assert (found.pair.first, found.pair.second) == ("a", "c")
    assert found.pair.window_correlation is None
    assert found.drifted is True


def test_no_drift_rarely_alarms(reference: pd.DataFrame) -> None:
    """Of 40 alike windows at most two alarm, and chance blames no more pairs."""
    rng = np.random.default_rng(5)
    found = [
        domain_drift(reference, rows_of(rng, 300), seed=k, most=1000) for k in range(40)
    ]
    width = [(one.auc - 0.5) / (one.threshold - 0.5) for one in found]

    assert sum(bool(one.drifted) for one in found) <= 2
    assert sum(one.pair is not None for one in found) <= 2
    assert abs(np.mean(width)) < 0.25


def test_the_same_seed_gives_the_same_answer(reference: pd.DataFrame) -> None:
    """Two runs agree in every number."""
    window = rows_of(np.random.default_rng(7), 500)

    assert domain_drift(reference, window) == domain_drift(reference, window)


def test_odd_windows_have_a_reason(reference: pd.DataFrame) -> None:
    """Single rows, constant and empty columns are told, not raised."""
    flat = pd.DataFrame({"a": np.ones(100), "b": [None] * 100})
    found = [
        domain_drift(reference, reference.head(1)),
        domain_drift(reference.head(5), reference),
        domain_drift(flat, flat),
        Reconstruction.fit(reference).score(reference.head(1)),
        Reconstruction.fit(reference.head(5)).score(reference),
        Reconstruction.fit(flat).score(flat),
    ]

    assert all(one.reason for one in found)
    assert [one.drifted for one in found] == [None] * 6


def test_a_column_that_went_missing_is_drift(reference: pd.DataFrame) -> None:
    """A column empty in the window alone is named, and nothing fails on it."""
    window = rows_of(np.random.default_rng(8), 1000)
    lost = window.drop(columns=["x4"])
    window["x4"], window["c1"] = np.nan, None

    for one in (window, lost):
        found = domain_drift(reference, one)
        assert found.drifted is True
        assert found.importance[0][0] in {"x4", "c1"}
    assert Reconstruction.fit(reference).score(window).value is not None


def test_reconstruction_sees_a_broken_correlation(reference: pd.DataFrame) -> None:
    """The error leaves its band, and x3 and x7 contribute most."""
    fitted = Reconstruction.fit(reference)

    found = fitted.score(rows_of(np.random.default_rng(9), 2000, tie=-0.7))

    assert found.drifted is True
    assert found.deviations > 5
    assert {name for name, _ in found.contributions[:2]} == {"x3", "x7"}


def test_reconstruction_without_drift_stays_in_its_band(
    reference: pd.DataFrame,
) -> None:
    """Of 60 alike windows of 100 and 2,000 rows at most one leaves the band."""
    fitted = Reconstruction.fit(reference)
    rng = np.random.default_rng(10)
    found = [fitted.score(rows_of(rng, n)) for n in (100, 2000) for _ in range(30)]

    assert sum(bool(one.drifted) for one in found) <= 1
    assert 0.5 < np.std([one.deviations for one in found]) < 1.6


def test_one_outlier_hides_nothing(reference: pd.DataFrame) -> None:
    """A reference value of 1e9 leaves the reconstruction's verdict as it was."""
    spoilt = reference.copy()
    spoilt.loc[17, "x3"] = 1e9
    window = rows_of(np.random.default_rng(11), 2000, tie=-0.7)

    clean, found = (Reconstruction.fit(r).score(window) for r in (reference, spoilt))

    assert found.drifted is True
    assert found.deviations == pytest.approx(clean.deviations, rel=0.1)


def test_components_keep_two_thirds_of_the_variance(reference: pd.DataFrame) -> None:
    """The kept components explain at least 65 %, one fewer would not."""
    fitted = Reconstruction.fit(reference)
    kept = fitted.axes.shape[1]
    rows = fitted._standardised(reference)[::2]
    values = np.linalg.eigvalsh(np.cov(rows.T))[::-1]
    share = np.cumsum(values) / values.sum()

    assert share[kept - 1] >= 0.65 > share[kept - 2]


def test_codes_are_frozen_from_the_reference() -> None:
    """The most frequent category is 0, a new one is the last, missing is NaN."""
    frame = pd.DataFrame({"a": ["x", "y", "y", None], "n": [1.0, np.inf, 2.0, 3.0]})
    encoder = Encoder.of(frame)

    found = encoder.encode(pd.DataFrame({"a": ["y", "x", "z", None], "n": range(4)}))

    assert encoder.is_categorical == [True, False]
    assert found[:3, 0].tolist() == [0.0, 1.0, 2.0]
    assert np.isnan(found[3, 0])
    assert np.isnan(encoder.encode(frame)[1, 1])
    many = pd.DataFrame({"a": [str(k) for k in range(1000)]})
    assert Encoder.of(many).encode(many).max() == MOST_CATEGORIES


def test_numbers_declared_categorical_keep_their_codes() -> None:
    """Whole numbers stay the same category when a hole turns them into floats."""
    before = pd.DataFrame({"a": [1, 1, 2, 3]})
    encoder = Encoder.of(before, ["a"])

    found = encoder.encode(pd.DataFrame({"a": [1.0, 2.0, np.nan]}))

    assert found[:2, 0].tolist() == [0.0, 1.0]


def test_pairs_of_nothing_are_none() -> None:
    """One column, or a side without rows, has no pair."""
    rows = np.random.default_rng(0).normal(size=(50, 2))

    assert changed_pairs(rows[:, :1], rows[:, :1], ["a"], [False]) == ()
    assert changed_pairs(rows, rows[:0], ["a", "b"], [False, False]) == ()


@pytest.mark.parametrize("name", DOCUMENTED.split())
def test_examples_in_docstrings_run(name: str) -> None:
    """The examples printed in a module are what it computes."""
    module = importlib.import_module(f"services.stats.{name}")

    assert doctest.testmod(module).failed == 0


def test_a_column_without_any_value_does_not_stop_the_trees() -> None:
    """Empty and constant columns teach nothing; without others it is the mean."""
    rng = np.random.default_rng(31)
    rows = rng.normal(size=(400, 3))
    rows[:, 0], rows[:, 2] = np.nan, 5.0
    label = (rows[:, 1] > 0).astype(np.float64)
    for learn in (classifier, regressor):
        scorer = learn(rows, label, [False, False, True], 0)
        assert scorer(rows)[label == 1].min() > 0.8
        alone = learn(rows[:, [0, 2]], label, [False, True], 0)
        assert alone(rows[:7, [0, 2]]) == pytest.approx([label.mean()] * 7)


def test_importance_is_measured_beside_an_empty_feature() -> None:
    """A reference with a feature that is never filled still ranks the others."""
    rng = np.random.default_rng(32)
    x = rng.normal(size=2_000)
    spec = ModelSpec(
        "m", "regression", (Feature("empty", "numeric"), Feature("x", "numeric"))
    )
    empty = pa.nulls(2_000, pa.float64())
    table = pa.table({"f0": empty, "f1": x, "prediction": x**2})
    found = measured_importance(spec, table)

    assert found["f0"] == 0.0
    assert found["f1"] == pytest.approx(1.0)


def test_the_web_process_does_not_load_scikit_learn() -> None:
    """Importing the services of the tabs leaves scikit-learn unloaded."""
    code = (
        "import sys, services.performance, services.drift;"
        "assert 'sklearn' not in sys.modules"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr


def test_a_changed_pair_counts_where_the_classifier_sees_nothing(
    reference: pd.DataFrame,
) -> None:
    """In 400 rows a weaker tie shows in the pair alone: drifted, and named."""
    window = rows_of(np.random.default_rng(33), 400, tie=0.35)
    found = domain_drift(reference, window)

    assert found.auc < found.threshold
    assert found.pair is not None
    assert found.drifted is True
    assert (found.pair.first, found.pair.second) == ("x3", "x7")
