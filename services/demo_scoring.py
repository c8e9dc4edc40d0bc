"""The models of the demo: boosted trees, fitted to the rows they are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.model_records import ModelSpec
from services.stats.boosting import Scorer, classifier, regressor
from services.stats.encoding import Encoder
from services.stats.intervals import Array

ALGORITHM = "gradient-boosted trees (scikit-learn HistGradientBoosting)"
DECIDES = 0.5
"""The chance from which a binary model says its positive class."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A fitted model.

    scorers: one for each scored class, or one under ``""`` for a regression.
    rows: how many it was fitted to.
    """

    spec: ModelSpec
    encoder: Encoder
    scorers: Mapping[str, Scorer]
    rows: int

    def predicted(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with the columns of prediction and scores.

        Scores of more than two classes are those of each class against the rest,
        divided by their sum.
        """
        spec, found = self.spec, frame.copy()
        encoded = self.encoder.encode(frame)
        if spec.kind == "regression":
            found[spec.columns.prediction] = self.scorers[""](encoded)
            return found
        scores = np.column_stack([score(encoded) for score in self.scorers.values()])
        if spec.kind == "multiclass":
            scores = scores / scores.sum(axis=1, keepdims=True)
        for place, column in enumerate(spec.columns.scores.values()):
            found[column] = scores[:, place]
        found[spec.columns.prediction] = _classes(spec, scores)
        return found


def train(spec: ModelSpec, frame: pd.DataFrame, seed: int) -> Trained:
    """Fit a model to rows whose labels are known.

    Args:
        spec: names features, label and classes.
        frame: the features and the label, one row for each prediction.
        seed: of the fit.
    """
    features = frame[[f.name for f in spec.features]]
    categorical = [f.name for f in spec.features if f.type == "categorical"]
    encoder = Encoder.of(features, categorical)
    encoded, label = encoder.encode(features), frame[spec.columns.label]
    kinds = encoder.is_categorical
    if spec.kind == "regression":
        values = label.to_numpy(dtype=np.float64)
        scorers = {"": regressor(encoded, values, kinds, seed)}
    else:
        scorers = {
            name: classifier(encoded, _is(label, name), kinds, seed)
            for name in spec.scored
        }
    return Trained(spec, encoder, scorers, len(frame))


def _is(label: pd.Series, name: str) -> Array:
    return np.asarray((label == name).to_numpy(), dtype=np.float64)


def _classes(spec: ModelSpec, scores: Array) -> npt.NDArray[np.generic]:
    names = np.array(spec.scored, dtype=object)
    if spec.kind == "multiclass":
        return np.asarray(names[scores.argmax(axis=1)])
    positive = spec.scored[0]
    negative = next(name for name in spec.classes if name != positive)
    return np.where(scores[:, 0] >= DECIDES, positive, negative)
