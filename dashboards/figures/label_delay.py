"""How long labels take: the share that has come, by the age of the prediction."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.figures.theme import Figure, axis, base_layout, colour, faded, values

HEIGHT = 220
MOST_POINTS = 400


def label_delay(
    days: Sequence[float], shares: Sequence[float], theme: str, height: int = HEIGHT
) -> Figure:
    """A rising step line of the share of labels that have arrived.

    Args:
        days: ages in days, rising.
        shares: share of all labels that came by then, 0 to 1.
        theme: ``dark`` or ``light``.
        height: pixels.
    """
    step = max(-(-len(days) // MOST_POINTS), 1)
    kept = sorted({*range(0, len(days), step), len(days) - 1}) if days else []
    tint = colour(theme, "series-1")
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": values([days[i] for i in kept], 2),
        "y": values([shares[i] * 100 for i in kept], 1),
        "line": {"color": tint, "width": 2, "shape": "hv"},
        "fill": "tozeroy",
        "fillcolor": faded(tint, 0.12),
        "hovertemplate": "%{y:.1f} % after %{x:.1f} d<extra></extra>",
    }
    layout = base_layout(
        theme,
        height,
        hovermode="closest",
        showlegend=False,
        xaxis=axis(
            theme,
            title={"text": "Age of the prediction (d)"},
            rangemode="tozero",
            showgrid=False,
        ),
        yaxis=axis(
            theme, title={"text": "Labels arrived (%)"}, range=[0, 104], nticks=5
        ),
    )
    return {"data": [line], "layout": layout}
