"""One monitored model whole: its lineage, schema, deliveries and label delay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from data.engine import QueryTimeout
from data.grids import Grid, NumericGrid
from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore, ModelFacts
from data.model_records import Model, ModelSpec, ReferenceRecord, Threshold
from data.model_store import Delivery, ModelStore
from data.outcomes import DELAY_BINS
from services.errors import Busy
from services.model_list import ModelList
from services.model_spec import write_yaml
from services.models_views import (
    DeliveryRow,
    FeatureFact,
    ModelDetailView,
    VersionRow,
)
from services.monitoring.scope import window_end, window_start

DELIVERIES = 20
DELAY_RANGE = timedelta(days=182)
"""The label delay is that of predictions of the last half year with data."""
MOST_NAMED = 8
Delay = tuple[tuple[float, ...], tuple[float, ...]]


class ModelDetails:
    """Reads everything there is to know of one model."""

    def __init__(
        self,
        store: ModelStore,
        judgements: JudgementStore,
        lake: InferenceLake,
        rows: ModelList,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._judgements = judgements
        self._lake = lake
        self._rows = rows
        self._clock = clock

    def view(self, model: Model) -> ModelDetailView:
        """The model whole.

        Raises:
            Busy: the lake did not answer in time.
        """
        spec = model.spec
        facts = {f.version: f for f in self._judgements.facts(model.id)}
        references: dict[int, ReferenceRecord] = {}
        versions = self._versions(model, facts, references)
        key = self._store.reference_id(model.id, spec.version)
        record = None if key is None else references.get(key)
        try:
            shares, delay = self._counted(model, record, facts.get(spec.version))
        except QueryTimeout as error:
            raise Busy(
                f"The counts of {spec.name} took too long to read. Try again."
            ) from error
        return ModelDetailView(
            row=self._rows.row(model),
            description=spec.description,
            created_at=model.created_at,
            window=spec.window,
            retention_days=spec.retention_days,
            versions=versions,
            features=_features(spec, record, shares),
            columns=columns_of(spec),
            classes=spec.classes,
            segments=spec.segments,
            thresholds=tuple(map(threshold_words, spec.thresholds)),
            deliveries=tuple(
                delivery_row(d) for d in self._store.delivered(model.id, DELIVERIES)
            ),
            label_delay_days=delay[0],
            label_delay_shares=delay[1],
            yaml=write_yaml(spec),
            now=self._clock(),
        )

    def _versions(
        self,
        model: Model,
        facts: Mapping[str, ModelFacts],
        references: dict[int, ReferenceRecord],
    ) -> tuple[VersionRow, ...]:
        """The versions, the champion first, then the newest; fills ``references``."""
        rows = []
        for known in reversed(self._store.versions(model.id)):
            key = self._store.reference_id(model.id, known.version)
            if key is not None and key not in references:
                references[key] = self._store.reference_by_id(key)
            record = None if key is None else references[key]
            fact = facts.get(known.version)
            rows.append(
                VersionRow(
                    version=known.version,
                    champion=known.version == model.spec.version,
                    created_at=known.created_at,
                    rows=fact.rows if fact else 0,
                    first_data=fact.first_data if fact else None,
                    last_data=fact.last_data if fact else None,
                    reference=record.hash if record else None,
                    reference_rows=record.rows if record else None,
                    reference_source=record.source if record else None,
                    reference_at=record.created_at if record else None,
                    lineage=known.lineage,
                )
            )
        return tuple(sorted(rows, key=lambda row: not row.champion))

    def _counted(
        self, model: Model, record: ReferenceRecord | None, facts: ModelFacts | None
    ) -> tuple[dict[str, float], Delay]:
        """Missing share of each feature in the newest window, and the label delay."""
        if record is None or facts is None or facts.last_data is None:
            return {}, ((), ())
        spec, grid = model.spec, Grid.from_json(record.grid)
        start = window_start(spec.window, facts.last_data)
        edges = (start, window_end(spec.window, start))
        grain = "hour" if spec.window == "hour" else "day"
        counts = self._lake.counts(
            model.id, spec.version, grid, "", edges, grain
        ).columns
        shares = {}
        for name, column in grid.columns.items():
            bins = counts[name][0]
            place = column.bins if isinstance(column, NumericGrid) else column.size - 1
            if bins.sum():
                shares[name] = float(bins[place] / bins.sum())
        day = window_start("day", facts.last_data)
        whole = (day - DELAY_RANGE, window_end("day", day))
        cells = self._lake.cells(
            spec, model.id, spec.version, grid, "", whole, "day"
        ).cells
        return shares, delay_curve(cells["delay"][0])


def delay_curve(counts: Any) -> Delay:
    """Ages in days, and the share of the labels that came within each age.

    Args:
        counts: labels by age, shape (DELAY_BINS,): bin d holds those that came within
            d + 1 days, the last one those that took longer.
    """
    total = counts.sum()
    if not total:
        return (), ()
    shares = np.cumsum(counts[: DELAY_BINS - 1]) / total
    last = int(np.searchsorted(shares, shares[-1])) + 1
    return (
        tuple(float(day + 1) for day in range(last)),
        tuple(float(share) for share in shares[:last]),
    )


def columns_of(spec: ModelSpec) -> dict[str, str]:
    """What each column that is no feature is, by its part in a row."""
    columns = spec.columns
    found = {
        "id": columns.id,
        "timestamp": columns.timestamp,
        "prediction": columns.prediction,
    }
    if columns.label:
        found["label"] = columns.label
    return found | {f"score of {n}": c for n, c in columns.scores.items()}


def threshold_words(limit: Threshold) -> str:
    """A threshold as people say it."""
    side, value = (
        ("below", limit.below) if limit.below is not None else ("above", limit.above)
    )
    return f"{limit.metric} {side} {value:g}"


def delivery_row(delivery: Delivery) -> DeliveryRow:
    """A delivery with what was new about its columns, in words."""
    receipt = delivery.receipt
    return DeliveryRow(
        at=delivery.at,
        by=delivery.by,
        kind=delivery.kind,
        source=delivery.source,
        read=receipt.get("read", 0),
        taken=receipt.get("taken", 0),
        duplicates=receipt.get("duplicates", 0),
        rejected=receipt.get("rejected_count", 0),
        notes=column_notes(
            receipt.get("unknown_columns", ()),
            receipt.get("missing_columns", ()),
            receipt.get("changed_types", ()),
        ),
    )


def column_notes(
    unknown: Sequence[str],
    missing: Sequence[str],
    changed: Sequence[Sequence[str]],
) -> tuple[str, ...]:
    """How columns differ from the schema, in words; changed: name, expected, found."""
    notes = []
    if unknown:
        notes.append(
            f"{_count(unknown, 'column')} not in the schema, left out: "
            f"{listed(unknown)}."
        )
    if missing:
        notes.append(f"{_count(missing, 'column')} missing: {listed(missing)}.")
    notes += [
        f"{name[:80]} should be {expected} but held {found}."
        for name, expected, found in changed[:MOST_NAMED]
    ]
    return tuple(notes)


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(name[:80] for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return shown + (f" and {more:,} more" if more > 0 else "")


def _count(names: Sequence[str], word: str) -> str:
    return f"{len(names):,} {word}{'' if len(names) == 1 else 's'}"


def _features(
    spec: ModelSpec, record: ReferenceRecord | None, shares: Mapping[str, float]
) -> tuple[FeatureFact, ...]:
    """The features; an importance its owner gave counts before the measured one."""
    measured = record.importance if record else {}
    rows = []
    for place, feature in enumerate(spec.features):
        importance, source = feature.importance, "given by the owner"
        if importance is None:
            importance, source = measured.get(f"f{place}"), "measured"
        rows.append(
            FeatureFact(
                name=feature.name,
                type=feature.type,
                importance=importance,
                importance_source="" if importance is None else source,
                missing_share=shares.get(f"f{place}"),
                retired=feature.retired,
            )
        )
    return tuple(rows)
