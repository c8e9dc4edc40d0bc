"""Chunks that do not end inside the hour which clocks repeat in autumn.

The two passes of that hour are told apart by the order of its rows, so they have
to be looked at together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
import pyarrow as pa

from services.imports.encodings import READ_ERRORS
from services.imports.plans import TimePlan
from services.imports.reading import Chunk
from services.imports.times import is_twice, to_utc

MOST_HELD = 8


def whole_hours(found: Iterator[Chunk], plan: TimePlan) -> Iterator[Chunk]:
    """Join a chunk that ends in a repeated hour with those after it."""
    held: list[Chunk] = []
    try:
        for chunk in found:
            held.append(chunk)
            if len(held) < MOST_HELD and _ends_in_repeated_hour(chunk, plan):
                continue
            yield merged(held)
            held = []
    except READ_ERRORS:
        if held:
            yield merged(held)
        raise
    if held:
        yield merged(held)


def _ends_in_repeated_hour(chunk: Chunk, plan: TimePlan) -> bool:
    if len(chunk.lines) == 0 or any(n not in chunk.columns for n in plan.columns):
        return False
    last = tuple(chunk.columns[name][-1:] for name in plan.columns)
    _, reasons = to_utc(last, plan, np.array(["device"], object))
    return is_twice(reasons[0])


def merged(held: Sequence[Chunk]) -> Chunk:
    """Several chunks as one."""
    if len(held) == 1:
        return held[0]
    names = dict.fromkeys(name for chunk in held for name in chunk.columns)
    starts = [0, *accumulate(len(chunk.lines) for chunk in held)]

    def raw(place: int) -> str:
        part = int(np.searchsorted(starts, place, side="right")) - 1
        return held[part].raw(place - starts[part])

    return Chunk(
        columns={name: _joined(held, name) for name in names},
        lines=np.concatenate([chunk.lines for chunk in held]),
        raw=raw,
        rejected=[reject for chunk in held for reject in chunk.rejected],
    )


def _joined(held: Sequence[Chunk], name: str) -> pa.Array:
    parts = [
        chunk.columns.get(name, pa.nulls(len(chunk.lines), pa.string()))
        for chunk in held
    ]
    if len({part.type for part in parts}) > 1:
        parts = [part.cast(pa.string()) for part in parts]
    return pa.concat_arrays(parts)
