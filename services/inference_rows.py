"""From a sender's columns to canonical ones: what is taken, and what is refused why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.model_records import VERSION_PATTERN, ModelSpec
from services.arrow_values import LONGEST_TEXT, Mask, numbers, text, times
from services.errors import InvalidInput

__all__ = [
    "LONGEST_TEXT",
    "Report",
    "Rows",
    "as_text",
    "canonical",
    "labels",
    "names_once",
    "outcome",
    "prediction_ids",
    "report",
    "stamp",
    "times",
]
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""A prediction may lie this far in the future: clocks differ."""
LONGEST_ID = 200


@dataclass(frozen=True)
class Report:
    """How the columns that came differ from the schema: never silent.

    changed: (column, expected, found).
    """

    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    changed: tuple[tuple[str, str, str], ...] = ()


@dataclass
class Rows:
    """Canonical columns of one table, and the rows that are refused.

    reasons: place of a row -> why it is refused (its first reason).
    """

    columns: dict[str, pa.Array]
    reasons: dict[int, str] = field(default_factory=dict)
    changed: list[tuple[str, str, str]] = field(default_factory=list)

    def refuse(self, mask: Mask, why: Callable[[int], str] | str) -> None:
        """Refuse the rows of a mask, unless they are refused already."""
        for place in np.flatnonzero(mask):
            told = why if isinstance(why, str) else why(int(place))
            self.reasons.setdefault(int(place), told)

    def table(self, rows: int) -> pa.Table:
        """The rows that are taken."""
        found = pa.table(self.columns)
        if not self.reasons:
            return found
        keep = np.ones(rows, dtype=bool)
        keep[list(self.reasons)] = False
        return found.filter(pa.array(keep))


def report(spec: ModelSpec, table: pa.Table, *, reference: bool = False) -> Report:
    """How the columns of a table differ from the schema.

    Raises:
        InvalidInput: a column nobody can do without is missing, or no feature came:
            this is not the model's file.
    """
    given = names_once(table)
    names = set(given)
    columns = spec.columns
    needed = [columns.prediction]
    if not reference:
        needed = [columns.id, columns.timestamp, *needed]
    absent = [n for n in needed if n not in names]
    live = [f.name for f in spec.features if not f.retired]
    if absent:
        raise InvalidInput(
            f"This is no file of {spec.name}: it lacks {_listed(absent)}. "
            f"It has {_listed(given)}."
        )
    if not names.intersection(live):
        raise InvalidInput(
            f"This is no file of {spec.name}: it has none of its {len(live)} features "
            f"({_listed(live)}), but {_listed(given)}."
        )
    wanted = [*live, *columns.scores.values(), *spec.segments]
    known = {*needed, *wanted, columns.id, columns.timestamp, columns.label, "version"}
    known |= {f.name for f in spec.features}
    return Report(
        unknown=tuple(n for n in given if n not in known),
        missing=tuple(n for n in dict.fromkeys(wanted) if n not in names),
    )


def names_once(table: pa.Table) -> list[str]:
    """The names of the columns.

    Raises:
        InvalidInput: two columns have the same name.
    """
    given: list[str] = table.schema.names
    twice = [name for name, count in Counter(given).items() if count > 1]
    if twice:
        raise InvalidInput(f"Two columns have the name {min(twice)[:80]}.")
    return given


def canonical(
    spec: ModelSpec,
    table: pa.Table,
    version: str,
    now: datetime,
    *,
    reference: bool = False,
) -> Rows:
    """The canonical columns of a table.

    Args:
        spec: the model.
        table: the sender's columns; see ``report`` for those it must have.
        version: of rows that do not say theirs.
        now: the present; rows of the future are refused.
        reference: whether these are rows of a reference: no id, no time needed, the
            label among them.
    """
    rows = Rows({})
    if not reference:
        rows.columns["prediction_id"] = prediction_ids(rows, table[spec.columns.id])
        rows.columns["ts"] = _times(rows, table[spec.columns.timestamp], now)
        rows.columns["version"] = _versions(rows, table, spec, version)
    rows.columns["prediction"] = outcome(
        rows, spec, table[spec.columns.prediction], "prediction"
    )
    names = set(table.schema.names)
    for place, feature in enumerate(spec.features):
        if feature.name not in names:
            empty = pa.float64() if feature.type == "numeric" else pa.string()
            rows.columns[f"f{place}"] = pa.nulls(table.num_rows, empty)
            continue
        values = table[feature.name]
        if feature.type == "numeric":
            found = _numbers(rows, values, feature.name)
        else:
            found = as_text(values, rows, feature.name)
        rows.columns[f"f{place}"] = found
    for place, (name, column) in enumerate(spec.columns.scores.items()):
        values = table[column] if column in names else None
        rows.columns[f"s{place}"] = _scores(rows, values, name, table.num_rows)
    for place, column in enumerate(spec.segments):
        empty = pa.nulls(table.num_rows, pa.string())
        rows.columns[f"g{place}"] = as_text(table[column]) if column in names else empty
    if reference and spec.columns.label in names:
        rows.columns["label"] = labels(spec, table[spec.columns.label])
    return rows


