"""Raw rows of synthetic models whose cause of change is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import expit, logit, softmax

from data.model_records import Columns, Feature, ModelSpec

CLASSES = ("a", "b", "c")
PLACES = ("north", "south", "west")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Raw rows: numeric inputs (n, 5), a category and their scores and labels.

    score: (n, classes) chances, or (n, 1) of a regression. label: NaN while unknown.
    """

    x: Floats
    place: npt.NDArray[np.str_]
    score: Floats
    label: Floats


Change = Callable[[np.random.Generator, str, int], Rows]


def spec_of(kind: str) -> ModelSpec:
    """A model of a kind with five numeric features and a categorical one."""
    names = ("signal", "clarity", "temperature", "minor", "idle")
    features = [Feature(name, "numeric") for name in names]
    features.append(Feature("place", "categorical"))
    if kind == "regression":
        columns = Columns(label="label")
        return ModelSpec("causes", kind, tuple(features), columns=columns)
    classes = ("no", "yes") if kind == "binary" else CLASSES
    scores = {"yes": "score"} if kind == "binary" else {c: c for c in classes}
    positive = "yes" if kind == "binary" else None
    return ModelSpec(
        "causes",
        kind,
        tuple(features),
        columns=Columns(scores=scores, label="label"),
        classes=classes,
        positive=positive,
    )


def inputs_of(
    random: np.random.Generator, n: int
) -> tuple[Floats, npt.NDArray[np.str_]]:
    """Inputs without drift."""
    x = random.normal(size=(n, 5))
    x[:, 2] = 20 + 6 * x[:, 2]
    x[:, 3] = np.exp(x[:, 3] / 2)
    return x, random.choice(PLACES, n, p=[0.5, 0.3, 0.2])


def truth(x: Floats, place: npt.NDArray[np.str_], kind: str, turned: bool) -> Floats:
    """What the label depends on; ``turned``: another relation than the model knows."""
    signal = np.where(turned, -0.4, 1.0) * x[:, 0]
    clear = np.clip(2.5 + 1.2 * x[:, 1], 0.2, None)
    rest = 0.08 * (x[:, 2] - 20) + 0.3 * (x[:, 3] - 1.1) + 0.6 * (place == "south")
    if kind == "regression":
        return np.asarray(10 + 4 * signal + rest)
    if kind == "binary":
        return np.asarray(clear * signal + rest - 0.3)
    return np.stack([clear * signal, rest, -clear * signal * 0.6 - 0.2], axis=1)


def told(x: Floats, place: npt.NDArray[np.str_], kind: str) -> Floats:
    """The model's output: the truth it has learnt, missing values as their mean."""
    seen = np.where(np.isnan(x), [0.0, 0.0, 20.0, 1.1, 0.0], x)
    known = truth(seen, place, kind, False)
    if kind == "regression":
        return known[:, np.newaxis]
    if kind == "binary":
        yes = expit(known)
        return np.stack([1 - yes, yes], axis=1)
    return np.asarray(softmax(known, axis=1))


def labels_of(
    random: np.random.Generator,
    x: Floats,
    place: npt.NDArray[np.str_],
    kind: str,
    turned: bool = False,
) -> Floats:
    """Labels drawn from the truth: a number, or the place of a class."""
    known = truth(x, place, kind, turned)
    if kind == "regression":
        noise = 1.2 * np.exp(-0.5 * np.clip(x[:, 1], -2.5, 2.5))
        return np.asarray(known + noise * random.normal(size=len(x)))
    if kind == "binary":
        return np.asarray(random.random(len(x)) < expit(known), dtype=np.float64)
    chance = np.cumsum(softmax(known, axis=1), axis=1)
    drawn = (random.random((len(x), 1)) > chance).sum(axis=1)
    return np.asarray(np.minimum(drawn, len(CLASSES) - 1), dtype=np.float64)


def fine(random: np.random.Generator, kind: str, n: int) -> Rows:
    """Rows like the reference's."""
    x, place = inputs_of(random, n)
    return Rows(x, place, told(x, place, kind), labels_of(random, x, place, kind))


def benign(random: np.random.Generator, kind: str, n: int) -> Rows:
    """A feature the model does not use moves by 0.6 sd."""
    rows = fine(random, kind, n)
    rows.x[:, 4] += 0.6
    return rows


def harmful(random: np.random.Generator, kind: str, n: int) -> Rows:
    """More rows that the model has always found hard."""
    x, place = inputs_of(random, n)
    x[:, 1] -= 1.5
    return Rows(x, place, told(x, place, kind), labels_of(random, x, place, kind))


