"""The verdicts of a model's windows as a strip of bars, an image without script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash.development.base_component import Component

from dashboards.figures.theme import colour
from dashboards.parts import svg_image
from services.models_views import HealthCell

CELLS = 52
PITCH, BAR, HEIGHT = 4, 3, 24
WIDTH = CELLS * PITCH

LOOKS: Mapping[str, tuple[int, str]] = {
    "severe": (24, "bad"),
    "look": (17, "watch"),
    "cannot_tell": (11, "text-soft"),
    "fine": (5, "good"),
    "none": (2, "edge"),
}
"""What a bar says -> its height and colour: the taller, the worse.

``cannot_tell`` is striped and ``none`` a dot, so that colour never stands alone.
"""
WORDS: Mapping[str, str] = {
    "severe": "critical or high",
    "look": "needs a look",
    "cannot_tell": "cannot tell",
    "fine": "fine",
    "none": "no data",
}
_STRIPES = " stroke-dasharray='2 1'"


def looks_like(cell: HealthCell) -> str:
    """The key of ``LOOKS`` of a window."""
    severe = cell.state == "look" and cell.severity in {"critical", "high"}
    return "severe" if severe else cell.state


def health_strip(
    cells: Sequence[HealthCell],
    alt: str,
    theme: str,
    class_name: str = "strip",
    title: str | None = None,
) -> Component:
    """The newest ``CELLS`` windows, the newest at the right edge.

    Args:
        cells: windows from old to new.
        alt: what the strip says, for those who cannot see it.
        theme: ``dark`` or ``light``.
        class_name: style class of the image.
        title: what hovering tells.
    """
    shown = cells[-CELLS:]
    first = CELLS - len(shown)
    paths: dict[str, list[str]] = {}
    for i, cell in enumerate(shown, first):
        look = looks_like(cell)
        bar = f"M{i * PITCH} {HEIGHT}v-{LOOKS[look][0]}"
        paths.setdefault(look, []).append(bar)
    drawing = "".join(_bars(look, theme, "".join(d)) for look, d in paths.items())
    return svg_image(_svg(drawing, WIDTH), alt, class_name, title)


def key_sample(look: str, theme: str) -> Component:
    """One bar, for the key of the strip."""
    bar = _bars(look, theme, f"M0 {HEIGHT}v-{LOOKS[look][0]}")
    return svg_image(_svg(bar, PITCH), "", "strip-sample")


def _bars(look: str, theme: str, path: str) -> str:
    extra = _STRIPES if look == "cannot_tell" else ""
    return f"<path d='{path}' stroke='{colour(theme, LOOKS[look][1])}'{extra}/>"


def _svg(content: str, width: int) -> str:
    # The bars are strokes around whole numbers, half a bar on either side.
    box = f"viewBox='-2 0 {width} {HEIGHT}' preserveAspectRatio='none'"
    space = "xmlns='http://www.w3.org/2000/svg'"
    return f"<svg {space} {box} stroke-width='{BAR}'>{content}</svg>"
