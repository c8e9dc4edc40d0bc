"""Drift of all columns together: what a projection learnt on the reference loses."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from services.stats.encoding import Encoder
from services.stats.intervals import Array

VARIANCE = 0.65
"""Share of the variance the kept components explain."""
BLOCKS = 10
FEWEST_ROWS = 30
BAND = 3.0


@dataclass(frozen=True)
class ReconstructionScore:
    """Mean length of what the projection loses of a window's rows.

    expected, low, high: its mean without drift, and the band of three standard
        deviations for this many rows.
    deviations: how far ``value`` lies from ``expected``, in standard deviations.
    contributions: per column the change of its mean squared loss against the
        reference, largest first.
    reason: why it cannot be told; None where ``value`` is a number.
    """

    value: float | None
    expected: float | None
    low: float | None
    high: float | None
    deviations: float | None
    rows: int
    contributions: tuple[tuple[str, float], ...] = ()
    reason: str | None = None

    @property
    def drifted(self) -> bool | None:
        """Whether the value leaves its band; None where it cannot be told."""
        if self.value is None or self.low is None or self.high is None:
            return None
        return not self.low <= self.value <= self.high


@dataclass(frozen=True, eq=False)
class _Baseline:
    """The reference's own losses: rows, mean and variance of lengths, per column.

    between: variance of blocks of consecutive rows beyond that of single rows.
    """

    rows: int
    mean: float
    variance: float
    between: float
    squares: Array


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A projection fitted on a reference; make it with ``fit``.

    reason: why nothing can be scored; None when it can.
    """

    encoder: Encoder
    frequencies: tuple[Array | None, ...]
    low: Array
    high: Array
    mean: Array
    scale: Array
    axes: Array
    baseline: _Baseline | None
    reason: str | None

    @classmethod
    def fit(
        cls, reference: pd.DataFrame, *, categorical: Collection[str] | None = None
    ) -> Reconstruction:
        """Learn the components that keep ``VARIANCE`` of the reference's variance.

        Args:
            reference: the columns to look at, in the order of time.
            categorical: the categorical ones; None takes all that are not numbers.

        Categories become their reference frequency, missing numbers the mean, and all
        columns are standardised; numbers are cut one range beyond the reference's
        0.1 % and 99.9 % quantiles, so that one outlier cannot hide a drift. Every
        other row fits; the rest says what is lost without drift.
        Source: Jolliffe, Principal Component Analysis (2002), section 10.1.
        """
        encoder = Encoder.of(reference, categorical)
        encoded = encoder.encode(reference)
        frequencies = tuple(
            _frequencies(encoded[:, place], len(encoder.categories[column]))
            if column in encoder.categories
            else None
            for place, column in enumerate(encoder.columns)
        )
        filled = _filled(encoded, frequencies)
        low, high = _range(filled)
        cut = np.clip(filled, low, high)
        known = np.isfinite(cut)
        counts = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, cut, 0.0).sum(axis=0) / counts
        centred = np.where(known, cut, mean) - mean
        scale = np.sqrt((centred**2).mean(axis=0)) if len(cut) else np.zeros(len(mean))
        # A column that does not vary (up to rounding) says nothing.
        scale[scale <= 1e-12 * np.maximum(np.abs(mean), 1e-300)] = 0.0
        found = cls(
            encoder, frequencies, low, high, mean, scale, np.empty((0, 0)), None, None
        )
        return found._projected(reference)

    def score(self, window: pd.DataFrame) -> ReconstructionScore:
        """What the projection loses of a window, against the reference's own blocks."""
        rows, base = len(window), self.baseline
        if base is None or self.reason:
            return _untold(rows, self.reason or "nothing was fitted")
        if rows < FEWEST_ROWS:
            return _untold(rows, f"the window has fewer than {FEWEST_ROWS} rows")
        lost = self._lost(self._standardised(window))
        value = float(_lengths(lost).mean())
        variance = base.variance * (1 / rows + 1 / base.rows) + base.between
        deviation = max(math.sqrt(variance), 1e-9)
        change = (lost**2).mean(axis=0) - base.squares
        order = np.argsort(-np.abs(change), kind="stable")
        names = [self.encoder.columns[place] for place in np.flatnonzero(self.scale)]
        return ReconstructionScore(
            value=value,
            expected=base.mean,
            low=base.mean - BAND * deviation,
            high=base.mean + BAND * deviation,
            deviations=(value - base.mean) / deviation,
            rows=rows,
            contributions=tuple((names[p], float(change[p])) for p in order),
        )

    def _projected(self, reference: pd.DataFrame) -> Reconstruction:
        reason = None
        if len(reference) < 2 * FEWEST_ROWS:
            reason = f"the reference has fewer than {2 * FEWEST_ROWS} rows"
        elif (self.scale > 0).sum() < 2:
            reason = "fewer than two columns vary in the reference"
        if reason:
            return self._with(self.axes, None, reason)
        rows = self._standardised(reference)
        values, vectors = np.linalg.eigh(np.cov(rows[::2].T))
        share = np.cumsum(values[::-1]) / values.sum()
        keep = min(int(np.searchsorted(share, VARIANCE)) + 1, len(values) - 1)
        axes = vectors[:, ::-1][:, :keep]
        found = self._with(axes, None, None)
        lost = found._lost(rows[1::2])
        lengths = _lengths(lost)
        blocks = np.array_split(lengths, BLOCKS)
        means = [float(block.mean()) for block in blocks if len(block)]
        variance = float(lengths.var())
        between = float(np.var(means, ddof=1)) - variance / (len(lengths) / BLOCKS)
        baseline = _Baseline(
            rows=len(lengths),
            mean=float(lengths.mean()),
            variance=variance,
            between=max(between, 0.0),
            squares=(lost**2).mean(axis=0),
        )
        return found._with(axes, baseline, None)

    def _with(
        self, axes: Array, baseline: _Baseline | None, reason: str | None
    ) -> Reconstruction:
        return Reconstruction(
            self.encoder, self.frequencies, self.low, self.high, self.mean,
            self.scale, axes, baseline, reason,
        )  # fmt: skip

    def _standardised(self, frame: pd.DataFrame) -> Array:
        """(rows, kept columns) standardised numbers without holes."""
        filled = _filled(self.encoder.encode(frame), self.frequencies)
        cut = np.clip(filled, self.low, self.high)
        cut = np.where(np.isfinite(cut), cut, self.mean)
        kept = self.scale > 0
        standard: Array = (cut[:, kept] - self.mean[kept]) / self.scale[kept]
        return standard

    def _lost(self, rows: Array) -> Array:
        lost: Array = rows - rows @ self.axes @ self.axes.T
        return lost


