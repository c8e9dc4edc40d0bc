"""The body of the Operations tab: empty, normal and huge views, and its pieces."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards.live_pieces import (
    DIGEST,
    LIVE,
    REASONS,
    SCALES,
    as_update,
    changed,
    digests,
    gauge_of,
    pieces,
)
from dashboards.water_heater.operations import IDS, body, declared, skeleton
from data.records import QUALITY_REASONS, Band, Device
from services.health import HealthReason, HealthView
from services.live import CHARTED, MEASURED, LiveValue, LiveView
from services.metrics import Usage
from services.operations import ChartView, NumbersView, OperationsView
from services.units import Preferences

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
BANDS = {"temperature_c": Band(0, 90, 45, 67, 35, 73)}
DEVICE = Device(id="wh-1", name="A", bands=BANDS)
PREFS = Preferences()
NOTHING = Usage(NOW - timedelta(days=7), NOW, 0, None, None, None, None, 0.0, None)


def live(**values: LiveValue) -> LiveView:
    """A heater with some values; the others were never reported."""
    names = (*MEASURED, "target_temperature_c", "mode")
    known = {name: values.get(name, LiveValue()) for name in names}
    return LiveView(NOW, DEVICE, "online", NOW, "heating", known)


def whole(
    view: LiveView, points: int = 0, reasons: int = 0, modes: int = 0
) -> OperationsView:
    """A view of any size."""
    line = tuple((NOW - timedelta(seconds=i), 55.0) for i in range(points))
    health = HealthView(
        100 - reasons if reasons else None,
        "look" if reasons else "cannot tell",
        tuple(
            HealthReason(f"r{i}", 1, "medium", f"Sentence {i}.") for i in range(reasons)
        )
        or (HealthReason("no_evidence", 0, "low", "Never reported."),),
    )
    numbers = NumbersView(
        NOW, DEVICE, health, NOTHING, NOTHING,
        tuple((f"mode_{i}", 1 / modes) for i in range(modes)),
    )  # fmt: skip
    chart = ChartView(NOW, DEVICE, dict.fromkeys(CHARTED, line))
    return OperationsView(view, chart, numbers)


def as_json(component: Any) -> str:
    """A component as the browser gets it."""
    return json.dumps(
        component, default=lambda c: c.to_plotly_json(), ensure_ascii=False
    )


def ids_in(component: Any) -> list[str]:
    """Every id in a component, in order."""
    found = [getattr(component, "id", None)]
    found += [getattr(c, "id", None) for c in component._traverse()]
    return [i for i in found if i]


@pytest.mark.parametrize(
    "make",
    [
        lambda: whole(live()),
        lambda: whole(live(temperature_c=LiveValue(55.0, NOW, trend="up")), 120, 3, 2),
        lambda: whole(live(power_w=LiveValue(1e9, NOW)), 5_000, 60, 7),
    ],
    ids=["empty", "normal", "huge"],
)
def test_body_takes_views_of_any_size(make: Callable[[], OperationsView]) -> None:
    """Empty, normal and huge views become a page with every id once."""
    page = body(make(), PREFS)
    ids = ids_in(page)
    assert len(ids) == len(set(ids))
    known = {i for part in [skeleton("wh-1"), *declared()] for i in ids_in(part)}
    assert set(ids) <= known
    assert {name for name, _ in LIVE} | {IDS.chart, IDS.tick} <= set(ids)


def test_empty_page_invents_nothing() -> None:
    """Without a reading there is no digit on the gauges, and words say why."""
    found = pieces(live(), PREFS)
    numbers = {v for (name, _), v in found.items() if name.endswith("-number")}
    assert numbers == {"\u2013"}
    assert "Not reported" in found.values()


def test_only_what_changed_is_sent() -> None:
    """A new temperature sends the pieces of the temperature alone."""
    before = pieces(live(temperature_c=LiveValue(55.0, NOW)), PREFS)
    after = pieces(live(temperature_c=LiveValue(55.5, NOW)), PREFS)
    news = changed(after, digests(after), digests(before))
    assert set(news) == {
        ("operations-now-value", "children"),
        ("operations-temperature", "figure"),
        ("operations-temperature-number", "children"),
    }
    assert changed(after, digests(after), digests(after)) == {}
    assert set(changed(after, digests(after), "")) == set(LIVE)


def test_pieces_are_always_the_same_ones() -> None:
    """Whatever is known, the pieces and their order do not change."""
    value = LiveValue(55.0, NOW, stale=True, flagged_at=NOW, reasons=("spike", "range"))
    found = pieces(live(**dict.fromkeys(MEASURED, value)), PREFS)
    assert tuple(found) == LIVE
    assert len(digests(found)) == DIGEST * len(LIVE)


def test_flagged_value_moves_no_bar() -> None:
    """A value that is not trusted is neither a number nor a bar."""
    value = LiveValue(55.0, NOW, flagged_at=NOW, reasons=("spike",))
    view = live(temperature_c=value)
    assert gauge_of("temperature_c", view).value is None
    found = pieces(view, PREFS)
    assert found["operations-temperature", "figure"][0] is None
    assert found["operations-temperature-number", "children"] == "\u2013"
    assert "sudden jump" in found["operations-temperature-age", "children"]
    assert found["operations-now-value", "children"] == "\u2013"


def test_gauge_without_a_band_says_so() -> None:
    """A quantity without stated limits gets the common scale and no verdict."""
    view = live(pressure_bar=LiveValue(3.4, NOW))
    assert gauge_of("pressure_bar", view).band == SCALES["pressure_bar"]
    shown = as_json(pieces(view, PREFS)["operations-pressure-verdict", "children"])
    assert "No normal band stated" in shown
    assert "No limits stated for this device" in as_json(body(whole(view), PREFS))


def test_reader_in_fahrenheit_gets_fahrenheit_in_ticks() -> None:
    """Pieces and bars are in the reader's units."""
    prefs = Preferences(temperature_unit="F")
    target = LiveValue(60.0, NOW)
    view = live(temperature_c=LiveValue(55.0, NOW), target_temperature_c=target)
    found = pieces(view, prefs)
    assert found["operations-temperature-number", "children"] == "131.0"
    assert found["operations-temperature", "figure"] == [131.0 - 32.0, 140.0]


