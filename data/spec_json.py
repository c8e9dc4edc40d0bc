"""A model's specification as plain data and back: what is stored and exchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data.model_records import Columns, Feature, ModelSpec, Threshold


def spec_to_json(spec: ModelSpec) -> dict[str, Any]:
    """The specification as the YAML file has it, every key present."""
    return {
        "name": spec.name,
        "kind": spec.kind,
        "version": spec.version,
        "owner": spec.owner,
        "description": spec.description,
        "tags": list(spec.tags),
        "features": [_feature(feature) for feature in spec.features],
        "columns": {
            "id": spec.columns.id,
            "timestamp": spec.columns.timestamp,
            "prediction": spec.columns.prediction,
            "label": spec.columns.label,
            "scores": dict(spec.columns.scores),
        },
        "classes": list(spec.classes),
        "positive": spec.positive,
        "segments": list(spec.segments),
        "window": spec.window,
        "thresholds": [_threshold(limit) for limit in spec.thresholds],
        "routes": list(spec.routes),
        "retention_days": spec.retention_days,
        "archived": spec.archived,
        "simulated": spec.simulated,
    }


def spec_from_json(stored: Mapping[str, Any]) -> ModelSpec:
    """What ``spec_to_json`` gave."""
    columns = stored["columns"]
    return ModelSpec(
        name=stored["name"],
        kind=stored["kind"],
        features=tuple(Feature(**feature) for feature in stored["features"]),
        version=stored["version"],
        columns=Columns(**columns),
        classes=tuple(stored["classes"]),
        positive=stored["positive"],
        segments=tuple(stored["segments"]),
        owner=stored["owner"],
        description=stored["description"],
        tags=tuple(stored["tags"]),
        window=stored["window"],
        thresholds=tuple(Threshold(**limit) for limit in stored["thresholds"]),
        routes=tuple(stored["routes"]),
        retention_days=stored["retention_days"],
        archived=stored["archived"],
        simulated=stored["simulated"],
    )


def _feature(feature: Feature) -> dict[str, Any]:
    written: dict[str, Any] = {"name": feature.name, "type": feature.type}
    if feature.importance is not None:
        written["importance"] = feature.importance
    if feature.retired:
        written["retired"] = True
    return written


def _threshold(limit: Threshold) -> dict[str, Any]:
    given = {"below": limit.below, "above": limit.above}
    return {
        "metric": limit.metric,
        **{side: value for side, value in given.items() if value is not None},
    }
