"""What the Drift tab shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

MEASURES: Mapping[str, str] = {
    "psi": "PSI",
    "js": "Jensen-Shannon distance (base 2)",
    "js_divergence": "Jensen-Shannon divergence (base 2)",
    "ks": "KS distance",
    "wasserstein": "Wasserstein distance (in reference sd)",
    "hellinger": "Hellinger distance",
    "l_infinity": "L-infinity distance",
    "tvd": "Total variation distance",
    "chi_square": "Chi-square per degree of freedom",
}
REFERENCES: Mapping[str, str] = {
    "pinned": "Pinned reference",
    "rolling": "The 4 windows before",
    "season": "Same season a year before",
}
CELL_STATES: tuple[str, ...] = ("drift", "missing", "unseen", "watch", "fine", "few")
"""drift: p below q after Benjamini-Hochberg; missing, unseen: more values are missing
or outside the reference's categories than chance explains; watch: flagged now but
not persistent and small; few: too few rows to judge (grey); ``none`` = no rows."""


@dataclass(frozen=True)
class DriftQuery:
    """What is asked for. Empty ``version`` = the champion.

    window: hour, day, week or month, empty = the model's own. segment: ``""`` or
    ``column=value``. ``feature`` and ``at`` (start of a window as ISO text) pick the
    cell that is shown whole; empty = the most harmful feature in the newest window.
    """

    model: str
    version: str = ""
    measure: str = "psi"
    window: str = ""
    segment: str = ""
    reference: str = "pinned"
    feature: str = ""
    at: str = ""
    text_from: str | None = None
    text_to: str | None = None


@dataclass(frozen=True)
class WindowView:
    """A column of the heat map and the verdict of that window."""

    start: datetime
    end: datetime
    rows: int
    state: str
    severity: str
    verdict: str
    sentence: str


@dataclass(frozen=True)
class DriftCell:
    """One feature in one window. ``p`` is adjusted for the window's features.

    expected: what the measure shows without any drift at these numbers of rows.
    shift: signed size in reference standard deviations for numeric features.
    """

    state: str
    value: float | None
    p: float | None
    expected: float | None
    missing: float | None
    rows: int


@dataclass(frozen=True)
class FeatureRow:
    """A row of the heat map; rows come most harmful first.

    harm: shift × importance × local performance change in the picked window, as the
    expected change of the headline metric; ``None`` where it cannot be told.
    """

    name: str
    type: str
    importance: float | None
    harm: float | None
    cells: tuple[DriftCell, ...]


@dataclass(frozen=True)
class MeasureRow:
    """One measure of the picked cell with its no-drift expectation."""

    measure: str
    value: float | None
    expected: float | None
    p: float | None


@dataclass(frozen=True)
class CategoryRow:
    """One category: share in the reference and in the window."""

    name: str
    reference: float
    current: float
    kind: str
    """``known``, ``other`` (rare ones together), ``unseen`` or ``missing``."""


@dataclass(frozen=True)
class FeatureDetail:
    """Both distributions of one feature on one axis.

    Numeric: ``edges`` (n+1, finite: tails are cut at the plotted range), shares of
    each bar in reference and window, ``below``/``above`` = shares outside the plotted
    range as (reference, current); ``quantiles`` = (level, reference value, current
    value). Categorical: ``categories`` by share of the reference, largest first.
    missing, infinite, unseen: (reference share, current share).
    """

    feature: str
    type: str
    start: datetime
    end: datetime
    reference_words: str
    reference_rows: int
    rows: int
    edges: tuple[float, ...]
    reference_shares: tuple[float, ...]
    shares: tuple[float, ...]
    below: tuple[float, float]
    above: tuple[float, float]
    quantiles: tuple[tuple[float, float, float], ...]
    categories: tuple[CategoryRow, ...]
    missing: tuple[float, float]
    infinite: tuple[float, float]
    unseen: tuple[float, float]
    measures: tuple[MeasureRow, ...]
    detectable_shift: float | None
    harm: float | None
    state: str
    sentence: str
    formula: str


@dataclass(frozen=True)
class ConceptPanel:
    """P(label | score) in the reference and the window, and the gap over time.

    groups: (mean score, reference share, window share, low, high, rows).
    gap: (start, value, low, high) of realised minus estimated.
    """

    metric: str
    groups: tuple[
        tuple[float, float, float | None, float | None, float | None, int], ...
    ]
    gap: tuple[tuple[datetime, float | None, float | None, float | None], ...]
    sentence: str


@dataclass(frozen=True)
class MultivariatePoint:
    """The multivariate results of one window; ``None`` while not computed."""

    start: datetime
    auc: float | None
    auc_limit: float | None
    reconstruction: float | None
    reconstruction_low: float | None
    reconstruction_high: float | None


@dataclass(frozen=True)
class MultivariatePanel:
    """Domain classifier and PCA reconstruction over time, and what explains it.

    columns: (feature, importance) in the picked window; pair: the two features
    whose relation changed most.
    """

    points: tuple[MultivariatePoint, ...]
    columns: tuple[tuple[str, float], ...]
    pair: tuple[str, str] | None
    sentence: str


@dataclass(frozen=True)
class DriftView:
    """The tab. ``problem`` says why there is nothing to show, and what to do.

    reference_hash, code: what the scores were made of; python: the snippet that
    fetches and draws the same.
    """

    query: DriftQuery
    kind: str
    version: str
    versions: tuple[str, ...]
    segments: tuple[str, ...]
    measure: str
    window: str
    reference: str
    windows: tuple[WindowView, ...]
    features: tuple[FeatureRow, ...]
    picked_feature: str | None
    picked_start: datetime | None
    detail: FeatureDetail | None
    concept: ConceptPanel | None
    multivariate: MultivariatePanel | None
    verdict: WindowView | None
    harmful: tuple[str, ...]
    least_rows: int
    q: float
    reference_hash: str
    reference_rows: int
    python: str
    notes: tuple[str, ...]
    problem: str | None
    start: datetime
    end: datetime
    now: datetime
