"""Views of monitored models for the tests of the screens: small, whole and huge."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.models_views import (
    DeliveryRow,
    FeatureFact,
    HealthCell,
    ModelDetailView,
    ModelHeaderView,
    ModelRow,
    ModelsQuery,
    ModelsView,
    VersionRow,
)
from tests.conftest import NOW

WEEK = timedelta(days=7)
LOOKS = (
    ("fine", "none", "fine", "412 rows, accuracy 0.871 within its band."),
    ("fine", "none", "fine", "398 rows, accuracy 0.866 within its band."),
    ("look", "medium", "input_shift", "income moved by 0.4 sd (KS 0.16, p 0.001)."),
    ("cannot_tell", "none", "cannot_tell", "Only 38 rows, 100 are needed."),
    (
        "look",
        "critical",
        "concept_drift",
        "Accuracy 0.71 where 0.86 was estimated (band ±0.02) on 412 labelled rows.",
    ),
    ("none", "none", "none", "No prediction in this window."),
)
COUNTS = ("all", "look", "cannot_tell", "fine", "none", "late_labels", "archived")


def strip(length: int, last: int = 4) -> tuple[HealthCell, ...]:
    """Weekly windows of every look, ending with ``LOOKS[last]``."""
    cells = []
    for i in range(length):
        look = LOOKS[last] if i == length - 1 else LOOKS[(i * i + i // 3) % len(LOOKS)]
        start = NOW - WEEK * (length - i)
        state, severity, verdict, sentence = look
        cells.append(
            HealthCell(start, start + WEEK, state, severity, verdict, sentence)
        )
    return tuple(cells)


def row(name: str = "churn", look: int = 4, **changes: Any) -> ModelRow:
    """A model with a year of weekly windows."""
    state, severity, verdict, sentence = LOOKS[look]
    values: dict[str, Any] = {
        "name": name, "kind": "binary", "owner": "Risk team", "tags": ("retail", "eu"),
        "version": "3", "versions": 3, "archived": False, "simulated": False,
        "state": state, "severity": severity, "verdict": verdict, "sentence": sentence,
        "strip": strip(52, look), "headline": ("AUC", 0.8312), "rows": 412,
        "last_data": NOW - timedelta(hours=3), "label_lag_days": 6.4,
        "label_coverage": 0.82,
    }  # fmt: skip
    return ModelRow(**{**values, **changes})


BARE = row(
    "bare", look=5, kind="regression", owner="", tags=(), version="", versions=0,
    strip=(), headline=None, rows=0, last_data=None, label_lag_days=None,
    label_coverage=None,
)  # fmt: skip


def view(*rows: ModelRow, found: int | None = None, **query: Any) -> ModelsView:
    """A page with these rows."""
    total = len(rows) if found is None else found
    asked = ModelsQuery(**query)
    return ModelsView(
        query=asked, rows=rows, found=total,
        pages=max(-(-total // asked.page_size), 1), size=total,
        counts=dict.fromkeys(COUNTS, total), owners=("Risk team",),
        tags=("eu", "retail"), now=NOW,
    )  # fmt: skip


def version(name: str, *, champion: bool = False, **changes: Any) -> VersionRow:
    """A version with a pinned reference."""
    values: dict[str, Any] = {
        "version": name, "champion": champion, "created_at": NOW - 60 * WEEK,
        "rows": 21_424, "first_data": NOW - 52 * WEEK, "last_data": NOW,
        "reference": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "reference_rows": 10_000,
        "reference_source": "train.parquet", "reference_at": NOW - 60 * WEEK,
        "lineage": {"run": "a41f", "algorithm": "gradient boosting"},
    }  # fmt: skip
    return VersionRow(**{**values, **changes})


def detail(shown: ModelRow | None = None, features: int = 4, **changes: Any):
    """A model whole."""
    facts = [
        FeatureFact(
            f"feature_{i}", "numeric", 0.4 / (i + 1), "measured", 0.013 * i, False
        )
        for i in range(features)
    ]
    facts.append(FeatureFact("plan", "categorical", None, "", None, True))
    delivery = DeliveryRow(
        NOW - timedelta(hours=3), "ada", "inferences", "week-10.parquet",
        430, 412, 11, 7,
        ("New column: channel.", "Missing column: region."),
    )  # fmt: skip
    values: dict[str, Any] = {
        "row": shown or row(), "description": "Will the customer leave in 30 days?",
        "created_at": NOW - 60 * WEEK, "window": "week", "retention_days": 400,
        "versions": (
            version("3", champion=True),
            version("2", reference=None, reference_rows=None, reference_source=None,
                    reference_at=None, lineage={}),
        ),
        "features": tuple(facts),
        "columns": {"id": "prediction_id", "timestamp": "at", "label": "left"},
        "classes": ("no", "yes"), "segments": ("country", "channel"),
        "thresholds": ("accuracy below 0.82",), "deliveries": (delivery,),
        "label_delay_days": (1.0, 3.0, 7.0, 14.0, 30.0),
        "label_delay_shares": (0.05, 0.2, 0.55, 0.82, 0.91),
        "yaml": "name: churn\nkind: binary\n", "now": NOW,
    }  # fmt: skip
    return ModelDetailView(**{**values, **changes})


def header(name: str = "churn", **changes: Any) -> ModelHeaderView:
    """The header of a model between two others."""
    values: dict[str, Any] = {
        "name": name, "kind": "binary", "version": "3", "champion": "3",
        "versions": ("3", "2"), "archived": False, "simulated": True, "state": "look",
        "verdict": "concept_drift", "last_data": NOW - timedelta(hours=3),
        "options": (("alpha", "alpha"), ("churn", "churn"), ("price", "price")),
        "severity": "critical",
    }  # fmt: skip
    return ModelHeaderView(**{**values, **changes})
