"""What the senders of mail and webhooks have in common."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from data.report_records import Parcel

ANSWER_LENGTH = 300
REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Answer:
    """What became of an attempt; ``permanent``: trying again will not help."""

    ok: bool
    words: str
    permanent: bool = False


def delivery_id(parcels: Iterable[Parcel]) -> str:
    """The id of a message: sent again after a crash, it is the same."""
    keys = "\n".join(sorted(parcel.key for parcel in parcels))
    return hashlib.sha256(keys.encode("utf-8")).hexdigest()[:32]


def line(text: object, most: int) -> str:
    """One line of plain text: no control, reordering or broken characters."""
    # Nothing after this many characters can be shown.
    kept = "".join(_plain(c) for c in str(text)[: most * 8])
    shown = " ".join(kept.split())
    return shown if len(shown) <= most else f"{shown[: most - 1]}\u2026"


def _plain(character: str) -> str:
    if character in REORDERING:
        return ""
    if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
        return " "
    return character
