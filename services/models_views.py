"""What the Models tab and the header of every monitoring page show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

STATES: tuple[str, ...] = ("look", "cannot_tell", "fine", "none")
"""The three verdicts of a window, and none at all (no data); worst first."""

VERDICTS: Mapping[str, str] = {
    "fine": "Fine",
    "input_shift": "Input shift",
    "label_shift": "Label shift",
    "concept_drift": "Concept drift",
    "data_quality": "Data-quality break",
    "calibration": "Broken calibration",
    "cannot_tell": "Cannot tell",
    "none": "No data",
}
SEVERITIES: tuple[str, ...] = ("critical", "high", "medium", "low", "none")


@dataclass(frozen=True)
class HealthCell:
    """One window of the health strip.

    state: one of ``STATES``; severity: one of ``SEVERITIES``; verdict: a key of
    ``VERDICTS``; sentence: what it is, with its numbers.
    """

    start: datetime
    end: datetime
    state: str
    severity: str
    verdict: str
    sentence: str


@dataclass(frozen=True)
class ModelRow:
    """One model of the list. ``strip`` has the newest cell last, at most 52.

    headline: name of the measure shown and its newest value, e.g. ``("AUC", 0.83)``;
    ``None`` where it cannot be told. rows: predictions in the newest window.
    label_lag_days: median age of a label when it came; label_coverage: share of the
    newest full window's predictions that have their label.
    """

    name: str
    kind: str
    owner: str
    tags: tuple[str, ...]
    version: str
    versions: int
    archived: bool
    simulated: bool
    state: str
    severity: str
    verdict: str
    sentence: str
    strip: tuple[HealthCell, ...]
    headline: tuple[str, float] | None
    rows: int
    last_data: datetime | None
    label_lag_days: float | None
    label_coverage: float | None


@dataclass(frozen=True)
class ModelsQuery:
    """Which models. ``state``: a key of ``ModelsView.counts``.

    sort: ``worst``, ``name``, ``owner``, ``last_data`` or ``label_lag``.
    """

    state: str = "all"
    text: str = ""
    kind: str = ""
    owner: str = ""
    tag: str = ""
    sort: str = "worst"
    descending: bool = False
    page: int = 1
    page_size: int = 20


@dataclass(frozen=True)
class ModelsView:
    """One page of the list. ``size`` counts all models, archived ones included.

    counts: ``all`` (not archived), ``look``, ``cannot_tell``, ``fine``, ``none``
    (no data yet), ``late_labels``, ``archived``.
    """

    query: ModelsQuery
    rows: tuple[ModelRow, ...]
    found: int
    pages: int
    size: int
    counts: Mapping[str, int]
    owners: tuple[str, ...]
    tags: tuple[str, ...]
    now: datetime


@dataclass(frozen=True)
class VersionRow:
    """A version in a model's lineage. ``reference`` is the hash of its reference."""

    version: str
    champion: bool
    created_at: datetime
    rows: int
    first_data: datetime | None
    last_data: datetime | None
    reference: str | None
    reference_rows: int | None
    reference_source: str | None
    reference_at: datetime | None
    lineage: Mapping[str, object]


@dataclass(frozen=True)
class FeatureFact:
    """A feature of the schema. ``importance``: share, and who says so."""

    name: str
    type: str
    importance: float | None
    importance_source: str
    missing_share: float | None
    retired: bool


@dataclass(frozen=True)
class DeliveryRow:
    """One accepted import or call: what came, what was refused, what looked new."""

    at: datetime
    by: str
    kind: str
    source: str
    read: int
    taken: int
    duplicates: int
    rejected: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ModelDetailView:
    """One model whole: lineage, schema, deliveries, its own file."""

    row: ModelRow
    description: str
    created_at: datetime
    window: str
    retention_days: int | None
    versions: tuple[VersionRow, ...]
    features: tuple[FeatureFact, ...]
    columns: Mapping[str, str]
    classes: tuple[str, ...]
    segments: tuple[str, ...]
    thresholds: tuple[str, ...]
    deliveries: tuple[DeliveryRow, ...]
    label_delay_days: tuple[float, ...]
    label_delay_shares: tuple[float, ...]
    yaml: str
    now: datetime


@dataclass(frozen=True)
class ModelHeaderView:
    """The header of a page about one model. ``options``: name and label of each."""

    name: str
    kind: str
    version: str
    champion: str
    versions: tuple[str, ...]
    archived: bool
    simulated: bool
    state: str
    verdict: str
    last_data: datetime | None
    options: tuple[tuple[str, str], ...]
    severity: str = "none"
