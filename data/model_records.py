"""The plain records of monitored models: what a model is, its versions, references.

Rows of a model are stored under canonical column names, so that no name a person
chose becomes SQL: ``f0, f1, …`` for features in the order of the specification (which
only grows), ``s0, s1, …`` for the scores of the scored classes, ``g0, …`` for
segments, besides ``KEY_COLUMNS`` and ``prediction``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

KINDS: tuple[str, ...] = ("binary", "multiclass", "regression")
FEATURE_TYPES: tuple[str, ...] = ("numeric", "categorical")
MODEL_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
VERSION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,39}$"
KEY_COLUMNS: tuple[str, ...] = ("prediction_id", "ts", "version")
WINDOWS: tuple[str, ...] = ("hour", "day", "week", "month")
LABEL = "label"
"""Canonical name of the label in frames that carry it."""


@dataclass(frozen=True)
class Feature:
    """One input of a model.

    ``importance`` is a share of the model's importance given by its owner;
    ``retired`` features are no longer sent and no longer judged.
    """

    name: str
    type: str
    importance: float | None = None
    retired: bool = False


@dataclass(frozen=True)
class Columns:
    """Under which names a sender gives the parts of a row that are not features.

    ``scores`` maps a class to the column with its score; for a binary model it is
    the positive class alone. Empty = the model gives no scores.
    """

    id: str = "prediction_id"
    timestamp: str = "ts"
    prediction: str = "prediction"
    label: str | None = None
    scores: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Threshold:
    """A floor or ceiling of one metric over one window."""

    metric: str
    below: float | None = None
    above: float | None = None


@dataclass(frozen=True)
class ModelSpec:
    """A model as its YAML file says; the screens edit the same thing.

    ``classes`` and ``positive`` are empty for a regression. ``window`` is the length
    of the windows it is judged in. ``retention_days``: raw rows older than this are
    dropped, their histograms are kept; ``None`` = the setting.
    """

    name: str
    kind: str
    features: tuple[Feature, ...]
    version: str = "1"
    columns: Columns = field(default_factory=Columns)
    classes: tuple[str, ...] = ()
    positive: str | None = None
    segments: tuple[str, ...] = ()
    owner: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    window: str = "week"
    thresholds: tuple[Threshold, ...] = ()
    routes: tuple[str, ...] = ()
    retention_days: int | None = None
    archived: bool = False
    simulated: bool = False

    @property
    def scored(self) -> tuple[str, ...]:
        """The classes with a score, in the order of ``s0, s1, …``."""
        return tuple(self.columns.scores)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The classes judged one against the rest: the positive one, or all."""
        if self.kind == "regression":
            return ()
        if self.kind == "binary":
            return (self.positive,) if self.positive else self.classes[-1:]
        return self.classes

    def feature_column(self, name: str) -> str:
        """The canonical column of a feature; ``KeyError`` where there is none."""
        for place, feature in enumerate(self.features):
            if feature.name == name:
                return f"f{place}"
        raise KeyError(name)


@dataclass(frozen=True)
class Model:
    """A model as registered. ``revision`` grows with every change."""

    id: int
    spec: ModelSpec
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Version:
    """One version of a model; ``lineage`` holds what its owner said of its making."""

    model_id: int
    version: str
    created_at: datetime
    lineage: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ReferenceRecord:
    """An immutable reference of one model version; ``grid`` is ``Grid.to_json()``.

    ``path`` is the Parquet file of its rows in canonical columns (with ``label``
    where known); ``importance`` the measured importance of each feature.
    """

    id: int
    model_id: int
    version: str
    grid_id: str
    hash: str
    rows: int
    labelled: int
    source: str
    path: str
    grid: Mapping[str, object]
    importance: Mapping[str, float]
    created_at: datetime
    created_by: str
