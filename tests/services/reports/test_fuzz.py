"""Reports of arbitrary words and numbers."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.reports.document import (
    BarChart,
    Column,
    Document,
    Figure,
    Figures,
    HeatChart,
    Limit,
    Line,
    LineChart,
    Section,
    Table,
    Text,
)
from services.reports.pdf import render_pdf
from tests.services.reports import papers

CASES = int(os.environ.get("IOTSPHERE_REPORT_CASES", "300"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NASTY = st.sampled_from((
    "<b>", "</para>", '<img src="file:///etc/passwd"/>', "&", "&#0;", "=1+1", "\0",
    '<a href="javascript:x">', "\u202eabc", "سخان (5)", "שלום", "\ud800", "🔥",
    "x" * 10_000, "温" * 500, "a\u0301" * 80, "-", " ", "\n" * 50, "%s{}", "(\\)",
))  # fmt: skip
WORDS = st.one_of(st.text(max_size=40), NASTY, st.tuples(NASTY, st.text()).map("".join))
NUMBERS = st.one_of(st.none(), st.floats(), st.integers(-(10**18), 10**18))
TIMES = st.integers(-(2**31), 2**33).map(lambda s: EPOCH + timedelta(seconds=s))
CELLS = st.one_of(NUMBERS, WORDS, TIMES, st.booleans())
TONES = st.sampled_from(("good", "watch", "bad", "plain"))


@st.composite
def charts(draw: Any) -> Any:
    """A chart of any kind with any words and numbers."""
    values = draw(st.lists(NUMBERS, max_size=6))
    names = tuple(draw(WORDS) for _ in values)
    title, unit, name = draw(WORDS), draw(WORDS), draw(WORDS)
    kind = draw(st.sampled_from(("line", "times", "bars", "heat")))
    if kind == "bars":
        series = ((name, tuple(values)), (name, tuple(values[::-1])))
        return BarChart("b", title, unit, names, series, draw(st.booleans()), name)
    if kind == "heat":
        return HeatChart("h", title, unit, names, (name,), (tuple(values),),
                         frozenset({(0, 0)}), name)  # fmt: skip
    x = [draw(TIMES if kind == "times" else st.floats()) for _ in values]
    style = draw(st.sampled_from(("line", "dashed", "dots", "steps")))
    line = Line(name, tuple(x), tuple(values), tuple(values), tuple(values), style)
    limit = Limit(name, draw(st.floats()), draw(TONES))
    return LineChart("l", title, unit, (line, line), (limit,), name)


@st.composite
def documents(draw: Any) -> Document:
    """A document whose every text, number and time is arbitrary."""
    cells = tuple(draw(st.lists(CELLS, min_size=1, max_size=4)))
    columns = tuple(
        Column("k", draw(WORDS), draw(WORDS), draw(st.none() | st.integers(0, 6)))
        for _ in cells
    )
    figure = Figure(draw(WORDS), draw(CELLS), draw(WORDS), None, draw(WORDS))
    blocks = (
        Figures((figure,) * draw(st.integers(0, 5))),
        Text(draw(WORDS), draw(TONES)),
        Table(
            "t", draw(WORDS), columns, [cells] * draw(st.integers(0, 3)), draw(WORDS)
        ),
        draw(charts()),
    )
    section = Section(draw(WORDS), draw(WORDS), blocks, draw(st.integers(1, 3)))
    return papers.document(
        title=draw(WORDS), subtitle=draw(WORDS), facts=((draw(WORDS), draw(WORDS)),),
        footnotes=(draw(WORDS),), sections=(section,) * draw(st.integers(0, 6)),
        zone=draw(st.sampled_from(("Asia/Kolkata", "America/New_York", "no/where"))),
    )  # fmt: skip


@settings(max_examples=CASES, deadline=None)
@given(document=documents())
def test_no_text_breaks_a_report_or_gets_out_of_it(document: Document) -> None:
    """Whatever the words and numbers are: a readable PDF, no link, no image."""
    assert papers.harm(render_pdf(document)) == []
