"""Small, seeded gradient-boosted trees: the one place that imports scikit-learn.

Everything runs in one thread. For some thousand rows a second one gains little, and
on a busy machine the threads wait for each other: fits of 0.6 s then took 1 to 11 s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from services.stats.intervals import Array, Counts

Scorer = Callable[[Array], Array]
"""Gives each of (n, columns) encoded rows a number: (n,)."""


def fold_of(rows: int, folds: int, seed: int) -> Counts:
    """(rows,) a random fold 0..folds-1 per row, of equal sizes."""
    rng = np.random.default_rng(seed)
    fold: Counts = rng.permutation(np.arange(rows, dtype=np.int64) % folds)
    return fold


def sampled(rows: int, most: int, rng: np.random.Generator) -> Counts:
    """Places of at most ``most`` of ``rows`` rows, in order, each once."""
    if rows <= most:
        return np.arange(rows, dtype=np.int64)
    places: Counts = np.sort(rng.choice(rows, most, replace=False))
    return places


def classifier(
    rows: Array, labels: Array, categorical: Sequence[bool], seed: int
) -> Scorer:
    """Fit trees to labels 0 and 1; the scorer gives the chance of 1."""
    # The web process never fits: it starts 0.8 s sooner without scikit-learn.
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415

    kept = _varying(rows)
    if not kept.any():
        return _constant(labels)
    model = HistGradientBoostingClassifier(
        max_iter=30, learning_rate=0.15, **_shape(categorical, kept, seed)
    )
    with _threads().limit(limits=1, user_api="openmp"):
        model.fit(rows[:, kept], labels)

    def chance(found: Array) -> Array:
        with _threads().limit(limits=1, user_api="openmp"):
            return np.asarray(model.predict_proba(found[:, kept])[:, 1])

    return chance


def regressor(
    rows: Array, values: Array, categorical: Sequence[bool], seed: int
) -> Scorer:
    """Fit trees to non-negative values; the scorer gives their expected value."""
    # As above: only who fits pays for scikit-learn.
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415

    kept = _varying(rows)
    if not kept.any():
        return _constant(values)
    model = HistGradientBoostingRegressor(
        max_iter=40, learning_rate=0.15, **_shape(categorical, kept, seed)
    )
    with _threads().limit(limits=1, user_api="openmp"):
        model.fit(rows[:, kept], values)

    def expected(found: Array) -> Array:
        with _threads().limit(limits=1, user_api="openmp"):
            return np.asarray(model.predict(found[:, kept]))

    return expected


def _varying(rows: Array) -> NDArray[np.bool_]:
    """The columns with two different values, missing counted as one of them.

    Others teach nothing, and a column without any value cannot be binned.
    """
    missing = np.isnan(rows)
    least = np.where(missing, np.inf, rows).min(axis=0, initial=np.inf)
    most = np.where(missing, -np.inf, rows).max(axis=0, initial=-np.inf)
    partly = missing.any(axis=0) & ~missing.all(axis=0)
    return np.asarray(partly | (most > least))


def _constant(values: Array) -> Scorer:
    mean = float(values.mean())
    return lambda found: np.full(len(found), mean)


@cache
def _threads() -> ThreadpoolController:
    """Of the libraries loaded by the first fit, scikit-learn's among them."""
    return ThreadpoolController()


def _shape(
    categorical: Sequence[bool], kept: NDArray[np.bool_], seed: int
) -> dict[str, Any]:
    named = np.asarray(categorical, dtype=np.bool_)[kept]
    return {
        "max_leaf_nodes": 15,
        "min_samples_leaf": 20,
        "l2_regularization": 1.0,
        "max_bins": 255,
        "early_stopping": False,
        "categorical_features": named.tolist() if named.any() else None,
        "random_state": seed,
    }
