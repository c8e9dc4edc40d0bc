"""A model's specification: inferred once from a table, and compared afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .frames import TYPES, Table
from .values import class_text, iso_time, unwrap

Spec = dict[str, Any]
KINDS = ("binary", "multiclass", "regression")
NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("prediction_id", "inference_id", "request_id", "event_id", "uuid", "id"),
    "timestamp": (
        "ts", "timestamp", "event_time", "prediction_time", "predicted_at",
        "created_at", "datetime", "time", "date",
    ),
    "prediction": ("prediction", "y_pred", "predicted", "predicted_label", "pred"),
    "score": (
        "score", "y_score", "y_pred_proba", "y_proba", "proba", "probability",
        "predicted_probability", "prediction_probability",
    ),
    "label": ("label", "y_true", "target", "actual", "ground_truth"),
    "known_at": ("known_at", "labelled_at", "labeled_at"),
}  # fmt: skip
"""Column names that tell a column's role, the likeliest first."""
_PAIRS = ({"0", "1"}, {"false", "true"}, {"False", "True"}, {"no", "yes"})
_POSITIVE = ("1", "true", "True", "yes", "Yes", "positive")


@dataclass(frozen=True)
class Roles:
    """Which column plays which role, as the caller says it; None: found by name."""

    id: str | None = None
    timestamp: str | None = None
    prediction: str | None = None
    score: str | Mapping[Any, str] | None = None
    label: str | None = None
    segments: str | Sequence[str] | None = None
    kind: str | None = None
    classes: Sequence[Any] | None = None
    positive: Any = None

    def scores(self) -> dict[str, str]:
        """Score columns by class; by "" when one was given without its class."""
        if self.score is None:
            return {}
        if isinstance(self.score, Mapping):
            return {str(class_text(k)): str(v) for k, v in self.score.items()}
        return {"": str(self.score)}

    def segment_columns(self) -> list[str]:
        """The segment columns given."""
        if self.segments is None:
            return []
        given = [self.segments] if isinstance(self.segments, str) else self.segments
        return [str(name) for name in given]

    def check(self, table: Table) -> None:
        """Complain of a column that is not there.

        Raises:
            ValueError: names the role and the columns there are.
        """
        named = {r: getattr(self, r) for r in ("id", "timestamp", "prediction")}
        named |= {"label": self.label}
        named |= {
            f"score of {k!r}" if k else "score": v for k, v in self.scores().items()
        }
        named |= {f"segment {name}": name for name in self.segment_columns()}
        for role, name in named.items():
            if name is not None and name not in table.columns:
                there = ", ".join(list(table.columns)[:30])
                raise ValueError(
                    f"{role}: there is no column {name!r}; there are {there}"
                )
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {self.kind!r}")


def infer(
    table: Table, roles: Roles, model: str, version: str
) -> tuple[Spec, list[str]]:
    """The specification of an unknown model, and what was decided without asking.

    Raises:
        ValueError: the table does not tell enough; the text says what to give.
    """
    columns = {role: recognise(table, role, getattr(roles, role)) for role in (
        "id", "timestamp", "prediction", "label")}  # fmt: skip
    if columns["prediction"] is None:
        raise ValueError("no column is known as the prediction; give prediction=")
    scores = roles.scores() or _named_scores(table)
    kind, classes = _kind(table, roles, columns, scores)
    positive = _positive(roles, classes) if kind == "binary" else None
    if "" in scores:
        if kind != "binary":
            raise ValueError(f"a {kind} model needs score={{class: column}}, or none")
        scores = {str(positive): scores[""]}
    columns["id"] = columns["id"] or free_name(table, "prediction_id")
    columns["timestamp"] = columns["timestamp"] or free_name(table, "ts")
    special = {*columns.values(), *scores.values()}
    features = [
        {"name": name, "type": TYPES[column.kind]}
        for name, column in table.columns.items()
        if name not in special and column.kind in TYPES
    ]
    spec: Spec = {
        "name": model,
        "kind": kind,
        "version": version,
        "features": features,
        "columns": {role: name for role, name in columns.items() if name is not None},
    }
    if scores:
        spec["columns"]["scores"] = scores
    if classes:
        spec["classes"] = classes
    if positive is not None:
        spec["positive"] = positive
    spec["segments"] = roles.segment_columns()
    return spec, _decided(table, spec, special)


def recognise(table: Table, role: str, given: str | None) -> str | None:
    """The column of a role: the given one, or the first that has a usual name."""
    if given is not None:
        return given
    lower = {name.lower(): name for name in reversed(list(table.columns))}
    for usual in NAMES[role]:
        name = lower.get(usual)
        if name is None:
            continue
        if usual == "id" and not _unique(table.all(name)):
            continue  # a customer's id, not a prediction's
        if role == "timestamp" and not _holds_times(table, name):
            continue
        return name
    return None


def free_name(table: Table, name: str) -> str:
    """The name, or the name with underscores when a column has it."""
    while name in table.columns:
        name = f"{name}_"
    return name


