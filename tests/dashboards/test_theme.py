"""Colours of both themes and the base of every figure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dashboards.figures import theme

CSS = (Path(__file__).parents[2] / "assets" / "theme.css").read_text()
TEXT_TOKENS = ("text", "text-soft", "accent", "good", "watch", "bad")
GROUNDS = ("ground", "surface", "raised")


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2 definition."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, WCAG 2.2 definition."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def css_tokens(name: str) -> dict[str, str]:
    """The colours in the block of a theme in theme.css."""
    blocks = re.findall(r"([^{}]+)\{([^{}]*)\}", CSS)
    body = next(
        body
        for selector, body in blocks
        if f'[data-bs-theme="{name}"]' in selector and "--ground" in body
    )
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", body))


@pytest.mark.parametrize("name", ["dark", "light"])
def test_css_and_figures_have_the_same_colours(name):
    """Every colour token of theme.css has the same value in the figures."""
    found = css_tokens(name)
    assert found == {k: v for k, v in theme.TOKENS[name].items() if k in found}
    assert set(GROUNDS + TEXT_TOKENS) <= set(found)


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("token", TEXT_TOKENS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_is_readable(name, token, ground):
    """Text colours reach 4.5 to 1 on every ground: WCAG AA."""
    tokens = theme.TOKENS[name]
    assert contrast(tokens[token], tokens[ground]) >= 4.5


@pytest.mark.parametrize("name", ["dark", "light"])
def test_filled_buttons_are_readable(name):
    """The text on the accent colour reaches 4.5 to 1."""
    tokens = theme.TOKENS[name]
    assert contrast(tokens["on-accent"], tokens["accent"]) >= 4.5


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("token", ["edge", *[f"series-{i}" for i in range(1, 7)]])
def test_lines_and_outlines_can_be_seen(name, token):
    """Lines of charts and outlines of controls reach 3 to 1 on a panel."""
    tokens = theme.TOKENS[name]
    assert contrast(tokens[token], tokens["surface"]) >= 3


def test_both_themes_have_the_same_tokens():
    """No theme lacks a colour the other has."""
    assert theme.TOKENS["dark"].keys() == theme.TOKENS["light"].keys()


def test_base_layout_is_small_and_has_no_template():
    """The layout of a figure is below 1.6 kB of JSON and carries no template."""
    layout = theme.base_layout("dark")
    assert "template" not in layout
    assert len(json.dumps(layout)) < 1600


def test_changes_are_merged_into_the_layout():
    """A change of one key of an axis leaves its other keys as they are."""
    layout = theme.base_layout("dark", xaxis={"type": "date"})
    assert layout["xaxis"]["type"] == "date"
    assert layout["xaxis"]["zeroline"] is False


def test_even_times_become_start_and_step():
    """Evenly spaced times are sent as a start and a step in local time."""
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)
    times = [start + timedelta(minutes=5 * i) for i in range(4)]
    points = theme.time_points(times, ZoneInfo("Europe/Berlin"))
    assert points == {"x0": "2026-11-23T13:00:00", "dx": 300_000}


def test_times_over_a_clock_change_are_sent_one_by_one():
    """A change of daylight saving is not smeared over an even step."""
    start = datetime(2026, 10, 24, 23, tzinfo=UTC)
    times = [start + timedelta(hours=i) for i in range(4)]
    points = theme.time_points(times, ZoneInfo("Europe/Berlin"))
    assert points["x"] == [
        "2026-10-25T01:00",
        "2026-10-25T02:00",
        "2026-10-25T02:00",
        "2026-10-25T03:00",
    ]


def test_missing_values_stay_gaps():
    """A missing number is sent as null, which a line does not cross."""
    assert theme.values([1.26, float("nan"), 2], 1) == [1.3, None, 2.0]