def test_gauge_update_is_a_patch_of_two_numbers() -> None:
    """A tick sends numbers, not a figure."""
    patch = as_update(("operations-temperature", "figure"), [55.0, 60.0])
    operations = patch.to_plotly_json()["operations"]
    assert [o["location"] for o in operations] == [
        ["data", 0, "x", 0], ["data", 1, "x", 0],
    ]  # fmt: skip
    assert as_update(("a", "children"), "55.0") == "55.0"


def test_stale_page_is_greyed() -> None:
    """Old values keep their number and lose their verdict."""
    value = LiveValue(55.0, NOW - timedelta(hours=1), stale=True)
    view = replace(live(temperature_c=value), connectivity="offline")
    found = pieces(view, PREFS)
    assert found["operations-temperature-box", "className"] == "live-gauge stale"
    assert found["operations-temperature-number", "children"] == "55.0"
    assert found["operations-now-note", "children"] == "Stale: measured 60 min ago"
    assert found["operations-now-value", "className"] == "tile-value stale"


def test_every_reason_for_a_flag_has_words() -> None:
    """No quality reason reaches a reader as a code."""
    assert set(REASONS) == set(QUALITY_REASONS)


def test_points_of_reasons_are_shown() -> None:
    """The breakdown shows the sum and every reason's sentence."""
    page = as_json(body(whole(live(), reasons=3), PREFS))
    assert "100 \u2212 3 = 97" in page
    assert all(f"Sentence {i}." in page for i in range(3))
    assert "Never reported." in as_json(body(whole(live()), PREFS))
