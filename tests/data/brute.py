"""Histograms and performance cells counted row by row, as slowly as they can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from data.grids import CategoryGrid, ColumnGrid, Grid
from data.model_records import ModelSpec


def bin_of(column: ColumnGrid, value: Any) -> int:
    """The bin of one value."""
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    if isinstance(column, CategoryGrid):
        if missing:
            return column.size - 1
        if value in column.categories:
            return column.categories.index(value)
        rare = column.full or value in column.known
        return column.size - (3 if rare else 2)
    if missing:
        return column.size - 3
    if math.isinf(value):
        return column.size - (1 if value > 0 else 2)
    return int(np.count_nonzero(column.edges <= value))


def histogram(column: ColumnGrid, values: Sequence[Any]) -> list[int]:
    """How many values lie in each bin."""
    found = [0] * column.size
    for value in values:
        found[bin_of(column, value)] += 1
    return found


def confusion(
    spec: ModelSpec, predicted: Sequence[Any], labels: Sequence[Any]
) -> list[list[int]]:
    """Predicted against true; a class nobody declared, then unlabelled, come last."""
    classes = list(spec.classes)
    found = np.zeros((len(classes) + 1, len(classes) + 2), dtype=int)
    for guess, label in zip(predicted, labels, strict=True):
        row = classes.index(guess) if guess in classes else len(classes)
        column = classes.index(label) if label in classes else len(classes)
        found[row, len(classes) + 1 if label is None else column] += 1
    return found.tolist()


def class_cells(
    spec: ModelSpec,
    grid: Grid,
    name: str,
    predicted: Sequence[Any],
    labels: Sequence[Any],
    scores: Sequence[Any],
) -> list[Any]:
    """Score bin against being predicted and being true, of one class."""
    column = grid.columns[f"s{spec.scored.index(name)}"]
    found = np.zeros((column.size, 2, 3), dtype=int)
    for guess, label, score in zip(predicted, labels, scores, strict=True):
        state = 2 if label is None else int(label == name)
        found[bin_of(column, score), int(guess == name), state] += 1
    return found.tolist()


def brier(
    spec: ModelSpec, scores: Sequence[Sequence[Any]], labels: Sequence[Any]
) -> tuple[float, float, int]:
    """Sum of Brier and logarithmic losses, and how many rows have both."""
    total, logarithms, rows = 0.0, 0.0, 0
    for given, label in zip(scores, labels, strict=True):
        if label is None or any(s is None or math.isnan(s) for s in given):
            continue
        true = [float(label == name) for name in spec.scored]
        total += sum((s - t) ** 2 for s, t in zip(given, true, strict=True))
        chosen = sum(s * t for s, t in zip(given, true, strict=True))
        if spec.kind == "binary" and not true[0]:
            chosen = 1.0 - given[0]
        logarithms -= math.log(min(max(chosen, 1e-15), 1.0))
        rows += 1
    return total, logarithms, rows
