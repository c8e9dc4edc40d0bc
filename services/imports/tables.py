"""The tables of ``docs/import.md``, made from the names and units in the code."""

from __future__ import annotations

from collections import defaultdict

from services.imports import units
from services.imports.names import (
    FALSE_WORDS,
    FIELD_NAMES,
    MISSING_WORDS,
    MODE_WORDS,
    TRUE_WORDS,
)


def names_table() -> str:
    """Field, units (the stored one first) and the names of its columns."""
    lines = ["| field | units | names of columns |", "|---|---|---|"]
    for field, names in FIELD_NAMES.items():
        allowed = ", ".join(units.symbols(field)) or "–"
        lines.append(f"| `{field}` | {allowed} | {', '.join(names)} |")
    return "\n".join(lines)


def words_table() -> str:
    """Words in cells and what they are read as."""
    words: defaultdict[str, list[str]] = defaultdict(list)
    for word, mode in MODE_WORDS.items():
        words[f"mode `{mode}`"].append(word)
    words["heating: on"] = sorted(TRUE_WORDS)
    words["heating: off"] = sorted(FALSE_WORDS)
    words["no value"] = [word or "(empty)" for word in sorted(MISSING_WORDS)]
    lines = ["| read as | cells |", "|---|---|"]
    lines += [
        f"| {meaning} | {', '.join(f'`{cell}`' for cell in cells)} |"
        for meaning, cells in words.items()
    ]
    return "\n".join(lines)
