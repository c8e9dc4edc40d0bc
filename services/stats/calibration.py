"""The chance of a class for each score bin, learnt from a labelled reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression

from services.stats.cells import NO, SPECIAL_BINS, YES, Task, equal_groups
from services.stats.intervals import Array, Counts

REPEATS = 10
HELD_OUT = 0.1
GROUPS_PER_ROOT, FEWEST_GROUPS = 1.5, 5
"""Bins are merged into 1.5 n^(1/3) groups before the isotonic fit, which otherwise
follows the noise of small references and makes every estimate too good."""
FEWEST_ROWS = 30
"""A special bin with fewer labelled reference rows has no chance of its own."""


@dataclass(frozen=True)
class Calibration:
    """The calibrated chance of one class, as plain lists so that it can be stored.

    probability: per [score bin][predicted no, yes] the chance that a row is of the
        class; None where the reference does not tell (special bins it had no rows in).
    block: per [score bin][predicted] the number of the group of reference cells the
        chance was learnt from; -1 where it was not.
    weight: per block its labelled reference rows.
    isotonic: whether the scores were calibrated; else the scores are taken as they
        are, because calibrating did not help on held-out rows.
    """

    probability: list[list[float | None]]
    block: list[list[int]]
    weight: list[float]
    isotonic: bool

    def chances(self) -> Array:
        """(S, 2) the chances as an array, NaN where there is none."""
        return np.array(self.probability, dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Calibration:
        """The calibration that ``to_json`` wrote."""
        return cls(**stored)


def calibrate(
    reference: Task, *, by_prediction: bool = False, seed: int = 0, decide: bool = True
) -> Calibration | None:
    """Learn the chance of the class per score bin; None without labelled scores.

    Args:
        reference: the labelled reference rows of one class.
        by_prediction: learn rows predicted as the class apart from the others. Right
            for one class of several, where a score of 0.4 may or may not have won.
        seed: of the hold-outs.
        decide: False calibrates without asking whether it helps.

    The chances are the isotonic (rising) fit of the observed shares over groups of
    bins of about equal rows, with straight lines between the centres of its blocks: the
    steps of the plain fit are its largest error where the true chance rises smoothly.
    Whether that helps is decided by the calibration error over ``REPEATS`` random
    tenths held out; of counts, a random tenth is a hypergeometric draw.
    Source: A. P. Oron and N. Flournoy, Statistics in Biopharmaceutical Research 9
    (2017) 258 (centred isotonic regression).
    """
    if not np.isfinite(reference.scores()).all():
        return None
    labelled = reference.cells[:, :, [NO, YES]].astype(np.float64)
    if labelled[reference.scored].sum() <= 0:
        return None
    pooled = labelled.sum(axis=1)
    isotonic = not decide or _helps(reference, seed)
    curves = [_curve(pooled, reference.scores(), isotonic)] * 2
    if by_prediction:
        own = [_curve(labelled[:, p], reference.scores(), True) for p in (NO, YES)]
        curves = [_patched(own[p], curves[p], labelled[:, p]) for p in (NO, YES)]
        isotonic = True
    return _stored(curves, isotonic, apart=by_prediction)


@dataclass(frozen=True, eq=False)
class _Curve:
    """Chance and block number per score bin, and labelled rows per block."""

    chance: Array
    block: Counts
    weight: Array


def _curve(counts: Array, scores: Array, isotonic: bool) -> _Curve:
    """The chance of each bin from (S, 2) counts of no and yes."""
    regular = len(counts) - SPECIAL_BINS
    rows = counts.sum(axis=1)
    chance = np.full(len(counts), np.nan)
    block = np.full(len(counts), -1, dtype=np.int64)
    known = np.flatnonzero(rows[:regular] > 0)
    if len(known):
        if isotonic:
            of_known, chance[:regular] = _risen(counts[:regular], known)
        else:
            of_known = np.arange(len(known))
            chance[:regular] = np.clip(scores, 0.0, 1.0)
        block[:regular] = of_known[_nearest(known, regular)]
    weight = np.bincount(block[known], weights=rows[known]).tolist()
    for special in range(regular, len(counts)):
        if rows[special] >= FEWEST_ROWS:
            chance[special] = (counts[special, YES] + 0.5) / (rows[special] + 1)
            block[special] = len(weight)
            weight.append(float(rows[special]))
    return _Curve(chance, block, np.array(weight))


def _risen(counts: Array, known: Counts) -> tuple[Counts, Array]:
    """The isotonic block of each known bin, and the chance of every bin.

    Centres and the groups before them go by rows, so that the length of the bins'
    score ranges plays no part.
    """
    rows = counts.sum(axis=1)
    most = max(int(GROUPS_PER_ROOT * rows.sum() ** (1 / 3)), FEWEST_GROUPS)
    _, group = np.unique(equal_groups(rows[known], most), return_inverse=True)
    sizes = np.bincount(group, weights=rows[known])
    shares = np.bincount(group, weights=counts[known, YES]) / sizes
    blocks = isotonic_regression(shares, weights=sizes).blocks
    of_known = np.repeat(np.arange(len(blocks) - 1), np.diff(blocks))[group]
    place = np.cumsum(rows) - rows / 2
    size = np.bincount(of_known, weights=rows[known])
    centre = np.bincount(of_known, weights=rows[known] * place[known]) / size
    share = np.bincount(of_known, weights=counts[known, YES]) / size
    return of_known, np.interp(place, centre, share)


def _nearest(known: Counts, bins: int) -> Counts:
    """For each bin the place in ``known`` of the nearest known bin."""
    middles = (known[1:] + known[:-1]) / 2
    place: Counts = np.searchsorted(middles, np.arange(bins)).astype(np.int64)
    return place


def _patched(own: _Curve, pooled: _Curve, counts: Array) -> _Curve:
    """``own``, but ``pooled`` outside the scores where ``own`` has reference rows."""
    rows = counts.sum(axis=1)
    regular = len(rows) - SPECIAL_BINS
    known = np.flatnonzero(rows[:regular] > 0)
    bins = np.arange(len(rows))
    outside = np.isnan(own.chance)
    if len(known):
        outside |= (bins < known[0]) | ((bins > known[-1]) & (bins < regular))
    chance = np.where(outside, pooled.chance, own.chance)
    shifted = np.where(pooled.block < 0, -1, pooled.block + len(own.weight))
    block = np.where(outside, shifted, own.block)
    return _Curve(chance, block, np.concatenate([own.weight, pooled.weight]))


def _stored(curves: Sequence[_Curve], isotonic: bool, apart: bool) -> Calibration:
    no, yes = curves
    chance = np.column_stack([no.chance, yes.chance])
    weight = no.weight
    of_yes = yes.block
    if apart:
        weight = np.concatenate([no.weight, yes.weight])
        of_yes = np.where(of_yes < 0, -1, of_yes + len(no.weight))
    return Calibration(
        probability=[[None if np.isnan(c) else float(c) for c in r] for r in chance],
        block=np.column_stack([no.block, of_yes]).tolist(),
        weight=[float(w) for w in weight],
        isotonic=isotonic,
    )


def _helps(reference: Task, seed: int) -> bool:
    """Whether calibrated chances are nearer the held-out shares than the scores."""
    counts = reference.cells[reference.scored].sum(axis=1)[:, [NO, YES]]
    counts = np.rint(counts).astype(np.int64)
    total = int(counts.sum())
    held = int(total * HELD_OUT)
    if held < FEWEST_ROWS:
        return False
    scores = np.clip(reference.scores(), 0.0, 1.0)
    gained = 0.0
    special = np.zeros((SPECIAL_BINS, 2))
    rng = np.random.default_rng(seed)
    for _ in range(REPEATS):
        out = rng.multivariate_hypergeometric(counts.ravel(), held).reshape(-1, 2)
        kept = np.vstack([counts - out, special])
        chance = _curve(kept, scores, True).chance[: len(scores)]
        gained += _distance(out, scores) - _distance(out, chance)
    return gained > 0


def _distance(counts: Counts, chances: Array) -> float:
    """Expected calibration error of chances on (S, 2) counts, ten equal groups."""
    rows = counts.sum(axis=1)
    group = equal_groups(rows)
    promised = np.bincount(group, weights=rows * chances)
    came = np.bincount(group, weights=counts[:, YES])
    return float(np.abs(promised - came).sum() / rows.sum())