def _lengths(lost: Array) -> Array:
    lengths: Array = np.sqrt((lost**2).sum(axis=1))
    return lengths


def _frequencies(codes: Array, known: int) -> Array:
    """The reference share of each code, of the unnamed rest, and of missing."""
    places = np.where(np.isnan(codes), known + 1, codes).astype(np.int64)
    share: Array = np.bincount(places, minlength=known + 2) / max(len(codes), 1)
    return share


def _filled(encoded: Array, frequencies: tuple[Array | None, ...]) -> Array:
    filled = encoded.copy()
    for place, share in enumerate(frequencies):
        if share is not None:
            codes = encoded[:, place]
            missing = len(share) - 1
            at = np.where(np.isnan(codes), missing, codes).astype(np.int64)
            filled[:, place] = share[at]
    return filled


def _range(filled: Array) -> tuple[Array, Array]:
    """One range beyond the 0.1 % and 99.9 % quantiles; open where all is missing."""
    low, high = np.full(filled.shape[1], -np.inf), np.full(filled.shape[1], np.inf)
    for place in range(filled.shape[1]):
        values = filled[np.isfinite(filled[:, place]), place]
        if len(values):
            least, most = np.quantile(values, [0.001, 0.999])
            low[place], high[place] = 2 * least - most, 2 * most - least
    return low, high


def _untold(rows: int, reason: str) -> ReconstructionScore:
    return ReconstructionScore(None, None, None, None, None, rows, reason=reason)
