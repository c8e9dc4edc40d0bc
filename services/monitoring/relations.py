"""Which relation between predictions and labels still holds, in every window.

Covariate shift keeps P(label | score), label shift keeps P(score | label); a broken
calibration keeps the ranking. Each is tested against the reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtr

from data.counts import Cells, Counts
from data.grids import Grid, Ints, NumericGrid
from data.model_records import ModelSpec
from data.outcomes import IS, NOT
from services.monitoring.calibrators import Calibrator, positions
from services.monitoring.sizes import chi_square_by_row
from services.monitoring.sizes import positions as places_of
from services.stats.calibration import Calibration
from services.stats.cells import SPECIAL_BINS, equal_groups
from services.stats.measures import ks
from services.stats.significance import chi_square_p_value, ks_p_value

Floats = npt.NDArray[np.float64]

GROUPS = 10
EXPECTED = 5.0
"""Rows of the class, and others, that a group of scores expects to be tested."""
FEWEST = 10
"""Labelled rows of a class from which its scores are compared."""


@dataclass(frozen=True, eq=False)
class Relations:
    """Shape (windows,) each; NaN where it cannot be told.

    reliability_p, reliability: of P(label | score), and its error as the root mean
    square of observed less expected shares beyond chance; for a regression the bias
    and its size in mean absolute errors of the reference. given_label_p,
    given_label: of P(score | label), and the largest KS distance or share difference.
    spread: standard deviation of the errors over the reference's; regressions only.
    """

    reliability_p: Floats
    reliability: Floats
    given_label_p: Floats
    given_label: Floats
    spread: Floats


def relations(
    spec: ModelSpec,
    grid: Grid,
    reference: Cells,
    windows: Cells,
    reference_counts: Counts,
    calibrator: Calibrator,
) -> Relations:
    """Test the relations of every window.

    Args:
        spec: the model.
        grid: the bins.
        reference: the reference's cells (one window).
        windows: the cells of the windows.
        reference_counts: the reference's histograms, for the spread of predictions.
        calibrator: of ``calibrators.learn`` for this reference.
    """
    if spec.kind == "regression":
        return _numbers(grid, reference, windows, reference_counts)
    nothing = np.full(windows.windows, np.nan)
    p, error = nothing, nothing
    tested = [
        _reliability(reference.of_class(k)[0], windows.of_class(k), place, learnt)
        for k, (place, learnt) in enumerate(
            zip(positions(spec, grid), calibrator.calibrations, strict=True)
        )
        if learnt is not None
    ]
    if tested:
        p = np.fmin.reduce([t[0] for t in tested]) * len(tested)
        error = np.fmax.reduce([t[1] for t in tested])
    given = [_given_label(spec, reference, windows, k) for k in range(len(spec.tasks))]
    given.append(_columns(spec, reference, windows))
    ps = np.concatenate([g[0] for g in given])
    sizes = np.concatenate([g[1] for g in given])
    judged = (~np.isnan(ps)).sum(axis=0)
    least = np.where(judged > 0, np.fmin.reduce(ps, axis=0) * judged, np.nan)
    largest = np.fmax.reduce(sizes, axis=0)
    return Relations(np.minimum(p, 1), error, np.minimum(least, 1), largest, nothing)


def _reliability(
    reference: Ints, windows: Ints, place: Floats, learnt: Calibration
) -> tuple[Floats, Floats]:
    """p and size of the distance of observed from calibrated shares, (W,) each.

    Hosmer and Lemeshow's statistic on at most ten groups of equal reference rows,
    pooled where a window expects few, with the reference's own chance error in the
    variance. What the calibration misses in the reference is no change.
    """
    chance = learnt.chances()
    regular = len(place) - SPECIAL_BINS
    groups = np.eye(GROUPS)[equal_groups(reference.sum(axis=(1, 2))[:regular], GROUPS)]
    known = np.nan_to_num(chance)[:regular] * np.isfinite(chance[:regular])

    def grouped(cells: Ints) -> Floats:
        """Rows, rows of the class, and as many as calibrated: (3, ..., groups)."""
        told = (
            cells[..., :regular, :, :][..., [NOT, IS]]
            * np.isfinite(chance[:regular])[..., np.newaxis]
        )
        rows = told.sum(axis=-1)
        yes = told[..., IS].sum(axis=-1) @ groups
        expected = (rows * known).sum(axis=-1) @ groups
        return np.stack([rows.sum(axis=-1) @ groups, yes, expected])

    base = grouped(reference)
    found = [_distance(base, now) for now in grouped(windows).swapaxes(0, 1)]
    p, size = np.array(found, dtype=np.float64).reshape(-1, 2).T
    return p, size


def _distance(base: Floats, now: Floats) -> tuple[float, float]:
    """p and size of one window; (3, groups) each: rows, of the class, expected."""
    filled = now[0] > 0
    if not filled.any():
        return np.nan, np.nan
    base, now = base[:, filled], now[:, filled]
    pool = _pooled(now[0], now[2])
    rows, _, known = (np.add.reduceat(part, pool) for part in base)
    n, yes, told = (np.add.reduceat(part, pool) for part in now)
    share = told / n
    missed = np.add.reduceat(base[1], pool) - known
    told = told + n * missed / np.maximum(rows, 1)
    one = share * (1 - share)
    variance = np.maximum(n * one + n**2 * one / np.maximum(rows, 1), EXPECTED)
    off = (yes - told) ** 2
    p = float(chdtrc(len(pool), (off / variance).sum()))
    beyond = float(((off - variance) / n).sum() / n.sum())
    return p, np.sqrt(max(beyond, 0.0))


def _pooled(rows: Floats, expected: Floats) -> Ints:
    """Where neighbouring groups begin that expect enough rows of and not of the class.

    A chi-square of cells that expect fewer than five rows is far too often large.
    From both ends to the middle, so that low and high scores that are too sure are not
    added up to nothing; a side too small for one such group is one group.
    Source: W. G. Cochran, Biometrics 10 (1954) 417-451.
    """
    rare = np.minimum(expected, rows - expected)
    half = int((expected < rows / 2).sum())
    low, high = _ends(rare[:half]), _ends(rare[half:][::-1])
    starts = [0, *low[:-1], half, *(len(rows) - end for end in high[:-1])]
    return np.unique([s for s in starts if s < len(rows)]).astype(np.int64)


def _ends(rare: Floats) -> list[int]:
    """Where groups end that hold enough rare rows; the last takes what is left."""
    ends, held = [], 0.0
    for place, more in enumerate(rare):
        held += more
        if held >= EXPECTED:
            ends.append(place + 1)
            held = 0.0
    return [*ends[:-1], len(rare)]


def _given_label(
    spec: ModelSpec, reference: Cells, windows: Cells, task: int
) -> tuple[Floats, Floats]:
    """KS of the scores given the label: (labels, W) p and distance."""
    states = (IS,) if spec.kind == "multiclass" else (NOT, IS)
    base = reference.of_class(task)[0, :-SPECIAL_BINS].sum(axis=1)
    now = windows.of_class(task)[:, :-SPECIAL_BINS].sum(axis=2)
    found_p, found = [], []
    for state in states:
        r, c = base[:, state], now[:, :, state]
        n, m = r.sum(), c.sum(axis=1)
        enough = (m >= FEWEST) & (n >= FEWEST)
        distance = np.where(enough, ks(r, c), np.nan)
        found_p.append(np.where(enough, ks_p_value(distance, n, m), np.nan))
        found.append(distance)
    return np.array(found_p), np.array(found)


def _columns(
    spec: ModelSpec, reference: Cells, windows: Cells
) -> tuple[Floats, Floats]:
    """Predicted classes given the true one: (classes, W) p and largest difference.

    Source: Lipton et al. (2018), "Detecting and correcting for label shift with black
    box predictors": under label shift alone these shares stay.
    """
    base, now = reference.confusion(spec)[0], windows.confusion(spec)
    found_p, found = [], []
    for true in range(len(spec.classes)):
        r, c = base[:, true], now[:, :, true]
        enough = (c.sum(axis=1) >= FEWEST) & (r.sum() >= FEWEST)
        p = chi_square_p_value(*chi_square_by_row(r, c))
        with np.errstate(invalid="ignore", divide="ignore"):
            gap = np.abs(c / c.sum(axis=1, keepdims=True) - r / r.sum()).max(axis=1)
        found_p.append(np.where(enough, p, np.nan))
        found.append(np.where(enough, gap, np.nan))
    return np.array(found_p), np.array(found)


def _numbers(
    grid: Grid,
    reference: Cells,
    windows: Cells,
    reference_counts: Counts,
) -> Relations:
    """The same of a regression, from its sums.

    Under label shift the mean prediction follows the mean label by the slope
    cov(prediction, label) / var(label) of the reference, and not by 1.
    """
    base = {k: v[0] for k, v in reference.totals("regression").items()}
    now = windows.totals("regression")
    n, m = base["labelled"], now["labelled"]
    nothing = np.full(windows.windows, np.nan)
    column = grid.columns["prediction"]
    if n < FEWEST or not isinstance(column, NumericGrid):
        return Relations(nothing, nothing, nothing, nothing, nothing)
    m = np.where(m >= FEWEST, m, np.nan)
    bias, old_bias = now["error"] / m, base["error"] / n
    sd, old_sd = (
        _sd(now["error"], now["squared_error"], m),
        _sd(base["error"], base["squared_error"], n),
    )
    error = np.sqrt(sd**2 / m + old_sd**2 / n)
    z = (bias - old_bias) / np.where(error > 0, error, np.nan)
    size = np.abs(bias - old_bias) / max(base["abs_error"] / n, 1e-12)
    slope = _slope(base, column, reference_counts.columns["prediction"][0])
    moved = now["label"] / m - base["label"] / n
    told = -(1 - slope) * moved
    off = np.abs(bias - old_bias - told)
    apart = off / np.where(error > 0, error, np.nan)
    label_sd = _sd(base["label"], base["label_squared"], n)
    return Relations(
        2 * ndtr(-np.abs(z)),
        size,
        2 * ndtr(-np.abs(apart)),
        off / np.maximum(np.abs(moved), 0.05 * max(float(label_sd), 1e-12)),
        np.asarray(sd / max(float(old_sd), 1e-12)),
    )


def _slope(base: dict[str, Floats], column: NumericGrid, counts: Ints) -> float:
    """Regression slope of the prediction on the label, in the reference."""
    n = float(base["labelled"])
    label = float(_sd(base["label"], base["label_squared"], base["labelled"])) ** 2
    error = float(_sd(base["error"], base["squared_error"], base["labelled"])) ** 2
    p = counts[: column.bins] / max(counts[: column.bins].sum(), 1)
    places = places_of(column)
    predicted = float(p @ (places - p @ places) ** 2)
    if label <= 0 or n < FEWEST:
        return 1.0
    return float(np.clip(1 + (predicted - label - error) / (2 * label), 0, 1))


def _sd(total: Floats, squares: Floats, rows: Floats) -> Floats:
    return np.asarray(np.sqrt(np.maximum(squares / rows - (total / rows) ** 2, 0)))
