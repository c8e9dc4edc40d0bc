"""A model's YAML file: read with clear complaints, written in one form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from data.model_records import (
    MODEL_NAME_PATTERN,
    VERSION_PATTERN,
    Columns,
    Feature,
    ModelSpec,
    Threshold,
)
from data.spec_json import spec_to_json
from services.errors import Conflict, InvalidInput
from services.performance_views import METRICS

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
MOST_FEATURES = 1_000
MOST_CLASSES = 100
LONGEST_FILE = 2_000_000
Text = Field(default="", max_length=2_000)


Word = Annotated[str, Field(max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False
    )


class _Feature(_Strict):
    name: str = Field(min_length=1, max_length=200)
    type: Literal["numeric", "categorical"]
    importance: float | None = Field(default=None, ge=0, le=1)
    retired: bool = False


class _Columns(_Strict):
    id: str = Field(default="prediction_id", min_length=1, max_length=200)
    timestamp: str = Field(default="ts", min_length=1, max_length=200)
    prediction: str = Field(default="prediction", min_length=1, max_length=200)
    label: str | None = Field(default=None, max_length=200)
    scores: dict[Word, Word] = Field(default_factory=dict)


class _Threshold(_Strict):
    metric: str
    below: float | None = None
    above: float | None = None


class _Document(_Strict):
    name: str = Field(pattern=MODEL_NAME_PATTERN)
    kind: Literal["binary", "multiclass", "regression"]
    version: str = Field(default="1", pattern=VERSION_PATTERN)
    owner: str = Field(default="", max_length=80)
    description: str = Text
    tags: list[Word] = Field(default_factory=list, max_length=20)
    features: list[_Feature] = Field(min_length=1)
    columns: _Columns = Field(default_factory=_Columns)
    classes: list[Word] = Field(default_factory=list, max_length=MOST_CLASSES)
    positive: str | None = None
    segments: list[Word] = Field(default_factory=list, max_length=5)
    window: Literal["hour", "day", "week", "month"] = "week"
    thresholds: list[_Threshold] = Field(default_factory=list, max_length=50)
    routes: list[Word] = Field(default_factory=list, max_length=20)
    retention_days: int | None = Field(default=None, ge=1, le=36_500)
    archived: bool = False
    simulated: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for problem in (*_feature_problems(self), *_class_problems(self)):
            raise ValueError(problem)
        return self


def _feature_problems(document: _Document) -> list[str]:
    names = [feature.name for feature in document.features]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    found = []
    if len(names) > MOST_FEATURES:
        found.append(
            f"{len(names):,} features are more than the {MOST_FEATURES:,} a model may "
            "have: list those the model uses"
        )
    elif twice:
        found.append(f"features named twice: {', '.join(twice[:5])}")
    columns = document.columns
    roles = [columns.id, columns.timestamp, columns.prediction, columns.label]
    shared = [n for n, times in Counter(filter(None, roles)).items() if times > 1]
    if shared:
        found.append(f"columns: {shared[0]} is named for two parts of a row")
    metrics = METRICS[document.kind]
    for limit in document.thresholds:
        if limit.metric not in metrics:
            found.append(f"thresholds: {limit.metric} is none of {', '.join(metrics)}")
        if (limit.below is None) == (limit.above is None):
            found.append(f"thresholds: give {limit.metric} either below or above")
    return found


def _class_problems(document: _Document) -> list[str]:
    classes, scores = document.classes, document.columns.scores
    if document.kind == "regression":
        return (
            ["a regression has no classes and no scores"] if classes or scores else []
        )
    found = []
    if len(set(classes)) != len(classes) or len(classes) < 2:
        found.append("classes: list the different classes, at least two")
    if document.kind == "binary" and len(classes) > 2:
        found.append("a binary model has two classes; use kind: multiclass for more")
    if document.positive is not None and document.positive not in classes:
        found.append(f"positive: {document.positive} is none of the classes")
    strange = sorted(set(scores) - set(classes))
    if strange:
        found.append(f"columns.scores: {', '.join(strange)} is none of the classes")
    if document.kind == "multiclass" and scores and set(scores) != set(classes):
        found.append("columns.scores: name the score column of every class, or of none")
    return found


def read_document(document: Any) -> ModelSpec:
    """A specification from plain data.

    Raises:
        InvalidInput: something is missing, unknown or contradicts; says where.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput("A model file is a mapping: name, kind, features and so on.")
    try:
        read = _Document.model_validate(dict(document))
    except ValidationError as error:
        raise InvalidInput(_told(error)) from None
    if any(CONTROL.search(text) for text in _texts(read.model_dump())):
        raise InvalidInput("A text of the model file has control characters in it.")
    positive, scores = read.positive, dict(read.columns.scores)
    if read.kind == "binary":
        positive = positive or next(iter(scores), read.classes[-1])
        if scores and set(scores) != {positive}:
            if positive not in scores:
                raise InvalidInput(
                    "columns.scores: a binary model has the score of its positive "
                    f"class, {positive}."
                )
            scores = {positive: scores[positive]}
    values: dict[str, Any] = read.model_dump(
        exclude={"features", "columns", "thresholds", "positive"}
    )
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    columns = read.columns.model_dump() | {"scores": scores}
    return ModelSpec(
        **values,
        features=tuple(Feature(**f.model_dump()) for f in read.features),
        columns=Columns(**columns),
        thresholds=tuple(Threshold(**t.model_dump()) for t in read.thresholds),
        positive=positive,
    )


