"""Is a request to Dash's callback endpoint one that our own pages could send?

Dash looks fields up without checking them, so a body of any other shape ends in
an internal error. This compares the body with the callback as it was registered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.errors import InvalidInput

DEEPEST = 32
TICK = "-tick"
"""Ids of timers end so: what only they have caused, no person has asked for."""
_MANY = (["ALL"], ["ALLSMALLER"])
_WILD = (*_MANY, ["MATCH"])


@dataclass(frozen=True)
class Call:
    """A well-formed callback request."""

    output: str
    by_timer: bool


def read_call(body: object, callbacks: Mapping[str, Mapping[str, Any]]) -> Call:
    """Compare a body with the registered callbacks.

    Args:
        body: the parsed JSON.
        callbacks: Dash's ``callback_map``.

    Raises:
        InvalidInput: the first thing that does not fit.
    """
    _check_depth(body)
    if not isinstance(body, dict):
        raise InvalidInput("The body must be an object.")
    output = body.get("output")
    if not isinstance(output, str) or "callback" not in callbacks.get(output, ()):
        raise InvalidInput("There is no such callback.")
    spec = callbacks[output]
    _check_items("inputs", body.get("inputs"), spec["inputs"])
    _check_items("state", body.get("state", []), spec["state"])
    if not spec.get("no_output"):
        _check_outputs(body.get("outputs"), spec["output"])
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(c, str) for c in changed):
        raise InvalidInput("changedPropIds must be a list of texts.")
    return Call(output, by_timer=_by_timer(changed))


def _by_timer(changed: Sequence[str]) -> bool:
    ids = [prop.rpartition(".")[0] for prop in changed]
    return bool(ids) and all(name.endswith(TICK) for name in ids)


def _check_outputs(given: object, registered: Any) -> None:
    several = isinstance(registered, list | tuple)
    expected = [
        {"id": one.component_id_str(), "property": one.component_property}
        for one in (registered if several else [registered])
    ]
    _check_items("outputs", given if several else [given], expected)


def _check_items(
    name: str, given: object, expected: Sequence[Mapping[str, Any]]
) -> None:
    if not isinstance(given, list) or len(given) != len(expected):
        raise InvalidInput(f"{name} must be a list of {len(expected)}.")
    for item, spec in zip(given, expected, strict=True):
        if not _fits(item, spec):
            raise InvalidInput(f"{name} must name {spec['id']}.{spec['property']}.")


def _fits(item: object, spec: Mapping[str, Any]) -> bool:
    wanted = _parsed_id(spec["id"])
    if isinstance(wanted, dict) and any(v in _MANY for v in wanted.values()):
        return isinstance(item, list) and all(_is(i, wanted, spec) for i in item)
    return _is(item, wanted, spec)


def _is(item: object, wanted: object, spec: Mapping[str, Any]) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("property"), str):
        return False
    # Dash marks an output that several callbacks share with "@" and a hash.
    if item["property"].partition("@")[0] != spec["property"]:
        return False
    given = item.get("id")
    if not isinstance(wanted, dict):
        return bool(given == wanted)
    return (
        isinstance(given, dict)
        and given.keys() == wanted.keys()
        and all(_part_fits(given[key], wanted[key]) for key in wanted)
    )


def _part_fits(given: object, wanted: object) -> bool:
    if wanted in _WILD:
        return isinstance(given, str | int | float)
    return bool(given == wanted)


def _parsed_id(registered: str) -> object:
    return json.loads(registered) if registered.startswith("{") else registered


def _check_depth(body: object) -> None:
    """Walk level by level: recursion would itself fail on a deep body."""
    level: list[object] = [body]
    for _ in range(DEEPEST + 1):
        if not level:
            return
        level = [child for node in level for child in _children(node)]
    raise InvalidInput(f"The body is nested deeper than {DEEPEST} levels.")


def _children(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return [v for v in node.values() if isinstance(v, dict | list)]
    if isinstance(node, list):
        return [v for v in node if isinstance(v, dict | list)]
    return ()
