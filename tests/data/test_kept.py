"""Answers are kept for one snapshot, and only so many."""

from __future__ import annotations

import pyarrow as pa

from data.kept import MOST, Kept


def answer(value: int) -> pa.Table:
    """A table of one number."""
    return pa.table({"x": [value]})


def test_an_answer_is_given_again_for_the_same_question_and_snapshot() -> None:
    """Another question has none; a new snapshot forgets all of them for good."""
    kept = Kept()
    kept.put(("a", 1), 7, answer(1))

    assert kept.get(("a", 1), 7) == answer(1)
    assert kept.get(("a", 2), 7) is None
    assert kept.get(("a", 1), 8) is None

    kept.put(("b",), 8, answer(2))
    assert kept.get(("a", 1), 7) is None
    assert kept.get(("a", 1), 8) is None


def test_the_oldest_answer_goes_where_there_are_too_many() -> None:
    """The newest ones stay."""
    kept = Kept()
    for number in range(MOST + 2):
        kept.put((number,), 1, answer(number))

    found = [kept.get((number,), 1) for number in range(MOST + 2)]
    assert found[:2] == [None, None]
    assert None not in found[2:]
