"""From sniffed files to an import plan: one layout per distinct header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from data.records import DEVICE_ID_PATTERN, METRICS
from services.errors import InvalidInput
from services.imports import timing
from services.imports.encodings import UnreadableError
from services.imports.mapping import Chosen, choose, parse_maps
from services.imports.plans import (
    FILE_NAME,
    Dialect,
    FilePlan,
    ImportOptions,
    ImportPlan,
    Layout,
)
from services.imports.sniffing import SAMPLE_ROWS, Sniffed, sniff
from services.imports.values import Dropped, numbers, states

COMMA = re.compile(r"[+-]?\d+,\d+")
POINT = re.compile(r"[+-]?\d+\.\d+")
GROUP = re.compile(r"[+-]?[1-9]\d{0,2}[,.]\d{3}")


def make_plan(paths: Sequence[Path], options: ImportOptions) -> ImportPlan:
    """Look into every file and decide how each distinct header is read.

    Raises:
        InvalidInput: the options are wrong, or a mapped column is in no file.
    """
    maps = parse_maps(options.maps)
    timing.check_zone(options.tz)
    _check_device(options.device)
    groups: dict[Dialect, list[Sniffed]] = {}
    files: list[tuple[Path, Dialect | None, str | None]] = []
    for path in dict.fromkeys(paths):
        try:
            found = sniff(path)
        except UnreadableError as error:
            files.append((path, None, str(error)))
            continue
        groups.setdefault(found.dialect, []).append(found)
        files.append((path, found.dialect, None))
    _check_columns(maps, groups)
    layouts = tuple(_layout(_pooled(g), maps, options) for g in groups.values())
    places = {dialect: place for place, dialect in enumerate(groups)}
    return ImportPlan(options, layouts, tuple(_file_plans(files, places)))


def _file_plans(
    files: Iterable[tuple[Path, Dialect | None, str | None]],
    places: Mapping[Dialect, int],
) -> Iterable[FilePlan]:
    for path, dialect, problem in files:
        size = path.stat().st_size if path.is_file() else 0
        yield FilePlan(path, size, places[dialect] if dialect else None, problem)


def _check_device(device: str | None) -> None:
    if device is None:
        return
    if not re.fullmatch(DEVICE_ID_PATTERN, device.replace(FILE_NAME, "x")):
        raise InvalidInput(
            f"--device {device!r}: 1 to 64 letters, digits, _ or -; "
            f"{FILE_NAME} stands for the file's name"
        )


def _check_columns(
    maps: Mapping[str, tuple[str, str]], groups: Mapping[Dialect, object]
) -> None:
    seen = {name for dialect in groups for name in dialect.header}
    absent = [name for name in maps if name not in seen]
    if absent and groups:
        raise InvalidInput(
            f"--map: no file has a column {absent[0]!r}; "
            f"there are {', '.join(sorted(seen))}"
        )


def _pooled(group: Sequence[Sniffed]) -> Sniffed:
    # What one file leaves open (the order of day and month), another may settle.
    first = group[0]
    each = max(100, 4 * SAMPLE_ROWS // len(group))
    sample = {}
    for name in first.dialect.header:
        parts = [found.sample[name] for found in group]
        kinds = {part.type for part in parts}
        if len(kinds) > 1:
            parts = [part.cast(pa.string()) for part in parts]
        sample[name] = pa.concat_arrays([part[:each] for part in parts[:200]])
    notes = tuple(dict.fromkeys(note for found in group for note in found.notes))
    return Sniffed(first.dialect, sample, notes)


def _layout(
    found: Sniffed, maps: Mapping[str, tuple[str, str]], options: ImportOptions
) -> Layout:
    decimal, decimal_notes = guess_decimal(found)
    problems: list[str] = []
    notes = [*found.notes, *decimal_notes]

    def fits(name: str, field: str) -> bool:
        return _fits(found.sample[name], field, decimal)

    chosen = choose(found.dialect.header, maps, fits)
    time = None
    try:
        time, time_notes = timing.plan_times(found, maps, options.tz, decimal)
        notes += time_notes
    except timing.NoTimeError as error:
        problems.append(str(error))
    device, device_note = _device(chosen, options)
    notes += [*device_note, *chosen.notes]
    if not device:
        problems.append(
            "no device column: name it with --map COLUMN=device_id, or say --device "
            f"ID for all rows, or --device {FILE_NAME} to use each file's name"
        )
    if all(plan.field == "device_id" for plan in chosen.taken):
        problems.append("no column with values is known: name them with --map")
    used = time.columns if time else ()
    spare = [n for n in _time_names(chosen, found, maps) if n not in used]
    return Layout(
        dialect=found.dialect,
        decimal=decimal,
        columns=chosen.taken,
        time=time,
        device=device,
        unknown=(*chosen.unknown, *spare),
        notes=tuple(notes),
        problems=tuple(problems),
    )


def _time_names(
    chosen: Chosen, found: Sniffed, maps: Mapping[str, tuple[str, str]]
) -> list[str]:
    named = {plan.column for plan in chosen.taken} | set(chosen.unknown)
    ignored = {n for n, (field, _) in maps.items() if field == "ignore"}
    return [n for n in found.dialect.header if n not in named | ignored]


def _device(chosen: Chosen, options: ImportOptions) -> tuple[str, tuple[str, ...]]:
    column = next((p.column for p in chosen.taken if p.field == "device_id"), None)
    if column is None:
        return options.device or "", ()
    if options.device is not None:
        return f"column {column}", (f"the column {column!r} is used, not --device",)
    return f"column {column}", ()


def _fits(sample: pa.Array, field: str, decimal: str) -> bool:
    """Whether some value of the sample can be read; an empty sample can be any."""
    known = sample.drop_null()
    if pa.types.is_nested(sample.type):
        return False
    if field in METRICS:
        if pa.types.is_temporal(known.type) or pa.types.is_boolean(known.type):
            return False
        values, bad = numbers(known, decimal)
        return not np.isnan(values).all() or not bad.any()
    if field in ("mode", "heating"):
        dropped = Dropped()
        read = states(known, field, dropped)
        return any(v is not None for v in read) or not dropped.counts
    if field == "device_id":
        read = states(known, "heating", Dropped())
        return len(read) == 0 or any(v is None for v in read)
    return True


def guess_decimal(found: Sniffed) -> tuple[str, tuple[str, ...]]:
    """The decimal mark by what the cells show, with a note when they do not."""
    if found.dialect.kind == "parquet":
        return ".", ()
    commas, points, groups = 0, 0, 0
    for array in found.sample.values():
        if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
            continue
        for cell in array[:2000].to_pylist():
            text = (cell or "").strip()
            if GROUP.fullmatch(text):
                groups += 1
            elif COMMA.fullmatch(text):
                commas += 1
            elif POINT.fullmatch(text):
                points += 1
    if commas and points:
        counts = f"decimal commas ({commas} in the sample) and points ({points})"
        return (",", ".")[points > commas], (f"numbers have {counts}",)
    if commas or points or not groups:
        return ("," if commas else "."), ()
    mark = "," if found.dialect.delimiter in (";", "\t") else "."
    return mark, (f"assumed decimal {mark!r}: 1,234 or 1.234 settle nothing",)
