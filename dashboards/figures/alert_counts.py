"""How often alerts came: a calendar of days, and bars with the commonest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape
from typing import Any

from dashboards.figures.theme import Figure, axis, base_layout, colour, faded
from services.alert_patterns import Bar

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CALENDAR_HEIGHT = 210
BAR_PX = 30
NAME_CHARACTERS = 34


def calendar(days: Sequence[tuple[date, int]], theme: str) -> Figure:
    """A square for each day: weeks from left to right, Monday at the top."""
    first = days[0][0] - timedelta(days=days[0][0].weekday())
    weeks = (days[-1][0] - first).days // 7 + 1
    grid: list[list[int | None]] = [[None] * weeks for _ in DAYS]
    words: list[list[str]] = [[""] * weeks for _ in DAYS]
    for day, count in days:
        week, row = (day - first).days // 7, day.weekday()
        grid[row][week] = count
        words[row][week] = f"{day:%a} {day.day} {day:%b %Y}: {_activations(count)}"
    most = max(count for _, count in days)
    starts = [first + timedelta(days=7 * i) for i in range(weeks)]
    marks = list(range(0, weeks, max(weeks // 8, 1)))
    layout = base_layout(
        theme,
        CALENDAR_HEIGHT,
        hovermode="closest",
        dragmode=False,
        xaxis=axis(
            theme,
            showgrid=False,
            fixedrange=True,
            tickvals=marks,
            ticktext=[f"{starts[i].day} {starts[i]:%b}" for i in marks],
        ),
        yaxis=axis(theme, showgrid=False, fixedrange=True, autorange="reversed"),
    )
    return {"data": [_squares(grid, words, most, theme)], "layout": layout}


def _squares(
    grid: list[list[int | None]], words: list[list[str]], most: int, theme: str
) -> dict[str, Any]:
    tint, soft = colour(theme, "series-2"), colour(theme, "text-soft")
    return {
        "type": "heatmap",
        "z": grid,
        "x": list(range(len(grid[0]))),
        "y": list(DAYS),
        "text": words,
        "hovertemplate": "%{text}<extra></extra>",
        "hoverongaps": False,
        "xgap": 3,
        "ygap": 3,
        "zmin": 0,
        "zmax": max(most, 1),
        "colorscale": [
            [0, colour(theme, "raised")],
            [0.001, faded(tint, 0.25)],
            [1, tint],
        ],
        "colorbar": {
            "thickness": 8,
            "outlinewidth": 0,
            "tickformat": "d",
            "nticks": 4,
            "tickfont": {"color": soft, "size": 11},
        },
    }


def pareto(bars: Sequence[Bar], theme: str) -> Figure:
    """Bars from the commonest on, with the share that is reached so far."""
    tint = colour(theme, "series-1")
    names = [_short(bar.name) for bar in bars]
    counted = {
        "type": "bar",
        "orientation": "h",
        "x": [bar.count for bar in bars],
        "y": list(range(len(bars))),
        "text": [f"{bar.count} · {bar.share:.0%}" for bar in bars],
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"color": colour(theme, "text-soft"), "size": 11},
        "hovertext": [
            f"{escape(bar.name, quote=False)}: {_activations(bar.count)}, "
            f"{bar.share:.0%} reached"
            for bar in bars
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"color": faded(tint, 0.75), "line": {"width": 0}},
    }
    most = max((bar.count for bar in bars), default=1)
    layout = base_layout(
        theme,
        max(BAR_PX * len(bars) + 40, 110),
        hovermode="closest",
        dragmode=False,
        showlegend=False,
        bargap=0.35,
        xaxis=axis(
            theme, range=[0, most * 1.3], fixedrange=True, tickformat="d", nticks=5
        ),
        yaxis=axis(
            theme,
            autorange="reversed",
            showgrid=False,
            fixedrange=True,
            tickvals=list(range(len(bars))),
            ticktext=names,
        ),
    )
    return {"data": [counted], "layout": layout}


def _short(name: str) -> str:
    cut = len(name) > NAME_CHARACTERS
    return escape(f"{name[: NAME_CHARACTERS - 1]}…" if cut else name, quote=False)


def _activations(count: int) -> str:
    return f"{count} activation{'' if count == 1 else 's'}"