def outcome(
    rows: Rows, spec: ModelSpec, values: pa.ChunkedArray, what: str
) -> pa.Array:
    """Predictions as classes or finite numbers; others are refused."""
    if spec.kind == "regression":
        found = _numbers(rows, values, what)
        finite = np.isfinite(found.to_numpy(zero_copy_only=False))
        rows.refuse(~finite, f"the {what} is no finite number")
        return found
    words = as_text(values, rows, what)
    rows.refuse(np.asarray(words.is_null()), f"there is no {what}")
    return words


def labels(spec: ModelSpec, values: pa.ChunkedArray) -> pa.Array:
    """Labels as classes or numbers; null where there is none."""
    if spec.kind != "regression":
        return as_text(values)
    found, _bad = numbers(values)
    return pa.array(np.where(np.isfinite(found), found, np.nan), from_pandas=True)


def as_text(
    values: pa.ChunkedArray, rows: Rows | None = None, name: str = ""
) -> pa.Array:
    """Values as text; fractions in a categorical column are told to ``rows``."""
    if rows is not None and name and pa.types.is_floating(values.type):
        found, _bad = numbers(values)
        if (np.isfinite(found) & (found != np.floor(found))).any():
            rows.changed.append((name, "categorical", str(values.type)))
    return text(values)


def _numbers(rows: Rows, values: pa.ChunkedArray, name: str) -> pa.Array:
    """Values as float64, null where missing; what is no number is refused."""
    found, bad = numbers(values)
    if bad.any():
        kind = "text" if "string" in str(values.type) else str(values.type)[:80]
        rows.changed.append((name, "numeric", kind))
        shown = text(values)
        rows.refuse(
            bad, lambda i: f"{name[:60]} is no number: {shown[i].as_py()[:40]!r}"
        )
    return pa.array(found, pa.float64(), from_pandas=True)


def prediction_ids(rows: Rows, values: pa.ChunkedArray) -> pa.Array:
    """Prediction ids as text; missing and too long ones are refused."""
    ids = as_text(values)
    lengths = pc.fill_null(pc.utf8_length(ids), 0).to_numpy(zero_copy_only=False)
    rows.refuse(lengths == 0, "it has no prediction id")
    rows.refuse(lengths > LONGEST_ID, f"its id is longer than {LONGEST_ID} characters")
    return ids


def _times(rows: Rows, values: pa.ChunkedArray, now: datetime) -> pa.Array:
    stamps = times(values)
    rows.refuse(np.isnat(stamps), "its timestamp cannot be read as a time")
    oldest, newest = stamp(OLDEST), stamp(now + AHEAD)
    rows.refuse(stamps < oldest, lambda i: f"its time {stamps[i]} lies before 2000")
    rows.refuse(stamps > newest, lambda i: f"its time {stamps[i]} lies in the future")
    return pa.array(stamps, pa.timestamp("us"))


def _versions(rows: Rows, table: pa.Table, spec: ModelSpec, version: str) -> pa.Array:
    named = {f.name for f in spec.features}
    if "version" not in table.schema.names or "version" in named:
        return pa.array([version] * table.num_rows, pa.string())
    found = pc.fill_null(as_text(table["version"]), version)
    fits = pc.match_substring_regex(found, VERSION_PATTERN)
    rows.refuse(~np.asarray(fits), "its version is no version name")
    return found


def _scores(
    rows: Rows, values: pa.ChunkedArray | None, name: str, count: int
) -> pa.Array:
    if values is None:
        return pa.nulls(count, pa.float64())
    scores = _numbers(rows, values, f"the score of {name}")
    found = scores.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        outside = (found < 0) | (found > 1)
    rows.refuse(
        outside,
        lambda i: f"the score of {name} is {found[i]:g}: a probability lies in 0 to 1",
    )
    return scores


def stamp(moment: datetime) -> np.datetime64:
    """A moment as naive UTC microseconds."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 8:,} more" if len(names) > 8 else ""
    return ", ".join(name[:60] for name in names[:8]) + more