def compare(
    table: Table, spec: Spec, renamed: Mapping[str, str]
) -> dict[str, list[Any]]:
    """What a table has that the specification has not, lacks, or has otherwise.

    Args:
        table: the new data.
        spec: the pinned specification.
        renamed: the specification's name of columns that the caller calls otherwise.

    Returns:
        unknown_columns, missing_columns and changed_types as in a result. A missing
        id or timestamp is generated and a label comes late, so they are not missing.
    """
    types = {f["name"]: f.get("type") for f in features_of(spec)}
    roles = {r: c for r, c in columns_of(spec).items() if isinstance(c, str)}
    scores = scores_of(spec)
    segments = [str(s) for s in spec.get("segments") or []]
    there = {renamed.get(name, name): column for name, column in table.columns.items()}
    known = {*types, *roles.values(), *scores.values(), *segments}
    must = [*types, *(c for r, c in roles.items() if r == "prediction")]
    must += [*scores.values(), *segments]
    changed = []
    for name, column in there.items():
        found = TYPES.get(column.kind, column.kind)
        expected = types.get(name)
        as_text = column.texts is not None and expected == "categorical"
        if expected and found not in (expected, "empty") and not as_text:
            changed.append({"column": name, "expected": expected, "found": found})
    return {
        "unknown_columns": [name for name in there if name not in known],
        "missing_columns": [n for n in dict.fromkeys(must) if n not in there],
        "changed_types": changed,
    }


def features_of(spec: Spec) -> list[dict[str, Any]]:
    """The features of a specification, whatever else stands there."""
    found = spec.get("features")
    features = found if isinstance(found, list) else []
    return [
        f for f in features if isinstance(f, dict) and isinstance(f.get("name"), str)
    ]


def columns_of(spec: Spec) -> dict[str, Any]:
    """The special columns of a specification by role."""
    found = spec.get("columns")
    return found if isinstance(found, dict) else {}


def scores_of(spec: Spec) -> dict[str, str]:
    """The score columns of a specification by class."""
    found = columns_of(spec).get("scores")
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _decided(table: Table, spec: Spec, special: set[str | None]) -> list[str]:
    pinned = f"{spec['kind']}, {len(spec['features'])} features"
    notes = [f"{spec['name']} was unknown; its schema is now pinned: {pinned}"]
    odd = [
        name
        for name, column in table.columns.items()
        if name not in special and column.kind not in TYPES
    ]
    if odd:
        said = "neither numeric nor categorical, so no features"
        notes.append(f"{said}: {', '.join(odd)}")
    return notes


def _named_scores(table: Table) -> dict[str, str]:
    one = recognise(table, "score", None)
    if one is not None and TYPES.get(table.columns[one].kind) == "numeric":
        return {"": one}
    return {}


def _kind(
    table: Table,
    roles: Roles,
    columns: Mapping[str, str | None],
    scores: Mapping[str, str],
) -> tuple[str, list[str]]:
    prediction = str(columns["prediction"])
    if roles.kind == "regression":
        return "regression", []
    real = table.columns[prediction].kind == "real"
    if roles.kind is None and real and not scores and not roles.classes:
        return "regression", []
    told = roles.classes or (scores if len(scores) > 1 else ())
    classes = [str(class_text(name)) for name in told]
    if not classes:
        seen = {class_text(v) for v in table.all(prediction)}
        if columns["label"] is not None:
            seen |= {class_text(v) for v in table.all(columns["label"])}
        named = {c for c in seen if c is not None}
        named = next((p for p in _PAIRS if named and named <= p), named)
        classes = sorted(named, key=_class_order)
    if len(classes) < 2:
        raise ValueError(
            f"only {classes} is predicted here; give classes=[...] or kind="
        )
    if roles.kind == "binary" and len(classes) > 2:
        raise ValueError(f"a binary model has two classes, here are {len(classes)}")
    return roles.kind or ("binary" if len(classes) == 2 else "multiclass"), classes


def _positive(roles: Roles, classes: Sequence[str]) -> str:
    if roles.positive is not None:
        positive = str(class_text(roles.positive, classes))
        if positive not in classes:
            raise ValueError(f"positive: {positive!r} is none of {', '.join(classes)}")
        return positive
    if len(scores := roles.scores()) == 1 and "" not in scores:
        return next(iter(scores))
    return next((name for name in _POSITIVE if name in classes), classes[-1])


def _class_order(name: str) -> tuple[bool, float, str]:
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name


def _unique(values: Sequence[Any]) -> bool:
    texts = [str(v) for v in map(unwrap, values) if v is not None]
    return len(set(texts)) == len(texts) > 0


def _holds_times(table: Table, name: str) -> bool:
    if table.columns[name].kind == "time":
        return True
    filled = (v for v in map(unwrap, table.all(name)) if v is not None)
    first = next(filled, None)
    return isinstance(first, str) and iso_time(first) is not None
