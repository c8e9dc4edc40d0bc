"""Frames of any columns as plain numbers, the same way for every window."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from services.stats.intervals import Array

MOST_CATEGORIES = 250
"""Categories with a code of their own, the most frequent ones; trees take 255."""


@dataclass(frozen=True, eq=False)
class Encoder:
    """Columns and the categories of the reference, in order of their codes.

    columns: all columns, in the order of the encoded array.
    categories: of the categorical columns; a column not named here is numeric.
    """

    columns: tuple[str, ...]
    categories: Mapping[str, pd.Index]

    @classmethod
    def of(
        cls, reference: pd.DataFrame, categorical: Collection[str] | None = None
    ) -> Encoder:
        """The encoder that freezes the categories of a reference.

        Args:
            reference: the columns to encode, and no others.
            categorical: the categorical ones; None takes all that are not numbers.
        """
        if categorical is None:
            categorical = [c for c in reference.columns if not _number(reference[c])]
        found = {str(c): _frequent(reference[c]) for c in reference if c in categorical}
        return cls(tuple(map(str, reference.columns)), found)

    @property
    def is_categorical(self) -> list[bool]:
        """Per column whether it holds category codes."""
        return [column in self.categories for column in self.columns]

    def encode(self, frame: pd.DataFrame) -> Array:
        """(rows, columns) numbers; NaN where a value is missing or infinite.

        A category the encoder has no code for gets the number after the last code; a
        column the frame lacks is missing throughout.
        """
        encoded = np.full((len(frame), len(self.columns)), np.nan)
        for place, column in enumerate(self.columns):
            if column not in frame:
                continue
            known = self.categories.get(column)
            values = frame[column]
            encoded[:, place] = (
                _numbers(values) if known is None else _codes(values, known)
            )
        return encoded


def _number(values: pd.Series) -> bool:
    kind = values.dtype
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def _frequent(values: pd.Series) -> pd.Index:
    counts = values.astype(object).value_counts()
    # Sorted by name among equals, so that the codes do not hang on the row order.
    order = sorted(counts.index, key=lambda name: (-counts[name], str(name)))
    found: pd.Index = pd.Index(order[:MOST_CATEGORIES], dtype=object)
    return found


def _numbers(values: pd.Series) -> Array:
    numbers = pd.to_numeric(values, errors="coerce")
    found: Array = numbers.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    found[~np.isfinite(found)] = np.nan
    return found


def _codes(values: pd.Series, known: pd.Index) -> Array:
    codes = known.get_indexer(pd.Index(values, dtype=object)).astype(np.float64)
    codes[codes < 0] = len(known)
    codes[values.isna().to_numpy()] = np.nan
    return codes
