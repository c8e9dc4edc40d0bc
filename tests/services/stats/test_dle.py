"""Estimated errors of regressions, and estimates from weighted references."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from services.stats import cbpe, dle, regression
from services.stats.boosting import sampled
from services.stats.calibration import calibrate
from services.stats.density_ratio import (
    ReferenceRows,
    density_ratio,
    estimate_reweighted,
    reweighted,
)
from services.stats.dle import LossEstimator
from services.stats.estimated import gap
from tests.services.stats.counting import Grid, logistic


def rows_of(
    rng: np.random.Generator, count: int, shift: float = 0.0, noise: float = 1.0
) -> tuple[pd.DataFrame, np.ndarray]:
    """Features with the prediction, and errors whose size follows the features."""
    numbers = rng.normal(size=(count, 20))
    numbers[:, 0] += shift
    frame = pd.DataFrame(numbers, columns=[f"x{k}" for k in range(20)])
    for k in range(4):
        frame[f"c{k}"] = rng.choice(list("abcdefg")[: 3 + k], size=count)
    frame["prediction"] = 3 * numbers[:, 0] + numbers[:, 1]
    size = np.exp(0.5 * numbers[:, 0]) * np.where(frame["c0"] == "a", 1.5, 1.0)
    return frame, noise * size * rng.normal(size=count)


def sums_of(errors: np.ndarray) -> dict[str, float]:
    """The stored sums of errors."""
    return {
        "labelled": len(errors),
        "abs_error": np.abs(errors).sum(),
        "squared_error": (errors**2).sum(),
        "fourth_error": (errors**4).sum(),
    }


def estimated_sums(learnt: LossEstimator, frame: pd.DataFrame) -> dict[str, float]:
    """The stored sums of row-level estimates."""
    absolute, squared = learnt.estimate(frame)
    return {
        "estimated_abs": absolute.sum(),
        "estimated_squared": squared.sum(),
        "estimated_rows": len(frame),
    }


@pytest.fixture(scope="module")
def reference() -> tuple[pd.DataFrame, np.ndarray]:
    """20,000 rows of 25 columns."""
    return rows_of(np.random.default_rng(1), 20_000)


@pytest.fixture(scope="module")
def learnt(reference: tuple[pd.DataFrame, np.ndarray]) -> LossEstimator:
    """What was learnt from them."""
    return LossEstimator.fit(*reference)


@pytest.mark.parametrize("shift", [-0.7, 0.0, 0.7])
def test_errors_follow_the_inputs(
    reference: tuple[pd.DataFrame, np.ndarray], learnt: LossEstimator, shift: float
) -> None:
    """MAE and RMSE are near their estimates where only the inputs moved."""
    before = sums_of(reference[1])
    frame, errors = rows_of(np.random.default_rng(2), 4000, shift)
    found, sums = sums_of(errors), estimated_sums(learnt, frame)
    mae, rmse = dle.estimated_mae(sums, before), dle.estimated_rmse(sums, before)

    assert mae.value == pytest.approx(regression.mae(found).value, rel=0.05)
    assert rmse.value == pytest.approx(regression.rmse(found).value, rel=0.08)
    assert gap(regression.mae(found), mae).outside is False
    assert gap(regression.rmse(found), rmse).outside is False


def test_bands_hold_the_realised_errors() -> None:
    """At least 97 of 100 windows lie in their bands, from a small reference too."""
    rng = np.random.default_rng(3)
    held = []
    for seed in range(4):
        frame, errors = rows_of(rng, 4000)
        learnt, before = LossEstimator.fit(frame, errors, seed=seed), sums_of(errors)
        for shift in (0.0, 0.3, -0.5):
            for _ in range(6):
                window, came = rows_of(rng, 1000, shift)
                sums, found = estimated_sums(learnt, window), sums_of(came)
                mae = dle.estimated_mae(sums, before)
                rmse = dle.estimated_rmse(sums, before)
                held.append(mae.low <= regression.mae(found).value <= mae.high)
                held.append(rmse.low <= regression.rmse(found).value <= rmse.high)

    assert np.mean(held) >= 0.97


def test_a_changed_concept_leaves_the_band(
    reference: tuple[pd.DataFrame, np.ndarray], learnt: LossEstimator
) -> None:
    """Errors that grow at the same inputs show in the gap, not in the estimate."""
    frame, errors = rows_of(np.random.default_rng(4), 1000, noise=1.6)
    before = sums_of(reference[1])
    estimated = dle.estimated_mae(estimated_sums(learnt, frame), before)

    told = gap(regression.mae(sums_of(errors)), estimated)

    assert estimated.value == pytest.approx(before["abs_error"] / 20_000, rel=0.06)
    assert told.outside is True
    assert told.low > 0


def test_new_categories_and_holes_are_estimated(learnt: LossEstimator) -> None:
    """Unseen categories, missing and infinite numbers and lost columns are no error."""
    frame, _ = rows_of(np.random.default_rng(5), 50)
    frame["c0"] = "never seen"
    frame.loc[:9, "x1"] = np.nan
    frame.loc[10:19, "x1"] = np.inf
    absolute, squared = learnt.estimate(frame.drop(columns=["x5", "c3"]))

    assert np.isfinite(absolute).all() and np.isfinite(squared).all()
    assert (absolute > 0).all()
    assert learnt.estimate(frame.iloc[:0])[0].shape == (0,)


def test_fitting_is_seeded(
    reference: tuple[pd.DataFrame, np.ndarray], learnt: LossEstimator
) -> None:
    """The same seed learns the same."""
    again = LossEstimator.fit(*reference)
    head = reference[0].head(200)

    assert (again.estimate(head)[0] == learnt.estimate(head)[0]).all()


def test_too_few_labels_are_refused() -> None:
    """Rows without a label do not count, and the message says how many it takes."""
    frame, errors = rows_of(np.random.default_rng(6), 300)
    errors[:250] = np.nan

    with pytest.raises(ValueError, match="fewer than 100"):
        LossEstimator.fit(frame, errors)


def test_no_rows_is_a_reason() -> None:
    """Without estimates or a reference there is a reason, not a 0."""
    before = sums_of(np.ones(500))
    some = {"estimated_abs": 1.0, "estimated_squared": 1.0, "estimated_rows": 1}

    for measure in (dle.estimated_mae, dle.estimated_rmse):
        assert measure({}, before).reason == dle.NO_ESTIMATES
        assert measure(some, {}).reason == dle.NO_REFERENCE


class Blind:
    """A model that sees x1 while the label also hangs on x2."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(7)
        self.frame, self.labels = self.rows(20_000, 0.0, 0.0)
        self.grid = Grid.of(self.frame["score"].to_numpy())
        self.own = ReferenceRows(
            self.grid.bins(self.frame["score"].to_numpy()),
            (self.frame["score"] > 0.5).to_numpy().astype(np.int64),
            self.labels,
        )

    def rows(
        self, count: int, first: float, second: float
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Rows whose two inputs have these means."""
        x1, x2 = self.rng.normal(first, 1, count), self.rng.normal(second, 1, count)
        chance = logistic(1.5 * x1 + 2 * x2 - 1)
        labels = (self.rng.random(count) < chance).astype(np.int64)
        score = logistic(1.2 * x1 - 0.5)
        return pd.DataFrame({"x1": x1, "x2": x2, "score": score}), labels


@pytest.mark.parametrize("shift", [(0.0, 1.0), (0.5, -1.0)])
def test_weighting_mends_a_broken_calibration(shift: tuple[float, float]) -> None:
    """Where the shift breaks the calibration, weighting is near and plain is not."""
    blind = Blind()
    frame, labels = blind.rows(5000, *shift)
    score = frame["score"].to_numpy()
    task = blind.grid.count(score, score > 0.5, labels)
    weights = density_ratio(blind.frame, frame)
    weighted = estimate_reweighted(weights, [blind.own], [task])["accuracy"]
    reference = blind.grid.count(
        blind.frame["score"].to_numpy(), blind.own.predicted == 1, blind.labels
    )
    plain = cbpe.estimate([task], [calibrate(reference)])["accuracy"]
    came = ((score > 0.5) == labels).mean()

    assert abs(plain.value - came) > 0.04
    assert abs(weighted.value - came) < 0.025
    assert weighted.low <= came <= weighted.high


def test_weights_without_shift_change_nothing() -> None:
    """Alike windows leave nearly all reference rows in effect, each counted once."""
    blind = Blind()
    frame, _ = blind.rows(5000, 0.0, 0.0)
    weights = density_ratio(blind.frame, frame)

    assert weights is not None
    assert weights.effective_rows > 0.9 * len(weights.places)
    cells = reweighted(blind.own, weights, blind.grid.positions).cells
    assert cells.sum() == pytest.approx(weights.effective_rows)
    rare = density_ratio(blind.frame, frame.iloc[:10])
    task = blind.grid.count(np.empty(0), np.empty(0, bool), np.empty(0, np.int64))
    assert rare is None
    assert estimate_reweighted(rare, [blind.own], [task])["auc"].reason


def test_samples_keep_order() -> None:
    """A sample holds each row at most once, in order, and all when they are few."""
    rng = np.random.default_rng(0)
    places = sampled(1000, 100, rng)

    assert (np.diff(places) > 0).all() and len(places) == 100
    assert sampled(5, 100, rng).tolist() == [0, 1, 2, 3, 4]
