"""Charts of a report: their axes, and what is drawn."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.reports import chart_bars, chart_heat, chart_lines, ticks
from services.reports.document import BarChart, Block, HeatChart, Limit, Line
from services.reports.pdf import render_pdf
from tests.services.reports import papers

BERLIN = ZoneInfo("Europe/Berlin")
MOVE, LINE_TO = rb"[\d.-]+ [\d.-]+ m\b", rb"[\d.-]+ [\d.-]+ l\b"


def drawn(*blocks: Block) -> bytes:
    """The drawing orders of all pages."""
    reader = papers.read(render_pdf(papers.document(*blocks, footnotes=())))
    return b"\n".join(page.get_contents().get_data() for page in reader.pages)


def paths(*blocks: Block) -> list[int]:
    """How many corners each path of several corners has."""
    found = re.findall(rb"n (?:%s ?)((?:%s ?)+)" % (MOVE, LINE_TO), drawn(*blocks))
    return [len(re.findall(LINE_TO, path)) for path in found]


def test_a_gap_parts_a_line() -> None:
    """A missing value ends a path and begins another; nothing bridges it."""
    y = tuple(None if i == 4 else float(i) for i in range(10))
    line = Line("a", tuple(float(i) for i in range(10)), y)
    chart = papers.line_chart(lines=(line,), limits=())

    assert sorted(paths(chart))[-2:] == [3, 4]


def test_too_many_points_are_thinned_to_their_extremes() -> None:
    """A line of 20,000 points has 5,000 at most, the highest and lowest among them."""
    y = [float(i % 7) for i in range(20_000)]
    y[777], y[15_001] = 99.0, -99.0
    line = Line("a", tuple(float(i) for i in range(20_000)), tuple(y))
    (part,) = chart_lines._parts(line, moments=False)

    assert len(part) <= chart_lines.MOST
    assert {99.0, -99.0} <= {point[1] for point in part}
    assert part == sorted(part, key=lambda point: point[0])


def test_charts_are_vectors() -> None:
    """No chart is a picture, and each draws something."""
    blocks = (papers.line_chart(), papers.bar_chart("a", "b"), papers.heat_chart())
    data = render_pdf(papers.document(*blocks))

    assert papers.harm(data) == []
    assert b"/Subtype /Image" not in data
    for block in blocks:
        assert len(drawn(block)) > len(drawn()) + 500


def test_names_units_limits_and_notes_can_be_read() -> None:
    """Title, unit, legend, threshold with its value, local dates and note."""
    text = papers.words(render_pdf(papers.document(papers.line_chart())))

    for said in ("Accuracy share", "Realised", "Estimated", "Threshold 0.79", "5 Oct",
                 "Gaps have too few labels."):  # fmt: skip
        assert said in text


def test_a_limit_is_in_sight() -> None:
    """The axis reaches a threshold far from all values."""
    chart = papers.line_chart(limits=(Limit("Far", 0.2),))
    text = papers.words(render_pdf(papers.document(chart)))

    assert "Far 0.2" in text
    assert re.search(r"\b0\.[23]0?\b", text.replace("Far 0.2", ""))


def test_bars_with_long_names_lie() -> None:
    """Names that do not fit side by side stand beside lying bars, whole."""
    names = tuple(f"A rule with a long name {i}" for i in range(8))
    chart = papers.bar_chart(*names)
    text = papers.words(render_pdf(papers.document(chart)))

    assert chart_bars.lies(chart, 490)
    assert not chart_bars.lies(papers.bar_chart("a", "b"), 490)
    for name in names:
        assert name in text


def test_stacked_bars_stand_on_each_other() -> None:
    """Values above and below zero are stacked apart."""
    chart = papers.bar_chart("a", "b", "c", stacked=True)
    bars = [(bar[0], *bar[3:]) for bar in chart_bars._bars(chart)]

    assert bars == [(0, 0.0, -1.0), (0, 0.0, 2.0), (1, 0.0, 0.0), (2, 0.0, 1.0),
                    (2, 1.0, 3.0)]  # fmt: skip


def test_a_tall_heat_chart_goes_on_on_the_next_page() -> None:
    """No row is lost, marks move with their row, and colours mean the same."""
    parts = chart_heat.parts(papers.heat_chart(100))
    text = papers.words(render_pdf(papers.document(papers.heat_chart(100))))

    assert sum(len(part.rows) for part in parts) == 100
    assert [len(part.marked) for part in parts] == [1, 0, 0]
    for i in range(100):
        assert f"feature_{i}" in text


def test_ticks_are_local_times_people_would_choose() -> None:
    """A day is cut at full hours of the zone, the date stands where it changes."""
    start = datetime(2026, 7, 1, 4, 30, tzinfo=UTC).timestamp()
    found = ticks.time_ticks(start, start + 86_400, BERLIN)

    assert [label for _, label, _ in found] == [
        "09:00", "12:00", "15:00", "18:00", "21:00", "00:00", "03:00", "06:00"
    ]  # fmt: skip
    assert [under for *_, under in found if under] == ["1 Jul 2026", "2 Jul 2026"]
    assert found[0][0] == datetime(2026, 7, 1, 7, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("month", [3, 10])
def test_ticks_keep_to_the_clock_when_it_changes(month: int) -> None:
    """Days begin at local midnight before and after the clocks change."""
    start = datetime(2026, month, 27, tzinfo=UTC)
    found = ticks.time_ticks(
        start.timestamp(), (start + timedelta(days=6)).timestamp(), BERLIN
    )
    local = [datetime.fromtimestamp(place, BERLIN) for place, *_ in found]

    assert len(local) >= 5
    assert {moment.hour for moment in local} == {0}


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-3, 97), (0.811, 0.8325), (0, 7e-5), (1e6, 9e6), (5, 5)]
)
def test_number_ticks_are_round_and_few(low: float, high: float) -> None:
    """Between one and eight marks, all inside, no two with the same words."""
    found = ticks.number_ticks(low, high)
    words = [label for _, label in found]

    assert 1 <= len(found) <= 8
    assert len(set(words)) == len(words)
    assert all(low - 1e-9 <= place <= high + 1e-9 for place, _ in found)


EXTREME = (0.0, -0.0, 5e-324, 1e308, -1e308, 1e99, 1e-99, 1e16, -9007199254740996.0)


@pytest.mark.parametrize("first", EXTREME)
@pytest.mark.parametrize("second", [5e-324, -1e308, 1e16 + 2, float("nan"), 1 / 3])
def test_extreme_numbers_do_not_break_a_chart(first: float, second: float) -> None:
    """Tiny, huge and equal numbers have an axis, or no place on it."""
    pair = (first, second)
    far = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
    blocks = (
        HeatChart("h", "", "", ("a", "b"), ("r",), (pair,)),
        BarChart("b", "", "", ("x", "y"), (("s", pair), ("t", pair)), True),
        papers.line_chart(
            lines=(Line("l", (0.0, 1.0), pair, pair, pair),),
            limits=(Limit("q", second),),
        ),
        papers.line_chart(lines=(Line("l", pair, pair), Line("m", far, pair))),
    )

    assert len(papers.read(render_pdf(papers.document(*blocks))).pages) >= 1