def label_shift(random: np.random.Generator, kind: str, n: int) -> Rows:
    """Other shares of the labels, the same inputs given the label."""
    rows = fine(random, kind, 12 * n)
    if kind == "regression":
        weight = np.exp(0.3 * (rows.label - rows.label.mean()))
    else:
        weight = np.array([0.3, 1.0, 2.0])[rows.label.astype(int)]
        weight = np.where(rows.label == 0, 0.3, weight)
    kept = random.choice(len(weight), n, replace=False, p=weight / weight.sum())
    return Rows(rows.x[kept], rows.place[kept], rows.score[kept], rows.label[kept])


def concept(random: np.random.Generator, kind: str, n: int) -> Rows:
    """The strongest feature means the opposite; the inputs are the same."""
    x, place = inputs_of(random, n)
    label = labels_of(random, x, place, kind, turned=True)
    return Rows(x, place, told(x, place, kind), label)


def missing(random: np.random.Generator, kind: str, n: int) -> Rows:
    """A third of the strongest feature is gone."""
    rows = fine(random, kind, n)
    rows.x[random.random(n) < 0.33, 0] = np.nan
    return replace(rows, score=told(rows.x, rows.place, kind))


def unit(random: np.random.Generator, kind: str, n: int) -> Rows:
    """Degrees Fahrenheit instead of Celsius, or thousandths, half of the time."""
    rows = fine(random, kind, n)
    known = rows.x[:, 2]
    rows.x[:, 2] = known * 1.8 + 32 if random.random() < 0.5 else known * 1000
    seen = rows.x.copy()
    seen[:, 2] = np.clip(seen[:, 2], -10, 120)
    return replace(rows, score=told(seen, rows.place, kind))


def new_category(random: np.random.Generator, kind: str, n: int) -> Rows:
    """Every sixth row has a category that the reference never had."""
    rows = fine(random, kind, n)
    place = rows.place.astype("<U8")
    place[random.random(n) < 0.16] = "abroad"
    return replace(rows, place=place, score=told(rows.x, place, kind))


def calibration(random: np.random.Generator, kind: str, n: int) -> Rows:
    """Scores too sure or too modest, in the same order; of numbers, all too high."""
    rows = fine(random, kind, n)
    if kind == "regression":
        return replace(rows, score=rows.score + 1.2)
    steep = 3.0 if random.random() < 0.5 else 0.35
    if kind == "binary":
        yes = expit(steep * logit(np.clip(rows.score[:, 1], 1e-9, 1 - 1e-9)) + 0.4)
        return replace(rows, score=np.stack([1 - yes, yes], axis=1))
    return replace(
        rows, score=np.asarray(softmax(steep * np.log(rows.score + 1e-9), axis=1))
    )


CAUSES: Mapping[str, tuple[Change, frozenset[str]]] = {
    "fine": (fine, frozenset({"fine", "input_shift low"})),
    "benign shift": (benign, frozenset({"fine", "input_shift low"})),
    "harmful shift": (harmful, frozenset({"input_shift"})),
    "label shift": (label_shift, frozenset({"label_shift"})),
    "concept drift": (concept, frozenset({"concept_drift"})),
    "missing": (missing, frozenset({"data_quality"})),
    "unit change": (unit, frozenset({"data_quality"})),
    "new category": (new_category, frozenset({"data_quality"})),
    "calibration": (calibration, frozenset({"calibration"})),
    "too few rows": (fine, frozenset({"cannot_tell"})),
}
"""Cause -> its rows and the verdicts that are right."""


def table_of(spec: ModelSpec, rows: Rows) -> pa.Table:
    """The rows in canonical columns."""
    columns: dict[str, object] = {f"f{i}": rows.x[:, i] for i in range(5)}
    columns["f5"] = pa.array(rows.place.tolist())
    if spec.kind == "regression":
        label = pa.array(rows.label, from_pandas=True)
        columns |= {"prediction": rows.score[:, 0], "label": label}
        return pa.table(columns)
    classes = np.array(spec.classes)
    for place, name in enumerate(spec.scored):
        columns[f"s{place}"] = rows.score[:, spec.classes.index(name)]
    columns["prediction"] = pa.array(classes[rows.score.argmax(axis=1)].tolist())
    known = np.isfinite(rows.label)
    label = classes[np.where(known, rows.label, 0).astype(int)]
    columns["label"] = pa.array(label.tolist(), mask=~known)
    return pa.table(columns)
