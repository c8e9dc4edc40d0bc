"""Series become small traces whose gaps are gaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dashboards.figures.event_strip import Mark, event_marks
from dashboards.figures.stack import Panel, limit, room, stack
from dashboards.figures.timeseries import (
    Look,
    band,
    bars,
    line,
    pieces,
)
from services.buckets import grid

BERLIN = ZoneInfo("Europe/Berlin")
PLAIN = ZoneInfo("UTC")
LOOK = Look("Tank", "#5ab8e8", "°C", 1)
START = datetime(2026, 3, 28, 12, tzinfo=UTC)
NAN = float("nan")


def hours(count: int, start: datetime = START) -> np.ndarray:
    """A grid of hours."""
    return grid(start, start + timedelta(hours=count), 3600)


def test_even_wall_times_are_one_piece() -> None:
    """Without a change of the clocks a series needs a start and a step, no list."""
    (piece,) = pieces(hours(10), BERLIN)

    assert (piece.part, piece.x0, piece.dx) == (
        slice(0, 10), "2026-03-28T13:00:00", 3_600_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("start", "second"),
    [(START, "2026-03-29T03:00:00"),
     (datetime(2026, 10, 24, 12, tzinfo=UTC), "2026-10-25T02:00:00")],
)  # fmt: skip
def test_a_change_of_the_clocks_cuts_the_series(start: datetime, second: str) -> None:
    """Each piece is even in wall time, and together they hold every bucket once."""
    cut = pieces(hours(30, start), BERLIN)

    assert len(cut) == 2
    assert cut[1].x0 == second
    assert cut[0].part.stop == cut[1].part.start
    assert cut[1].part.stop == 30


def test_an_earlier_range_is_drawn_days_later() -> None:
    """The previous range keeps its wall times and moves by whole days."""
    (piece,) = pieces(hours(3), PLAIN, days_later=7)

    assert piece.x0 == "2026-04-04T12:00:00"


def test_a_line_breaks_at_gaps_and_dots_single_values() -> None:
    """A gap is ``None`` in the line; a value alone between gaps gets a dot."""
    numbers = np.array([1.0, 2.0, NAN, 4.04, NAN, 6.0])

    drawn, dots = line(numbers, pieces(hours(6), PLAIN), "y", LOOK)

    assert drawn["y"] == [1.0, 2.0, None, 4.0, None, 6.0]
    assert (drawn["x0"], drawn["dx"]) == ("2026-03-28T12:00:00", 3_600_000)
    assert "x" not in drawn
    assert dots["x"] == ["2026-03-28T15:00:00", "2026-03-28T17:00:00"]
    assert dots["y"] == [4.0, 6.0]


def test_a_band_ends_at_a_gap_and_begins_after_it() -> None:
    """Each run of buckets has its own filled line, and a bucket alone has a bar."""
    low = np.array([1.0, 2.0, NAN, 3.3, NAN, 4.0, 5.0])
    high = low + 1.5

    first_low, first, alone, last_low, last = band(
        low, high, pieces(hours(7), PLAIN), "y", LOOK
    )

    assert (first_low["y"], first["y"]) == ([1, 2], [2.5, 3.5])
    assert first["fill"] == last["fill"] == "tonexty"
    assert "fill" not in first_low
    assert (last_low["x0"], last["y"]) == ("2026-03-28T17:00:00", [5.5, 6.5])
    assert (alone["type"], alone["base"], alone["y"]) == ("bar", [3.3], [1.5])
    assert alone["x0"] == "2026-03-28T15:00:00"


def test_a_band_of_many_runs_is_bars() -> None:
    """With gaps everywhere one trace of bars draws them all, absent in the gaps."""
    high = np.array([2.5, 3.0, NAN] * 20)

    (ranged,) = band(high - 1, high, pieces(hours(60), PLAIN), "y", LOOK)
    (peak,) = band(None, high, pieces(hours(60), PLAIN), "y", LOOK)

    assert ranged["base"][:4] == [1.5, 2, None, 1.5]
    assert ranged["y"][:4] == [1, 1, None, 1]
    assert ranged["width"] == ranged["dx"] == 3_600_000
    assert peak["y"][:4] == [2.5, 3, None, 2.5]
    assert "base" not in peak


def test_a_band_on_zero_is_filled_to_zero() -> None:
    """A highest value alone is filled down to the axis."""
    (peak,) = band(None, np.array([1.0, 2.0]), pieces(hours(2), PLAIN), "y", LOOK)

    assert (peak["fill"], peak["y"]) == ("tozeroy", [1, 2])


def test_bars_are_as_wide_as_their_time() -> None:
    """A day cut to six hours has a bar a quarter as wide as a whole one."""
    spans = [("2026-03-28T18:00:00", "2026-03-29T00:00:00"),
             ("2026-03-29T00:00:00", "2026-03-30T00:00:00")]  # fmt: skip

    trace = bars(spans, [1.0, None], "y2", LOOK)

    assert trace["width"][1] == 4 * trace["width"][0]
    assert trace["y"] == [1.0, None]


def test_event_words_cannot_become_markup() -> None:
    """Messages come from outside: tags are shown as text, and long ones are cut."""
    mark = Mark("2026-03-28T12:00", 6, "critical", ["<b>x</b> & y", "w" * 500])

    trace = event_marks([mark], "y5", "Events", "dark")

    (words,) = trace["text"]
    assert words.startswith("&lt;b&gt;x&lt;/b&gt; &amp; y<br>www")
    assert words.endswith("…<br>and 4 more")
    assert len(words) < 180
    assert trace["marker"]["symbol"] == ["x"]


def test_severities_differ_in_shape() -> None:
    """No two severities are told apart by colour alone."""
    names = ("critical", "high", "medium", "low", "info")
    trace = event_marks([Mark("x", 1, s, []) for s in names], "y5", "Events", "dark")

    assert len(set(trace["marker"]["symbol"])) == 5


@pytest.mark.parametrize(
    ("near", "low", "high"),
    [([], 50, 60), ([65], 50, 65), ([45, 90, None], 45, 60), ([10, 90], 50, 60)],
)
def test_near_limits_get_room_and_far_ones_do_not(
    near: list[float | None], low: float, high: float
) -> None:
    """The axis reaches to limits close to the data and is not flattened by others."""
    series = [np.array([50.0, NAN]), np.array([60.0])]

    shown = room(series, near, 4)

    assert low - 2 < shown[0] < low
    assert high < shown[1] < high + 2


def test_an_axis_without_data_shows_the_limits() -> None:
    """With nothing measured the axis spans what the device states, or 0 to 1."""
    nothing = [np.array([NAN])]

    assert room(nothing, [1.5, None, 7.0], 1) == (1.5, 7.0)
    assert room(nothing, [None], 1) == (0.0, 1.0)


def test_panels_share_one_time_axis_and_do_not_overlap() -> None:
    """All panels hang on one x axis, from top to bottom without touching."""
    panels = [Panel("y", 0.5, "Top"), Panel("y2", 0.3, "Middle", 0, 5),
              Panel("y3", 0.2, "Low", 0, 1, scale=False)]  # fmt: skip
    end = START + timedelta(days=1)
    line_at = limit(4, "y2", "alarm above 4", "#f00", above=True)

    figure = stack(
        panels, [], START, end, BERLIN, "light", height=600, shapes=[line_at]
    )

    layout = figure["layout"]
    domains = [layout[name]["domain"] for name in ("yaxis", "yaxis2", "yaxis3")]
    assert domains[0][0] > domains[1][1] > domains[1][0] > domains[2][1]
    assert domains[2][0] >= 0
    assert layout["xaxis"]["anchor"] == "y3"
    assert layout["xaxis"]["range"] == ["2026-03-28T13:00:00", "2026-03-29T14:00:00"]
    assert layout["hoversubplots"] == "axis"
    assert all(layout[f"yaxis{i}"]["fixedrange"] for i in ("", 2, 3))
    assert layout["yaxis2"]["range"] == [0, 5]
    assert [a["text"] for a in layout["annotations"]] == ["Top", "Middle", "Low"]
    assert layout["shapes"] == [line_at]
