"""Right-to-left writing as it stands on paper."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reports.bidi import joined, visual


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        ("abc 12", "abc 12"),
        ("דוד", "דוד"[::-1]),
        ("Heater דוד 5 kW", "Heater 5 " + "דוד"[::-1] + " kW"),
        ("דוד (12) kW", "kW (12) " + "דוד"[::-1]),
        ("דוד 12.5", "12.5 " + "דוד"[::-1]),
        ("a (דוד) b", "a (" + "דוד"[::-1] + ") b"),
    ],
)
def test_lines_stand_in_the_order_they_are_read(written: str, drawn: str) -> None:
    """Words from right to left, numbers from left to right, brackets mirrored."""
    assert visual(written) == drawn


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("سخان", ("INITIAL", "MEDIAL", "FINAL", "ISOLATED")),
        ("دار", ("ISOLATED", "ISOLATED", "ISOLATED")),
        ("بيت", ("INITIAL", "MEDIAL", "FINAL")),
        ("لا", ("ISOLATED",)),
        ("بلا", ("INITIAL", "FINAL")),
        ("پگ", ("INITIAL", "FINAL")),
    ],
)
def test_arabic_letters_join(word: str, forms: tuple[str, ...]) -> None:
    """Each letter has the form of its place; lam and alef become one sign."""
    names = [unicodedata.name(char) for char in joined(word)]

    assert tuple(name.split()[-2] for name in names) == forms
    assert unicodedata.normalize("NFKC", joined(word)) == word


def test_vowel_marks_do_not_part_letters() -> None:
    """A letter joins over the marks of the one before."""
    assert joined("بَيت").replace("\u064e", "") == joined("بيت")


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "M", "Z"])))
def test_no_character_is_lost(text: str) -> None:
    """Turning a line keeps its characters, brackets taken for their mirror."""
    mirrored = str.maketrans("()[]{}<>«»‹›≤≥", ")(][}{><»«›‹≥≤")
    both = {c.translate(mirrored) for c in text} | set(text)

    assert len(visual(text)) == len(text)
    assert set(visual(text)) <= both
