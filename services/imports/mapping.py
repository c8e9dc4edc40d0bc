"""From the names of columns to fields and units: what is sure, what is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from data.records import READING_COLUMNS
from services.errors import InvalidInput
from services.imports import units
from services.imports.names import FIELD_NAMES, NOISE, WORDS
from services.imports.plans import ColumnPlan

IGNORE = "ignore"
RANKED = ("ts", "device_id")
BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
ZONE = re.compile(
    r"(?<![A-Za-z])(?:UTC|GMT)(?:[+-]\d{1,2}(?::?\d{2})?)?(?![A-Za-z])", re.IGNORECASE
)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Guess:
    """What a name says: a field if sure, else the fields it may mean."""

    field: str | None
    unit: str
    why: str
    rank: int = 0
    maybe: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """Columns by what happens to them; ``notes`` name every doubt."""

    taken: tuple[ColumnPlan, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]


def parse_maps(maps: Sequence[str]) -> dict[str, tuple[str, str]]:
    """``COLUMN=field[:UNIT]`` texts as column -> (field, unit or empty).

    Raises:
        InvalidInput: the text, field or unit is not understood, or two columns
            are mapped to one field.
    """
    found: dict[str, tuple[str, str]] = {}
    for text in maps:
        column, equals, target = text.rpartition("=")
        if not equals or not column.strip():
            raise InvalidInput(f"--map {text!r}: write COLUMN=field[:UNIT]")
        field, _, unit = (part.strip() for part in target.partition(":"))
        found[column.strip()] = (field, _checked_unit(text, field, unit))
    fields = [field for field, _ in found.values() if field not in (IGNORE, "ts")]
    for field in fields:
        if fields.count(field) > 1:
            raise InvalidInput(f"--map: {field} is given to more than one column")
    return found


def _checked_unit(text: str, field: str, unit: str) -> str:
    if field not in (*READING_COLUMNS, IGNORE):
        allowed = ", ".join((*READING_COLUMNS, IGNORE))
        raise InvalidInput(f"--map {text!r}: no field {field!r}; one of {allowed}")
    if not unit:
        return ""
    allowed_units = units.symbols(field)
    if not allowed_units:
        raise InvalidInput(f"--map {text!r}: {field} takes no unit")
    known = units.find(units.QUANTITY_OF[field], unit)
    if known is None:
        raise InvalidInput(
            f"--map {text!r}: no unit {unit!r} for {field}; "
            f"one of {', '.join(allowed_units)}"
        )
    return known.symbol


def guess(name: str) -> Guess:
    """What the name of a column means, by the table of names alone."""
    if name in READING_COLUMNS:
        return Guess(name, (*units.symbols(name), "")[0], "the field's own name")
    if name.lower() == "t":
        return Guess(None, "", "", maybe=("ts", "temperature_c"))
    words, unit_text = _words_and_unit(ZONE.sub(" ", name))
    phrase = " ".join(_plain(words))
    for field, phrases in FIELD_NAMES.items():
        if phrase in phrases:
            return _with_unit(field, phrase, unit_text, phrases.index(phrase))
    if not phrase and unit_text:
        quantities = [q for q in units.quantities(unit_text) if q != "temperature"]
        fields = [f for f, q in units.QUANTITY_OF.items() if q in quantities]
        if len(fields) == 1:
            return _with_unit(fields[0], f"unit {unit_text}", unit_text, 0)
    return Guess(None, "", "", maybe=_resembling(phrase))


def _with_unit(field: str, phrase: str, unit_text: str, rank: int) -> Guess:
    quantity = units.QUANTITY_OF.get(field)
    if quantity is None:
        return Guess(field, "", f"named {phrase!r}", rank)
    unit = units.find(quantity, unit_text) if unit_text else None
    if unit is not None:
        return Guess(field, unit.symbol, f"named {phrase!r}, unit in the header", rank)
    if unit_text:
        # A name of one quantity with the unit of another: not ours to settle.
        return Guess(None, "", "", maybe=(field,))
    stored = units.symbols(field)[0]
    return Guess(field, stored, f"named {phrase!r}, assumed {stored}", rank)


def _words_and_unit(name: str) -> tuple[list[str], str]:
    bracketed = [text for text in BRACKETS.findall(name) if units.quantities(text)]
    # A logger's own remark, as "(LGR S/N: 123)", is no part of the name either.
    bare = BRACKETS.sub(
        lambda m: " " if m[1] in bracketed or ":" in m[1] else f" {m[1]} ", name
    )
    parts = [part for part in re.split(r"[^A-Za-z0-9°³]+", bare) if part]
    if bracketed:
        return _split(parts), bracketed[-1]
    for size in (3, 2, 1):
        tail = "".join(parts[-size:])
        if len(parts) >= size and units.quantities(tail) and _is_unit(parts, size):
            return _split(parts[:-size]), tail
    words = _split(parts)
    if len(words) > 1 and units.quantities(words[-1]) and words[-1] not in WORDS:
        return words[:-1], words[-1]
    return words, ""


def _is_unit(parts: list[str], size: int) -> bool:
    # "p" and "t" stand for quantities, "volts" alone for voltage with its unit.
    rest = parts[:-size]
    return bool(rest) or len("".join(parts)) > 1


def _split(parts: Sequence[str]) -> list[str]:
    return [w.lower() for part in parts for w in CAMEL.split(part) if w]


def _plain(words: Sequence[str]) -> list[str]:
    spelt = " ".join(WORDS.get(w, w) for w in words)
    spelt = spelt.replace("set point", "setpoint")
    if any(spelt in phrases for phrases in FIELD_NAMES.values()):
        return spelt.split()
    kept = [w for w in spelt.split() if w not in NOISE]
    if not kept and any(w in ("water", "heater", "wh") for w in spelt.split()):
        return spelt.split()
    return kept


def _resembling(phrase: str) -> tuple[str, ...]:
    words = set(phrase.split())
    return tuple(
        field
        for field, phrases in FIELD_NAMES.items()
        if any(len(p) > 2 and set(p.split()) <= words for p in phrases)
    )


def choose(
    header: Sequence[str],
    maps: Mapping[str, tuple[str, str]],
    fits: Callable[[str, str], bool],
) -> Chosen:
    """Decide each column of ``header`` but the time columns.

    Args:
        header: the names of the columns.
        maps: the user's own choices, which always win.
        fits: whether a column's sample can be values of a field.
    """
    guesses = {name: guess(name) for name in header if name not in maps}
    guesses = {n: g for n, g in guesses.items() if g.field != "ts"}
    notes = [_doubt(n, g.maybe) for n, g in guesses.items() if g.maybe and not g.field]
    for name, made in list(guesses.items()):
        if made.field and not fits(name, made.field):
            notes.append(f"{name!r} is named like {made.field} but its values are not")
            guesses[name] = Guess(None, "", "")
    taken = _explicit(header, maps)
    claimed = {plan.field for plan in taken}
    for field in dict.fromkeys(g.field for g in guesses.values() if g.field):
        rivals = [n for n, g in guesses.items() if g.field == field]
        winner = None if field in claimed else _winner(field, rivals, guesses)
        if winner is not None:
            made = guesses[winner]
            taken.append(ColumnPlan(winner, field, made.unit, made.why))
        others = [n for n in rivals if n != winner]
        if others:
            notes.append(_rivalry(field, winner, others, field in claimed))
    names = {plan.column for plan in taken}
    ignored = {n for n, (field, _) in maps.items() if field in (IGNORE, "ts")}
    times = {n for n in header if n not in maps and guess(n).field == "ts"}
    unknown = tuple(n for n in header if n not in names | ignored | times)
    ordered = sorted(taken, key=lambda plan: header.index(plan.column))
    return Chosen(tuple(ordered), unknown, tuple(notes))


def _explicit(
    header: Sequence[str], maps: Mapping[str, tuple[str, str]]
) -> list[ColumnPlan]:
    taken = []
    for name, (field, unit) in maps.items():
        if name in header and field not in (IGNORE, "ts"):
            symbol = unit or guess_unit(name, field)
            taken.append(ColumnPlan(name, field, symbol, "--map"))
    return taken


def guess_unit(name: str, field: str) -> str:
    """The unit of a mapped column: from its header if there, else the stored one."""
    quantity = units.QUANTITY_OF.get(field)
    if quantity is None:
        return ""
    unit = units.find(quantity, _words_and_unit(name)[1])
    return unit.symbol if unit is not None else units.symbols(field)[0]


def _winner(
    field: str, rivals: Sequence[str], guesses: Mapping[str, Guess]
) -> str | None:
    if len(rivals) == 1 or field in rivals:
        return field if field in rivals else rivals[0]
    if field in RANKED:
        return min(rivals, key=lambda n: guesses[n].rank)
    return None


def _rivalry(
    field: str, winner: str | None, others: Sequence[str], explicit: bool
) -> str:
    listed = ", ".join(repr(n) for n in others)
    if winner is None and not explicit:
        return f"{field} is left out: {listed} could each be it; choose with --map"
    chosen = "the --map column" if winner is None else repr(winner)
    return f"{field} is read from {chosen}, not from {listed}"


def _doubt(name: str, maybe: Sequence[str]) -> str:
    return f"{name!r} may be {' or '.join(maybe)}: say so with --map if it is"
