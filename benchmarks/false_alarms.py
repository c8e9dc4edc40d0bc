"""False alarms and power of the drift test: ``python -m benchmarks.false_alarms``.

Normal data, 25 features, a reference of 7,000 rows (10 weeks), 52 weeks of 700 rows;
the first 5 features move by ``shift`` standard deviations from ``start_week`` on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from services.stats.lasting import drift_p, lasting_p
from services.stats.measures import ks
from services.stats.significance import discoveries, ks_p_value

FEATURES, SHIFTED, WEEKS = 25, 5, 52
REFERENCE_ROWS, WEEK_ROWS = 7_000, 700
BINS = 250
FOUND_WITHIN = 4
CASES: tuple[tuple[float, int], ...] = ((0, 0), (0.1, 0), (0.1, 26), (0.2, 0), (0.3, 0))
"""Shift in standard deviations and the week it starts."""

Counts = NDArray[np.int64]
PValues = Callable[[Counts, Counts], NDArray[np.float64]]


def weekly(reference: Counts, windows: Counts) -> NDArray[np.float64]:
    """p of each week alone: Kolmogorov-Smirnov on the reference's quantile bins."""
    return ks_p_value(ks(reference, windows), reference.sum(), windows.sum(axis=-1))


def combined(reference: Counts, windows: Counts) -> NDArray[np.float64]:
    """p of each week with the evidence of the weeks before it."""
    return drift_p(weekly(reference, windows), lasting_p(reference, windows))


def run(
    seed: int, shift: float, start_week: int, p_values: PValues = combined
) -> dict[str, float]:
    """One simulated year.

    Returns:
        ``hits`` of ``shifted`` feature-weeks, ``false`` of ``unshifted`` ones,
        ``weeks_false`` weeks with any false alarm, and ``found``: the share of the
        shifted features found within four weeks of the start (NaN without a shift).
    """
    random = np.random.default_rng(seed)
    moved = np.zeros((FEATURES, WEEKS), dtype=np.bool_)
    if shift:
        moved[:SHIFTED, start_week:] = True
    shifts = np.where(moved, float(shift), 0.0)
    p = np.stack([p_values(*_feature(random, row)) for row in shifts])
    called = discoveries(p, axis=0)
    wrong = called & ~moved
    soon = called[:SHIFTED, start_week : start_week + FOUND_WITHIN].any(axis=1)
    return {
        "hits": float((called & moved).sum()),
        "shifted": float(moved.sum()),
        "false": float(wrong.sum()),
        "unshifted": float((~moved).sum()),
        "weeks_false": float(wrong.any(axis=0).sum()),
        "found": float(soon.mean()) if shift else float("nan"),
    }


def _feature(
    random: np.random.Generator, shift: NDArray[np.float64]
) -> tuple[Counts, Counts]:
    """Counts of a reference and of 52 weeks on the reference's quantile bins."""
    reference = random.normal(size=REFERENCE_ROWS)
    values = random.normal(size=(WEEKS, WEEK_ROWS)) + shift[:, np.newaxis]
    edges = np.quantile(reference, np.arange(1, BINS) / BINS)
    week = np.arange(WEEKS)[:, np.newaxis]
    cell = np.searchsorted(edges, values, side="right") + BINS * week
    counts = np.bincount(cell.ravel(), minlength=BINS * WEEKS).reshape(WEEKS, BINS)
    in_reference = np.searchsorted(edges, reference, side="right")
    return np.bincount(in_reference, minlength=BINS), counts


def main(seeds: int = 20) -> int:
    """Print the table over seeds, for the week alone and for both tests."""
    table = Table("Test", "Shift", "From week", "Hits", "of", "False", "max", "Found")
    for name, p_values in (("KS alone", weekly), ("combined", combined)):
        for shift, start in CASES:
            years = [run(seed, shift, start, p_values) for seed in range(seeds)]
            mean = {key: np.mean([year[key] for year in years]) for key in years[0]}
            table.add_row(
                name,
                f"{shift:g} sd",
                str(start),
                f"{mean['hits']:.1f}",
                f"{mean['shifted']:.0f}",
                f"{mean['false']:.1f}",
                f"{max(year['false'] for year in years):.0f}",
                f"{mean['found']:.1%}" if shift else "–",
            )
    Console(width=100).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
