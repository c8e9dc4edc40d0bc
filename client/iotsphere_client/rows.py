"""Rows as they are sent: which column goes where, and pieces of a bounded size."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from .frames import Table
from .schema import Roles, Spec, columns_of, features_of, scores_of
from .spool import Item
from .values import class_text, id_text, plain, time_text, utc_now

LARGEST_BODY = 900_000
_BLOCK = 2_000
_OPEN, _CLOSE = b'{"rows":[', b"]}"

Encode = Callable[[Any], Any]


@dataclass(frozen=True)
class Sent:
    """One column of the rows sent: its name there, and its values for rows [a, b)."""

    name: str
    values: Callable[[int, int], list[Any]]


def renames(roles: Roles, spec: Spec) -> dict[str, str]:
    """The specification's names of columns that the caller calls otherwise."""
    found = {}
    for role in ("id", "timestamp", "prediction", "label"):
        given, pinned = getattr(roles, role), columns_of(spec).get(role)
        if given is not None and isinstance(pinned, str):
            found[given] = pinned
    pinned_scores = scores_of(spec)
    for name, column in roles.scores().items():
        told = name or str(spec.get("positive"))
        if told in pinned_scores:
            found[column] = pinned_scores[told]
    return {given: pinned for given, pinned in found.items() if given != pinned}


def inference_columns(
    table: Table, spec: Spec, renamed: Mapping[str, str]
) -> tuple[list[Sent], list[str]]:
    """The columns of a table's rows for ``inferences``, and what was generated."""
    special = columns_of(spec)
    types = {f["name"]: f.get("type") for f in features_of(spec)}
    encoders: dict[Any, Encode] = {
        special.get("id"): id_text,
        special.get("timestamp"): time_text,
        special.get("prediction"): class_encoder(spec),
        special.get("label"): class_encoder(spec),
    }
    sent = []
    for name, column in table.columns.items():
        target = renamed.get(name, name)
        if target == name and name in renamed.values():
            continue  # the caller said that another column is meant
        as_text = types.get(target) == "categorical" and column.texts is not None
        take = column.texts if as_text and column.texts else column.take
        sent.append(_sent(target, take, encoders.get(target, plain)))
    generated = []
    names = {column.name for column in sent}
    for role, make in (("id", _new_ids), ("timestamp", _now())):
        pinned = special.get(role)
        if isinstance(pinned, str) and pinned not in names:
            sent.append(Sent(pinned, make))
            generated.append(role)
    return sent, generated


def label_columns(
    table: Table, spec: Spec | None, id_: str, label: str, known_at: str | None
) -> list[Sent]:
    """The columns of a table's rows for ``labels``."""
    encode = class_encoder(spec) if spec else plain
    found = [
        _sent("prediction_id", table.columns[id_].take, id_text),
        _sent("label", table.columns[label].take, encode),
    ]
    if known_at is not None:
        found.append(_sent("known_at", table.columns[known_at].take, time_text))
    return found


def class_encoder(spec: Spec) -> Encode:
    """How a prediction or label is sent: a class by its text, else a number."""
    if spec.get("kind") == "regression":
        return plain
    classes = [str(name) for name in spec.get("classes") or []]
    return lambda value: class_text(value, classes)


def pieces(
    path: str,
    table: Table,
    columns: Sequence[Sent],
    refuse: Callable[[int, str], None],
    seen: Callable[[Mapping[str, Any]], None],
) -> Iterator[Item]:
    """The rows as requests of at most 900 kB, each with a key of its own.

    Args:
        path: where they go, below ``/api/v1``.
        table: the data.
        columns: what is sent of each row.
        refuse: told of a row that is larger than a request may be.
        seen: told of each row.
    """
    room = LARGEST_BODY - len(_OPEN) - len(_CLOSE)
    body: list[bytes] = []
    numbers: list[int] = []
    size = 0
    for number, row in _rows(table, columns):
        seen(row)
        text = json.dumps(row, separators=(",", ":"), allow_nan=False).encode("ascii")
        if len(text) > room:
            refuse(number, f"the row has {len(text)} bytes, more than {LARGEST_BODY}")
            continue
        if size + len(text) > room:
            yield _item(path, body, numbers)
            body, numbers, size = [], [], 0
        body.append(text)
        numbers.append(number)
        size += len(text) + 1
    if body:
        yield _item(path, body, numbers)


def path_of(model: str, what: str, **query: str) -> str:
    """``models/<name>/<what>?<query>`` below ``/api/v1``."""
    path = f"models/{quote(model, safe='')}"
    return f"{path}{'/' if what else ''}{what}{'?' if query else ''}{urlencode(query)}"


def _item(path: str, body: Sequence[bytes], numbers: Sequence[int]) -> Item:
    whole = _OPEN + b",".join(body) + _CLOSE
    return Item("POST", path, uuid.uuid4().hex, list(numbers), whole)


def _rows(
    table: Table, columns: Sequence[Sent]
) -> Iterator[tuple[int, dict[str, Any]]]:
    names = [column.name for column in columns]
    for start in range(0, len(table.numbers), _BLOCK):
        stop = min(start + _BLOCK, len(table.numbers))
        block = zip(*(c.values(start, stop) for c in columns), strict=True)
        for number, values in zip(table.numbers[start:stop], block, strict=True):
            yield number, dict(zip(names, values, strict=True))


def _sent(name: str, take: Callable[[int, int], Sequence[Any]], encode: Encode) -> Sent:
    return Sent(name, lambda start, stop: [encode(v) for v in take(start, stop)])


def _new_ids(start: int, stop: int) -> list[Any]:
    return [uuid.uuid4().hex for _ in range(start, stop)]


def _now() -> Callable[[int, int], list[Any]]:
    now = utc_now()
    return lambda start, stop: [now] * (stop - start)