class _Loader(yaml.SafeLoader):
    """Reads plain data; a key that is given twice is an error, not the last one."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        found = Counter(
            key.value for key, _ in node.value if isinstance(key.value, str)
        )
        for key, times in found.items():
            if times > 1 and key != "<<":
                raise InvalidInput(
                    f"{key[:60]} is given twice, from line "
                    f"{node.start_mark.line + 1} on: keep one."
                )
        return super().construct_mapping(node, deep)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(name)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def read_yaml(text: str) -> ModelSpec:
    """A specification from a YAML (or JSON) file.

    Raises:
        InvalidInput: no YAML, or not what a model file holds.
    """
    return read_document(read_plain(text, "model file", LONGEST_FILE))


def read_plain(text: str, what: str, longest: int) -> Any:
    """The plain data of a YAML (or JSON) file; ``what`` it should be, in words.

    Raises:
        InvalidInput: it is none, or has more than ``longest`` characters.
    """
    if len(text) > longest:
        raise InvalidInput(f"A {what} has at most {longest:,} characters.")
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
    except (RecursionError, ValueError):
        raise InvalidInput(
            f"This is no {what}: nested too deeply, or a number of too many digits."
        ) from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise InvalidInput(f"This is no YAML{line}.") from None


def write_plain(data: object) -> str:
    """Plain data as a YAML file."""
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=88)
    return text


def write_yaml(spec: ModelSpec) -> str:
    """The specification as a YAML file; reading it back gives the same."""
    written = {k: v for k, v in spec_to_json(spec).items() if v not in (None, [], "")}
    written = {k: v for k, v in written.items() if v is not False}
    written["columns"] = {k: v for k, v in written["columns"].items() if v}
    return write_plain(written)


def merged(old: ModelSpec, new: ModelSpec, *, pinned: bool) -> ModelSpec:
    """A changed specification on top of the stored one.

    Features keep their place: new ones come last, those no longer named are retired.

    Args:
        old: what is stored.
        new: what is asked for.
        pinned: whether rows or references exist, so that their meaning is fixed.

    Raises:
        Conflict: the change would give stored rows another meaning.
    """
    fixed = ("kind", "classes", "positive", "segments", "scored")
    if pinned:
        for name in fixed:
            if getattr(old, name) != getattr(new, name):
                raise Conflict(
                    f"{name} of {old.name} cannot change: rows are stored under it. "
                    "Register a new model instead."
                )
    wanted = {feature.name: feature for feature in new.features}
    kept = []
    for feature in old.features:
        now = wanted.pop(feature.name, None)
        if now is None:
            kept.append(replace(feature, retired=True))
        elif now.type != feature.type and pinned:
            raise Conflict(
                f"The feature {feature.name} is {feature.type}; it cannot become "
                f"{now.type}: rows are stored under it."
            )
        else:
            kept.append(now)
    return replace(new, features=(*kept, *wanted.values()))


def _told(error: ValidationError) -> str:
    """The complaints in the file's own words, the first five."""
    told = []
    for part in error.errors()[:5]:
        place = ".".join(str(step) for step in part["loc"])
        words = re.sub(r"^Value error, ", "", str(part["msg"]))
        told.append(f"{place}: {words}" if place else words)
    more = error.error_count() - len(told)
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "") + "."
