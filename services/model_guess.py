"""A model's file proposed from its data: kinds, types and the usual column names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.model_records import ModelSpec
from services.errors import InvalidInput
from services.imports.encodings import UnreadableError
from services.imports.planning import guess_decimal
from services.imports.sniffing import sniff
from services.imports.values import numbers
from services.inference_rows import as_text
from services.model_detail import listed
from services.model_spec import MOST_CLASSES, MOST_FEATURES, read_document, write_yaml

NAMES: Mapping[str, tuple[str, ...]] = {
    "id": (
        "prediction id", "inference id", "request id", "event id", "identifier", "uuid",
        "id",
    ),
    "timestamp": (
        "ts", "timestamp", "event time", "prediction time", "predicted at",
        "created at", "datetime", "time", "date",
    ),
    "prediction": (
        "prediction", "y pred", "predicted", "predicted label", "predictions", "pred",
    ),
    "score": (
        "score", "y score", "y pred proba", "y proba", "proba", "probability",
        "predicted probability", "prediction probability",
    ),
    "label": ("label", "y true", "target", "actual", "ground truth", "y", "true label"),
}  # fmt: skip
"""Usual names of the columns that are no features, the likeliest first."""
POSITIVE = ("1", "true", "yes", "positive")
MOST_GUESSED_CLASSES = 20
NUMERIC_SHARE = 0.95
"""Of the cells of a text column, so many must be numbers for it to be numeric."""
ROLES = ("id", "timestamp", "prediction", "label")


def propose(path: Path) -> str:
    """A model's YAML file from a file of its predictions, to be looked over.

    Raises:
        InvalidInput: the file cannot be read or has no column for the prediction.
    """
    try:
        found = sniff(path)
    except UnreadableError as error:
        raise InvalidInput(f"{path}: {error}") from error
    decimal, _ = guess_decimal(found)
    sample = {
        n: a for n, a in found.sample.items() if not n.startswith("__index_level_")
    }
    roles = {role: _named(sample, NAMES[role]) for role in ROLES}
    score = _named(sample, NAMES["score"])
    if roles["prediction"] is None:
        raise InvalidInput(
            f"{path}: no column has a usual name of a prediction "
            f"({', '.join(NAMES['prediction'])}); it has {listed(list(sample))}. "
            "Rename the column, or write the model's file by hand."
        )
    document: dict[str, Any] = {"name": _name_of(path)}
    document |= _outcome(sample, roles, score, decimal)
    used = {*roles.values(), *document["columns"].get("scores", {}).values()}
    features = [n for n in sample if n not in used][:MOST_FEATURES]
    document["features"] = [
        {"name": n, "type": "numeric" if _is_numeric(sample[n], decimal) else TEXT}
        for n in features
        if not pa.types.is_nested(sample[n].type)
    ]
    return _written(read_document(document), path, roles)


TEXT = "categorical"


def _outcome(
    sample: Mapping[str, pa.Array],
    roles: Mapping[str, str | None],
    score: str | None,
    decimal: str,
) -> dict[str, Any]:
    """Kind, classes and columns, from the prediction, the label and the score."""
    columns: dict[str, Any] = {r: n for r, n in roles.items() if n is not None}
    texts = [sample[n] for r in ("prediction", "label") if (n := roles[r]) is not None]
    if _is_continuous(texts[0], decimal):
        return {"kind": "regression", "columns": columns}
    classes = _classes(texts)
    if len(classes) < 2:
        classes = sorted({*classes, "0", "1"})[:2]
    if len(classes) > MOST_CLASSES:
        raise InvalidInput(
            f"The prediction has {len(classes):,} different texts: more than the "
            f"{MOST_CLASSES} classes a model may have."
        )
    found: dict[str, Any] = {"kind": "multiclass", "classes": classes}
    if len(classes) == 2:
        likely = [c for c in classes if c.lower() in POSITIVE]
        positive = likely[0] if likely else classes[-1]
        found |= {"kind": "binary", "positive": positive}
        if score is not None and _is_numeric(sample[score], decimal):
            columns["scores"] = {positive: score}
    else:
        own = {c: _named(sample, (f"score {c}", f"proba {c}", c)) for c in classes}
        if all(own.values()):
            columns["scores"] = own
    return found | {"columns": columns}


def _classes(arrays: Sequence[pa.Array]) -> list[str]:
    """Different values as text, numbers in their order."""
    found: set[str] = set()
    for array in arrays:
        found |= {t for t in as_text(pa.chunked_array([array])).to_pylist() if t}
    try:
        return sorted(found, key=float)
    except ValueError:
        return sorted(found)


def _is_continuous(array: pa.Array, decimal: str) -> bool:
    if not _is_numeric(array, decimal):
        return False
    values, _ = numbers(array, decimal)
    known = np.unique(values[np.isfinite(values)])
    return bool(len(known) > MOST_GUESSED_CLASSES or (known != np.floor(known)).any())


def _is_numeric(array: pa.Array, decimal: str) -> bool:
    kind = array.type
    if pa.types.is_dictionary(kind) or pa.types.is_temporal(kind):
        return False
    if pa.types.is_boolean(kind):
        return True
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
    known = pc.drop_null(array)
    values, bad = numbers(known, decimal)
    there = np.isfinite(values) | bad
    return bool(there.any() and (~bad)[there].mean() >= NUMERIC_SHARE)


def _named(sample: Mapping[str, pa.Array], names: Sequence[str]) -> str | None:
    """The column with the likeliest of some usual names."""
    plain = {re.sub(r"[\s_.-]+", " ", n).strip().lower(): n for n in sample}
    return next((plain[n] for n in names if n in plain), None)


def _name_of(path: Path) -> str:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.name.split(".")[0]).strip("-._")
    return stem[:80] or "model"


def _written(spec: ModelSpec, path: Path, roles: Mapping[str, str | None]) -> str:
    absent = [r for r in ("id", "timestamp", "label") if roles[r] is None]
    lines = [f"# Proposed from {path.name}: look over kind, types and columns."]
    lines += [
        f"# No column looks like the {role}: name it under columns; no feature is it."
        for role in absent
    ]
    return "\n".join(lines) + "\n" + write_yaml(spec)
