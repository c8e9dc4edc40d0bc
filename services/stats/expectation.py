"""What a drift measure shows when nothing drifts: its mean for so many rows.

A score means little without it: JS distance on 250 bins is about 0.2 for a healthy
week of 700 rows. ``null_expectation`` answers from a formula where one is good, else
from a seeded simulation that is kept, so that the same question is free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from services.stats import measures
from services.stats.measures import shares
from services.stats.significance import psi_null_mean

Floats = NDArray[np.float64]

ENOUGH_ROWS = 20.0
"""Expected rows in the smallest bin from which the chi-square formulas hold."""
CELLS, GAUSSIAN_DRAWS, SEED = 50_000, 1_000, 20_240_501
"""Bins drawn in one simulation; few bins are drawn more often."""
STEP = 1.25
"""Row counts simulated are powers of it; the ones between are interpolated."""

_COUNTED: Mapping[str, Callable[[ArrayLike, ArrayLike], Floats]] = {
    "psi": measures.psi,
    "js_divergence": measures.js_divergence,
    "js_distance": measures.js_distance,
    "hellinger": measures.hellinger,
    "tvd": measures.tvd,
    "l_infinity": measures.l_infinity,
}
"""Measures whose formula fails where bins hold few rows."""


def null_expectation(
    measure: str,
    reference: ArrayLike,
    n: int,
    m: ArrayLike,
    positions: ArrayLike | None = None,
) -> Floats:
    """Mean of a measure when a window comes from the reference's distribution.

    With e = 1/n + 1/m and k = B - 1 (empty reference bins not counted):
    chi_square: k N / (N - 1) with N = n + m, exact. wasserstein: sum of
    width sqrt(2 F (1 - F) e / pi). ks: sqrt(e) times the mean largest value of the
    limiting Gaussian process, simulated once per reference. The others as follows, and
    simulated where a bin expects fewer than ``ENOUGH_ROWS``: psi: k e; js_divergence:
    k e / (8 ln 2); js_distance and hellinger: the chi distribution's mean times
    sqrt(e / (8 ln 2)) and sqrt(e / 8); tvd: sum of sqrt(p (1 - p) e / (2 pi));
    l_infinity: as ks. Within 5 % of the truth from about 50 rows on.

    Args:
        measure: name of a function in ``measures``.
        reference: counts (B,), the estimate of the distribution.
        n: reference rows.
        m: rows of the windows, any shape.
        positions: bin positions, for the two Wasserstein measures only.

    Raises:
        ValueError: an unknown measure, or Wasserstein without positions.

    Source: chi-square limits as for ``psi_null_mean``; Haldane (1940) for chi_square.

    >>> null_expectation("psi", [100] * 10, 10_000, [500]).round(4).tolist()
    [0.0189]
    """
    p = shares(reference)
    rows = np.asarray(m, dtype=np.float64)
    rows = np.where(rows > 0, rows, np.nan)
    if n <= 0 or np.isnan(p).any():
        return np.full(rows.shape, np.nan)
    e = 1 / n + 1 / rows
    if measure in _COUNTED:
        return _counted(measure, p, n, rows)
    if measure == "ks":
        return np.asarray(np.sqrt(e) * _largest_gaussian(p.tobytes(), running=True))
    if measure == "chi_square":
        k = np.count_nonzero(p) - 1
        return np.asarray(k * (n + rows) / (n + rows - 1))
    if measure in {"wasserstein", "wasserstein_in_sd"} and positions is not None:
        return np.asarray(_area(measure, p, positions) * np.sqrt(2 * e / np.pi))
    raise ValueError(f"no expectation for {measure}: unknown, or positions missing")


def _counted(measure: str, p: Floats, n: int, rows: Floats) -> Floats:
    k = int(np.count_nonzero(p)) - 1
    smallest = p[p > 0].min()
    mean: Floats = _formula(measure, p, k, psi_null_mean(2, n, rows))
    few = smallest * np.fmin(rows, n) < ENOUGH_ROWS
    few &= ~np.isnan(rows)
    if not few.any() or k == 0:
        return mean
    steps = np.log(rows[few]) / np.log(STEP)
    nodes = np.arange(np.floor(steps.min()), np.floor(steps.max()) + 2)
    log_means = [
        np.log(_simulated(p.tobytes(), n, max(round(STEP**node), 1))[measure])
        for node in nodes
    ]
    mean = np.array(mean)
    mean[few] = np.exp(np.interp(steps, nodes, log_means))
    return mean


def _formula(measure: str, p: Floats, k: int, e: Floats) -> Floats:
    bits = 8 * np.log(2)
    if measure in {"psi", "js_divergence"}:
        return np.asarray(k * e / (1 if measure == "psi" else bits))
    if measure == "tvd":
        return np.asarray(np.sqrt(p * (1 - p)).sum() * np.sqrt(e / (2 * np.pi)))
    if measure == "l_infinity":
        return np.asarray(np.sqrt(e) * _largest_gaussian(p.tobytes(), running=False))
    # Mean of the root of a chi-square value with k degrees of freedom.
    chi = np.sqrt(2) * np.exp(gammaln((k + 1) / 2) - gammaln(k / 2)) if k else 0.0
    return np.asarray(chi * np.sqrt(e / (bits if measure == "js_distance" else 8)))


def _area(measure: str, p: Floats, positions: ArrayLike) -> float:
    places = np.asarray(positions, dtype=np.float64)
    below = np.clip(np.cumsum(p), 0, 1)[:-1]
    area = float((np.diff(places) * np.sqrt(below * (1 - below))).sum())
    if measure == "wasserstein":
        return area
    sd = float(np.sqrt(p @ (places - p @ places) ** 2))
    return area / sd if sd > 0 else float("nan")


@lru_cache(maxsize=4096)
def _simulated(p_bytes: bytes, n: int, m: int) -> dict[str, float]:
    """Means over pairs of samples of n and m rows, for all counted measures."""
    p = np.frombuffer(p_bytes)
    random = np.random.default_rng(SEED)
    draws = int(np.clip(CELLS // p.size, 200, 5_000))
    references = random.multinomial(n, p, size=draws)
    windows = random.multinomial(m, p, size=draws)
    return {
        name: float(score(references, windows).mean())
        for name, score in _COUNTED.items()
    }


@lru_cache(maxsize=4096)
def _largest_gaussian(p_bytes: bytes, running: bool) -> float:
    """Mean of the largest absolute value of the limit of (q - p) / sqrt(e)."""
    p = np.frombuffer(p_bytes)
    noise = np.random.default_rng(SEED).normal(size=(GAUSSIAN_DRAWS, p.size))
    noise *= np.sqrt(p)
    noise -= p * noise.sum(axis=1, keepdims=True)
    if running:
        noise = np.cumsum(noise, axis=1)
    return float(np.abs(noise).max(axis=1).mean())
