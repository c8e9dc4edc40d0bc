"""One feature in the reference and in a window: shares, difference, quantiles.

Both are drawn on one axis with common bars, so that a shift is seen as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

from dashboards import drift_words as words
from dashboards import text
from dashboards.figures.theme import Figure, axis, base_layout, colour, faded
from services.drift_views import CategoryRow, FeatureDetail

REFERENCE, WINDOW = "series-1", "series-2"
"""The colour tokens of the reference and the window on every chart of the tab."""
NUMERIC_PX = 400
QUANTILES_PX = 300
ROW_PX = 30
MOST_CATEGORIES = 20
MOST_UNSEEN = 5
LONGEST_LABEL = 22
LABEL_ROOM, DOUBLE_ROOM = 1.2, 2.8
"""How much longer an axis is than its longest bar, so that the number fits."""

Share = tuple[str, float, float]
"""A name with its share in the reference and in the window."""


def short(name: str, most: int = LONGEST_LABEL) -> str:
    """A name as an axis takes it: cut, and with nothing that is read as markup."""
    cut = name if len(name) <= most else name[: most - 1] + "…"
    return escape(cut, quote=False)


def lean_layout(theme: str, **changes: Any) -> dict[str, Any]:
    """The layout of a chart without legend and zoom: nothing that it does not use."""
    layout = base_layout(theme, dragmode=False, showlegend=False, **changes)
    del layout["colorway"], layout["legend"]
    return layout


def numeric(detail: FeatureDetail, theme: str) -> Figure:
    """Both distributions on one axis, and below them their difference by bar."""
    edges = [_tidy(edge) for edge in detail.edges]
    middles = [_tidy((a + b) / 2) for a, b in pairwise(detail.edges)]
    widths = [_tidy(b - a) for a, b in pairwise(detail.edges)]
    width = widths[0] if len(set(widths)) == 1 else widths
    before = [round(s * 100, 3) for s in detail.reference_shares]
    now = [round(s * 100, 3) for s in detail.shares]
    gaps = [round(b - a, 3) for a, b in zip(before, now, strict=True)]
    bars = {"type": "bar", "x": middles, "width": width, "customdata": before}
    layout = lean_layout(
        theme,
        height=NUMERIC_PX,
        hovermode="closest",
        bargap=0,
        xaxis=axis(
            theme,
            anchor="y2",
            fixedrange=True,
            range=[edges[0], edges[-1]] if edges else None,
            showgrid=False,
            title={"text": short(detail.feature, 60)},
        ),
        yaxis=_shares_axis(theme, [0.4, 1], "Rows in a bar (%)", rangemode="tozero"),
        yaxis2=_shares_axis(theme, [0, 0.3], "Difference (pp)", zeroline=True),
    )
    traces = [
        bars | _filled("Window", now, theme, "y", "window %{y:.2f} %"),
        _outline(edges, before, theme),
        bars
        | _filled("Window minus reference", gaps, theme, "y2", "difference %{y:+.2f}"),
    ]
    return {"data": traces, "layout": layout}


def quantiles(detail: FeatureDetail, theme: str) -> Figure:
    """Quantiles of the window over those of the reference, with the identity."""
    before = [_tidy(q[1]) for q in detail.quantiles]
    now = [_tidy(q[2]) for q in detail.quantiles]
    ends = [min(before + now), max(before + now)] if before else []
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "No change",
            "x": ends,
            "y": ends,
            "line": {"color": colour(theme, REFERENCE), "dash": "5px,4px"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "Window",
            "x": before,
            "y": now,
            "customdata": [text.number(q[0] * 100, 1) for q in detail.quantiles],
            "line": {"color": colour(theme, WINDOW), "width": 1.5},
            "marker": {"size": 5},
            "hovertemplate": "%{customdata} % of the rows lie below<br>reference "
            "%{x}<br>window %{y}<extra></extra>",
        },
    ]
    layout = lean_layout(
        theme,
        height=QUANTILES_PX,
        hovermode="closest",
        xaxis=axis(theme, fixedrange=True, title={"text": "Reference quantile"}),
        yaxis=axis(theme, fixedrange=True, title={"text": "Window quantile"}),
    )
    return {"data": traces, "layout": layout}


def paired(rows: Sequence[Share], theme: str) -> Figure:
    """Shares as pairs of bars, one pair a row, and their differences beside them."""
    labels = [short(name) for name, _, _ in rows]
    # Two names that are cut to the same text would share a row.
    labels = [n + "\u200b" * labels[:i].count(n) for i, n in enumerate(labels)]
    before = [round(r * 100, 3) for _, r, _ in rows]
    now = [round(c * 100, 3) for _, _, c in rows]
    gaps = [round(b - a, 3) for a, b in zip(before, now, strict=True)]
    common = {"type": "bar", "orientation": "h", "y": labels}
    traces = [
        common | _share_bars("Reference", before, _hollow(theme), theme),
        common
        | _share_bars(
            "Window", now, {"color": faded(colour(theme, WINDOW), 0.75)}, theme
        ),
        common | _gap_bars(gaps, theme),
    ]
    layout = _paired_layout(max([*before, *now, 1]), gaps, theme)
    return {"data": traces, "layout": layout}


def _paired_layout(most: float, gaps: list[float], theme: str) -> dict[str, Any]:
    reach = max([abs(g) for g in gaps], default=0) or 1
    return lean_layout(
        theme,
        height=len(gaps) * ROW_PX + 58,
        hovermode="closest",
        barmode="group",
        bargap=0.25,
        margin={"r": 16},
        xaxis=_shares_axis(
            theme,
            [0, 0.58],
            "Rows (%)",
            range=[0, most * LABEL_ROOM],
        ),
        xaxis2=_shares_axis(
            theme,
            [0.66, 1],
            "Diff. (pp)",
            range=[-reach * DOUBLE_ROOM, reach * DOUBLE_ROOM],
            showticklabels=False,
            showgrid=False,
            zeroline=True,
        ),
        yaxis=axis(
            theme,
            type="category",
            fixedrange=True,
            showgrid=False,
            range=[len(gaps) - 0.5, -0.5],
        ),
    )


def category_shares(detail: FeatureDetail) -> list[Share]:
    """The categories that are drawn: the largest of the reference, then the rest.

    All others are summed; unseen categories and missing values always stand there.
    """
    known = [c for c in detail.categories if c.kind == "known"]
    known.sort(key=lambda c: -c.reference)
    rest = known[MOST_CATEGORIES:] + _kind(detail, "other")
    unseen = sorted(_kind(detail, "unseen"), key=lambda c: -c.current)
    rows = [_share(c) for c in known[:MOST_CATEGORIES]]
    rows += _summed(f"{len(rest)} more", rest)
    rows += [(f"New: {c.name}", c.reference, c.current) for c in unseen[:MOST_UNSEEN]]
    rows += _summed(f"{len(unseen) - MOST_UNSEEN} more new", unseen[MOST_UNSEEN:])
    if not unseen:
        rows.append(("New categories", *detail.unseen))
    return [*rows, ("Missing", *detail.missing)]


def edge_shares(detail: FeatureDetail) -> list[Share]:
    """What the bars of a numeric feature do not show: tails and no numbers."""
    return [
        ("Below the range", *detail.below),
        ("Above the range", *detail.above),
        ("Missing", *detail.missing),
        ("Infinite", *detail.infinite),
    ]


def _kind(detail: FeatureDetail, kind: str) -> list[CategoryRow]:
    return [c for c in detail.categories if c.kind == kind]


def _share(row: CategoryRow) -> Share:
    return row.name, row.reference, row.current


def _summed(name: str, rows: Sequence[CategoryRow]) -> list[Share]:
    if not rows:
        return []
    return [(name, sum(r.reference for r in rows), sum(r.current for r in rows))]


def _tidy(value: float) -> float:
    return float(f"{value:.6g}")


def _shares_axis(
    theme: str, domain: list[float], title: str, **changes: Any
) -> dict[str, Any]:
    return axis(
        theme,
        domain=domain,
        fixedrange=True,
        nticks=5,
        zerolinecolor=colour(theme, "edge"),
        title={"text": title},
        **changes,
    )


def _filled(
    name: str, heights: list[float], theme: str, panel: str, said: str
) -> dict[str, Any]:
    hover = f"%{{x}}<br>reference %{{customdata:.2f}} %<br>{said}<extra></extra>"
    return {
        "name": name,
        "y": heights,
        "yaxis": panel,
        "marker": {"color": faded(colour(theme, WINDOW), 0.6)},
        "hovertemplate": hover,
    }


def _outline(edges: list[float], shares: list[float], theme: str) -> dict[str, Any]:
    ends = [0.0, *shares, 0.0]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Reference",
        "x": [edges[0], *edges] if edges else [],
        "y": ends if edges else [],
        "line": {"color": colour(theme, REFERENCE), "width": 2, "shape": "hv"},
        "hoverinfo": "skip",
    }


def _hollow(theme: str) -> dict[str, Any]:
    tint = colour(theme, REFERENCE)
    return {"color": faded(tint, 0.12), "line": {"color": tint, "width": 1.5}}


def _share_bars(
    name: str, shares: list[float], marker: dict[str, Any], theme: str
) -> dict[str, Any]:
    return {
        "name": name,
        "x": shares,
        "marker": marker,
        "text": [text.number(share, 1) for share in shares],
        "textposition": "outside",
        "textfont": {"size": 10, "color": colour(theme, "text-soft")},
        "cliponaxis": False,
        "hovertemplate": f"%{{y}}<br>{name.lower()} %{{x:.2f}} %<extra></extra>",
    }


def _gap_bars(gaps: list[float], theme: str) -> dict[str, Any]:
    return {
        "name": "Difference",
        "x": gaps,
        "xaxis": "x2",
        "offset": -0.3,
        "width": 0.6,
        "text": [text.number(gap, 1, sign=True) for gap in gaps],
        "textposition": "outside",
        "textfont": {"size": 10, "color": colour(theme, "text-soft")},
        "cliponaxis": False,
        "marker": {"color": faded(colour(theme, WINDOW), 0.75)},
        "customdata": [words.points(0, gap / 100) for gap in gaps],
        "hovertemplate": "%{y}<br>%{customdata}<extra></extra>",
    }
