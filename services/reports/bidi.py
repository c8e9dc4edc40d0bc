"""Right-to-left writing: Arabic letters joined, and a line in the order it is drawn.

Joined forms are the presentation forms of Unicode, found in its own decompositions.
The order follows the implicit part of Unicode's bidirectional algorithm (UAX #9, rules
W1 to W7, N1, N2, I1, I2, L1, L2 and L4); explicit marks were taken out before.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")
_FORM_RANGES = ((0xFB50, 0xFDFC), (0xFE70, 0xFEFD))
_TATWEEL, _ZWJ, _ZWNJ = "\u0640", "\u200d", "\u200c"
_NEUTRAL = frozenset({"B", "S", "WS", "ON"})
_MIRROR = {
    a: b
    for pair in ("()", "[]", "{}", "<>", "«»", "‹›", "≤≥")
    for a, b in ((pair[0], pair[1]), (pair[1], pair[0]))
}

Forms = dict[str, dict[str, str]]


def runs_right(text: str) -> bool:
    """Whether any character of a text is written from right to left."""
    return _RIGHT.search(text) is not None


def joined(text: str) -> str:
    """A text in its logical order with Arabic letters in their joined forms."""
    if not runs_right(text):
        return text
    forms = _forms()
    marks = [c for c in text if not _transparent(c)]
    before = dict(enumerate(["", *marks]))
    out, place = [], 0
    for char in text:
        if _transparent(char):
            out.append(char)
            continue
        after = marks[place + 1] if place + 1 < len(marks) else ""
        out.append(_formed(char, before[place], after, forms))
        place += 1
    return _ligated("".join(out), forms).replace(_ZWJ, "").replace(_ZWNJ, "")


def visual(line: str) -> str:
    """One line in the order its characters stand on paper, from left to right."""
    if not runs_right(line):
        return line
    levels = _levels([unicodedata.bidirectional(c) or "L" for c in line])
    chars = [
        _MIRROR.get(c, c) if level % 2 else c
        for c, level in zip(line, levels, strict=True)
    ]
    order = list(range(len(line)))
    for level in range(max(levels), 0, -1):
        order = _turned(order, [levels[i] >= level for i in order])
    return "".join(chars[i] for i in order)


@cache
def _forms() -> Forms:
    """Letter (or lam with alef) -> place in the word -> presentation form."""
    found: Forms = {}
    for first, end in _FORM_RANGES:
        for code in range(first, end):
            kind, *parts = unicodedata.decomposition(chr(code)).split() or [""]
            letters = "".join(chr(int(part, 16)) for part in parts)
            if kind.startswith("<") and (len(letters) == 1 or _lam_alef(letters)):
                found.setdefault(letters, {}).setdefault(kind.strip("<>"), chr(code))
    return found


def _lam_alef(letters: str) -> bool:
    return len(letters) == 2 and letters[0] == "ل" and letters[1] in "اأإآ"


def _transparent(char: str) -> bool:
    return unicodedata.category(char) == "Mn"


def _joins_after(char: str, forms: Forms) -> bool:
    return char in {_TATWEEL, _ZWJ} or "initial" in forms.get(char, {})


def _joins_before(char: str, forms: Forms) -> bool:
    return char in {_TATWEEL, _ZWJ} or "final" in forms.get(char, {})


def _formed(char: str, before: str, after: str, forms: Forms) -> str:
    own = forms.get(char)
    if own is None:
        return char
    back = _joins_after(before, forms) and "final" in own
    on = "initial" in own and _joins_before(after, forms)
    kind = {(True, True): "medial", (True, False): "final", (False, True): "initial"}
    return own.get(kind.get((back, on), "isolated"), char)


def _ligated(text: str, forms: Forms) -> str:
    """Lam and alef become one sign, as every reader of Arabic expects."""
    lam = forms["ل"]
    for letters, own in forms.items():
        if len(letters) == 2:
            alef = forms[letters[1]]["final"]
            text = text.replace(lam["initial"] + alef, own["isolated"])
            text = text.replace(lam["medial"] + alef, own["final"])
    return text


def _levels(kinds: list[str]) -> list[int]:
    """The embedding level of each character of a line."""
    base = next((int(k != "L") for k in kinds if k in {"L", "R", "AL"}), 0)
    side = "R" if base else "L"
    weak = _weak(kinds, side)
    _neutral(weak, side)
    levels = []
    for kind in weak:
        up = kind != side if kind in {"L", "R"} else 0
        number = kind in {"EN", "AN"}
        levels.append(base + (2 - base if number else int(up)))
    for i in range(len(kinds) - 1, -1, -1):
        if kinds[i] not in {"WS", "S", "B"}:
            break
        levels[i] = base
    return levels


def _weak(kinds: list[str], side: str) -> list[str]:
    """W1 to W7: marks, numbers and the signs beside them."""
    out = list(kinds)
    strong = before = side
    for i, kind in enumerate(out):
        if kind in {"NSM", "BN"}:
            out[i] = before
        elif kind == "EN" and strong == "AL":
            out[i] = "AN"
        elif kind in {"L", "R", "AL"}:
            strong = kind
        before = out[i]
    out = ["R" if kind == "AL" else kind for kind in out]
    for i in range(1, len(out) - 1):
        if out[i - 1] == out[i + 1] and (
            (out[i] == "CS" and out[i - 1] in {"EN", "AN"})
            or (out[i] == "ES" and out[i - 1] == "EN")
        ):
            out[i] = out[i - 1]
    _beside_numbers(out)
    strong = side
    for i, kind in enumerate(out):
        if kind in {"L", "R"}:
            strong = kind
        elif kind == "EN" and strong == "L":
            out[i] = "L"
    return out


def _beside_numbers(kinds: list[str]) -> None:
    """W5 and W6: a sign beside a number belongs to it; what is left is neutral."""
    for steps in (range(1, len(kinds)), range(len(kinds) - 2, -1, -1)):
        back = 1 if steps.step < 0 else -1
        for i in steps:
            if kinds[i] == "ET" and kinds[i + back] == "EN":
                kinds[i] = "EN"
    for i, kind in enumerate(kinds):
        if kind in {"ET", "ES", "CS"}:
            kinds[i] = "ON"


def _neutral(kinds: list[str], side: str) -> None:
    """N1 and N2: what stands between two of one direction goes with them."""
    start = 0
    while start < len(kinds):
        if kinds[start] not in _NEUTRAL:
            start += 1
            continue
        end = start
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        before = _side(kinds[start - 1]) if start else side
        after = _side(kinds[end]) if end < len(kinds) else side
        kinds[start:end] = [before if before == after else side] * (end - start)
        start = end


def _side(kind: str) -> str:
    return "L" if kind == "L" else "R"


def _turned(order: list[int], high: list[bool]) -> list[int]:
    """The places with every run of high ones turned around."""
    out: list[int] = []
    run: list[int] = []
    for place, up in zip(order, high, strict=True):
        if up:
            run.append(place)
            continue
        out += [*reversed(run), place]
        run = []
    return out + run[::-1]
