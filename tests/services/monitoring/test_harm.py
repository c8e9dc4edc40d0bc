"""Harm checked by intervention on a fitted model: put one column's values back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from data.counts import cells_of, counts_of
from data.model_records import Columns, Feature, ModelSpec
from data.profiles import Profiler
from data.reference_grid import reference_grid
from services.monitoring.evidence import Inputs, gather
from services.monitoring.harm import Harm, weights

NAMES = tuple("abcdefgh")
SPEC = ModelSpec(
    "harm",
    "binary",
    tuple(Feature(name, "numeric") for name in NAMES),
    columns=Columns(scores={"1": "score"}),
    classes=("0", "1"),
    positive="1",
)
EFFECT = np.array([1.6, -1.4, 1.2, 1.0, 0.8, 0.5, 0.0, 0.0])
INJECTED = ("a", "b", "c")


def drawn(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels without drift."""
    x = random.normal(size=(n, len(NAMES)))
    noise = random.logistic(size=n)
    return x, (x @ EFFECT + noise > 0).astype(int)


@dataclass
class Case:
    """A fitted model, a spoilt window and what is known of it."""

    model: HistGradientBoostingClassifier
    clean: np.ndarray
    spoilt: np.ndarray
    label: np.ndarray
    harm: Harm
    harmful: tuple[str, ...]

    def gain(self, column: int) -> float:
        """Accuracy won when the reference's values come back in one column."""
        repaired = self.spoilt.copy()
        repaired[:, column] = self.clean[:, column]
        return self._right(repaired) - self._right(self.spoilt)

    def _right(self, x: np.ndarray) -> float:
        return float((self.model.predict(x) == self.label).mean())


def table(
    model: HistGradientBoostingClassifier, x: np.ndarray, y: np.ndarray
) -> pa.Table:
    """Canonical columns of the model's rows."""
    score = model.predict_proba(x)[:, 1]
    columns: dict[str, object] = {f"f{i}": x[:, i] for i in range(x.shape[1])}
    columns["s0"] = score
    columns["prediction"] = pa.array((score > 0.5).astype(int).astype(str).tolist())
    columns["label"] = pa.array(y.astype(str).tolist())
    return pa.table(columns)


@pytest.fixture(scope="module")
def case() -> Case:
    """Three columns spoilt after the fact: labels follow the clean values."""
    random = np.random.default_rng(11)
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    model.fit(*drawn(random, 8_000))
    x, y = drawn(random, 8_000)
    clean, label = drawn(random, 4_000)
    spoilt = clean.copy()
    gone = random.random(len(clean)) < 0.6
    spoilt[gone, 0] = np.nan
    spoilt[:, 1] = clean[:, 1] + 1.5
    spoilt[:, 2] = clean[:, 2] * 0.2 - 1.0
    spoilt[:, 6] += 1.0  # moves as much, but the model does not use it
    base = table(model, x, y)
    grid = reference_grid(SPEC, base)
    known, profiler = Profiler(SPEC, grid, 1), Profiler(SPEC, grid, 1)
    known.add(base, np.zeros(len(base), dtype=np.int64))
    window = table(model, spoilt, label)
    profiler.add(window, np.zeros(len(window), dtype=np.int64))
    importance = np.abs(EFFECT) / np.abs(EFFECT).sum()
    found = gather(
        Inputs(
            SPEC, grid,
            counts_of(grid, known.histograms(), 1),
            counts_of(grid, profiler.histograms(), 1),
            cells_of(SPEC, grid, known.outcomes(), 1),
            cells_of(SPEC, grid, profiler.outcomes(), 1),
            tuple(f"f{i}" for i in range(len(NAMES))),
            {f"f{i}": float(v) for i, v in enumerate(importance)},
        )
    )  # fmt: skip
    moved = tuple(m.name for m in found.evidence[0].moved)
    return Case(model, clean, spoilt, label, found.harm, moved)


def test_the_three_most_harmful_features_are_the_spoilt_ones(case: Case) -> None:
    """The top three by harm are the columns whose repair wins accuracy back."""
    gains = [case.gain(column) for column in range(len(NAMES))]
    by_repair = {NAMES[i] for i in np.argsort(gains)[::-1][:3]}
    by_harm = {NAMES[i] for i in case.harm.order(0)[:3]}

    assert by_repair == set(INJECTED)
    assert by_harm == set(INJECTED)


def test_a_feature_that_is_not_used_moves_without_harm(case: Case) -> None:
    """A feature without effect that moved a whole deviation costs nothing."""
    assert "g" in case.harmful
    assert case.gain(6) == pytest.approx(0.0, abs=0.01)
    assert abs(case.harm.harm[6, 0]) < 0.1 * case.harm.harm[0, 0]


def test_without_labels_in_the_reference_harm_cannot_be_told(case: Case) -> None:
    """A reference without labels gives NaN, and the order falls back to importance."""
    random = np.random.default_rng(12)
    base = table(case.model, *drawn(random, 500)).drop_columns(["label"])
    grid = reference_grid(SPEC, base)
    profiler = Profiler(SPEC, grid, 1)
    profiler.add(base, np.zeros(len(base), dtype=np.int64))
    counts = counts_of(grid, profiler.histograms(), 1)
    cells = cells_of(SPEC, grid, profiler.outcomes(), 1)
    columns = ("f0", "f1", "f2")
    inputs = Inputs(
        SPEC, grid, counts, counts, cells, cells, columns, {"f1": 0.9, "f2": 0.1}
    )
    found = gather(inputs).harm

    assert np.isnan(found.harm).all()
    assert found.order(0)[0] == 1


def test_weights_are_importances_over_the_largest() -> None:
    """A feature without importance counts as the mean; without any all are equal."""
    assert weights(["x", "y", "z"], {"x": 0.8, "y": 0.4}).tolist() == pytest.approx(
        [1.0, 0.5, 0.75]
    )
    assert weights(["x", "y"], {}).tolist() == [1.0, 1.0]
