"""The reliability diagram of one class, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboards import text
from dashboards.figures.theme import Figure, axis, base_layout, colour, faded
from services.performance_views import (
    CalibrationPoint,
    CalibrationView,
    ConfusionView,
)

HEIGHT = 380
FEW_CLASSES = 6
"""Up to so many classes a cell has room for its count."""
LONGEST_NAME, NAME_HEAD, NAME_TAIL = 16, 8, 7


def reliability(calibration: CalibrationView, theme: str) -> Figure:
    """Observed share against mean score, the diagonal, and the rows of each group."""
    layout = base_layout(
        theme,
        HEIGHT,
        dragmode=False,
        hovermode="closest",
        legend={"y": 1.01},
        xaxis=axis(
            theme,
            range=[-0.02, 1.02],
            fixedrange=True,
            anchor="y2",
            nticks=6,
            title={"text": "Mean score"},
        ),
        yaxis={
            "range": [-0.02, 1.02],
            "fixedrange": True,
            "domain": [0.26, 1],
            "nticks": 6,
            "title": {"text": "Observed share"},
        },
    )
    layout["yaxis2"] = axis(
        theme, domain=[0, 0.18], fixedrange=True, nticks=3, title={"text": "Rows"}
    )
    return {"data": _reliability_traces(calibration, theme), "layout": layout}


def _reliability_traces(
    calibration: CalibrationView, theme: str
) -> list[dict[str, Any]]:
    tint, quiet = colour(theme, "series-1"), colour(theme, "text-soft")
    diagonal = {
        "type": "scatter",
        "mode": "lines",
        "name": "Score = share",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"color": quiet, "width": 1, "dash": "4px,3px"},
        "hoverinfo": "skip",
    }
    traces = [diagonal]
    if calibration.reference:
        outline = _groups(calibration.reference, "Reference", quiet)
        outline["marker"] |= {"symbol": "circle-open", "size": 8}
        outline["line"] |= {"width": 1}
        traces.append(outline)
    if calibration.window:
        points = calibration.window
        shown = _groups(points, "This window", tint)
        shown["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": [round(p.high - p.observed, 4) for p in points],
            "arrayminus": [round(p.observed - p.low, 4) for p in points],
            "thickness": 1.2,
            "width": 3,
        }
        traces += [shown, _rows(points, tint)]
    return traces


def _groups(points: Sequence[CalibrationPoint], name: str, tint: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [round(p.score, 4) for p in points],
        "y": [round(p.observed, 4) for p in points],
        "text": [
            f"score {p.score:.2f}: {text.share(p.observed, 1)} observed "
            f"({text.share(p.low, 1)} to {text.share(p.high, 1)}), "
            f"{text.number(p.rows, 0)} rows"
            for p in points
        ],
        "hovertemplate": f"{name}, %{{text}}<extra></extra>",
        "line": {"color": tint, "width": 2},
        "marker": {"color": tint, "size": 6},
    }


def _rows(points: Sequence[CalibrationPoint], tint: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": "Rows",
        "showlegend": False,
        "yaxis": "y2",
        "x": [round(p.score, 4) for p in points],
        "y": [p.rows for p in points],
        "width": 0.04,
        "marker": {"color": faded(tint, 0.7)},
        "hovertemplate": "%{y} rows at score %{x:.2f}<extra></extra>",
    }


def short(name: str) -> str:
    """A class name as an axis has room for it: long names often differ at the end."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[:NAME_HEAD]}…{name[-NAME_TAIL:]}"


def row_shares(confusion: ConfusionView) -> list[list[float | None]]:
    """Each count as a share of its row; ``None`` in a row without predictions."""
    return [
        [count / sum(row) if sum(row) else None for count in row]
        for row in confusion.counts
    ]


def confusion_height(classes: int) -> int:
    """Pixels of a matrix: cells hold two lines while there are few."""
    return 130 + classes * (64 if classes <= FEW_CLASSES else 26)


def confusion_figure(confusion: ConfusionView, theme: str) -> Figure:
    """Row = predicted, column = true; colour and text are the share of the row."""
    classes, shares = confusion.classes, row_shares(confusion)
    few = len(classes) <= FEW_CLASSES
    heat = {
        "type": "heatmap",
        "x": list(classes),
        "y": list(classes),
        "z": [[None if v is None else round(v, 4) for v in row] for row in shares],
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, colour(theme, "raised")], [1, _deepest(theme)]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "text": _cell_words(confusion, shares, few=few),
        "customdata": [list(row) for row in confusion.counts],
        "texttemplate": "%{text}",
        "textfont": {"size": 13 if few else 10, "color": colour(theme, "text")},
        "hovertemplate": "predicted %{y}<br>true %{x}<br>%{customdata} rows, "
        "%{z:.1%} of this prediction<extra></extra>",
    }
    names = {
        "type": "category",
        "tickvals": list(classes),
        "ticktext": [short(name) for name in classes],
        "fixedrange": True,
        "showgrid": False,
        "ticks": "",
    }
    layout = base_layout(
        theme,
        confusion_height(len(classes)),
        dragmode=False,
        hovermode="closest",
        xaxis=names | {"side": "top", "title": {"text": "True class"}},
        yaxis=names | {"autorange": "reversed", "title": {"text": "Predicted"}},
    )
    return {"data": [heat], "layout": layout}


def _deepest(theme: str) -> str:
    """The accent half over the surface, so that text can be read on each shade."""
    accent, ground = colour(theme, "accent"), colour(theme, "surface")
    pairs = [
        (int(accent[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{(a + b) // 2:02x}" for a, b in pairs)


def _cell_words(
    confusion: ConfusionView, shares: list[list[float | None]], *, few: bool
) -> list[list[str]]:
    """Count and share where there is room, else the share in whole per cent."""
    if few:
        return [
            [
                f"{text.number(count, 0)}<br>{text.share(share, 1)}"
                for count, share in zip(counts, row, strict=True)
            ]
            for counts, row in zip(confusion.counts, shares, strict=True)
        ]
    return [
        [text.number(share * 100, 0) if share and share >= 0.005 else "" for share in r]
        for r in shares
    ]
