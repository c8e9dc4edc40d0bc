"""A line the size of a word, as an SVG image without any script."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dash.development.base_component import Component

from dashboards.figures.theme import colour
from dashboards.parts import svg_image

WIDTH, HEIGHT, EDGE = 120, 28, 3


def sparkline(
    numbers: Sequence[float | None],
    alt: str,
    theme: str,
    *,
    tint: str = "accent",
    scale: tuple[float, float] | None = None,
) -> Component:
    """Draw numbers from old to new; ``None`` breaks the line.

    Args:
        numbers: evenly spaced values.
        alt: what the line says, for those who cannot see it.
        theme: ``dark`` or ``light``.
        tint: colour token of the line.
        scale: lowest and highest value of the drawing; by default the data's.
    """
    good = [v for v in numbers if v is not None and math.isfinite(v)]
    if not good:
        return svg_image(_svg(""), f"{alt}: no data", "sparkline")
    low, high = scale or (min(good), max(good))
    span = (high - low) or 1.0
    step = (WIDTH - 2 * EDGE) / max(len(numbers) - 1, 1)
    parts: list[str] = []
    drawing = False
    last = ""
    for i, value in enumerate(numbers):
        if value is None or not math.isfinite(value):
            drawing = False
            continue
        height = min(max((value - low) / span, 0.0), 1.0)
        last = (
            f"{EDGE + i * step:.1f} {HEIGHT - EDGE - height * (HEIGHT - 2 * EDGE):.1f}"
        )
        parts.append(f"{'L' if drawing else 'M'}{last}")
        drawing = True
    stroke = colour(theme, tint)
    x, y = last.split()
    line = (
        f"<path d='{''.join(parts)}' fill='none' stroke='{stroke}' stroke-width='1.6'"
    )
    line += " stroke-linejoin='round' stroke-linecap='round'/>"
    dot = f"<circle cx='{x}' cy='{y}' r='2.4' fill='{stroke}'/>"
    return svg_image(_svg(line + dot), alt, "sparkline")


def _svg(content: str) -> str:
    size = f"width='{WIDTH}' height='{HEIGHT}' viewBox='0 0 {WIDTH} {HEIGHT}'"
    return f"<svg xmlns='http://www.w3.org/2000/svg' {size}>{content}</svg>"
