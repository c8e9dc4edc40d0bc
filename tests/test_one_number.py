"""One definition per number: every tab, the export and the REST interface agree."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from flask.testing import FlaskClient

from app import create_app
from bootstrap import Services, build
from data.records import Device
from services.fleet import FleetQuery
from tests.conftest import NOW, SYSTEM, VIEWER, Stores, readings
from tests.identity import open_identity
from tests.portal import Portal

UTC = ZoneInfo("UTC")
DAYS = 8


def filled(stores: Stores, seed: int) -> Device:
    """A heater with eight uneven days: gaps, flagged values, a reset meter."""
    device = Device(id="wh-1", name="Boiler", type="electric", rated_power_w=3000)
    stores.add(device)
    rng = np.random.default_rng(seed)
    minutes = DAYS * 1440
    heating = rng.random(minutes // 20).repeat(20) < 0.2
    frame = readings("wh-1", NOW - timedelta(days=DAYS), minutes, mode="eco")
    frame["heating"] = heating
    frame["power_w"] = np.where(heating, 3000.0, 0.0)
    frame["energy_kwh"] = np.round(400 + np.cumsum(frame["power_w"]) / 60_000, 3)
    frame.loc[frame.index > minutes // 2, "energy_kwh"] -= 380
    frame["flow_lpm"] = np.where(rng.random(minutes) < 0.03, 7.5, 0.0)
    frame["temperature_c"] = np.round(52 + rng.normal(0, 3, minutes), 1)
    frame["target_temperature_c"] = 55.0
    frame["pressure_bar"] = np.round(3 + rng.normal(0, 0.1, minutes), 2)
    frame.loc[::997, "temperature_c"] = 888.8
    gap = int(rng.integers(100, minutes - 2000))
    frame = frame.drop(index=range(gap, gap + 900))
    stores.telemetry.accept_bulk(SYSTEM, frame.iloc[:-200])
    stores.flush()
    stores.telemetry.accept(SYSTEM, frame.iloc[-200:])
    return device


@pytest.fixture(params=[1, 2])
def portal(stores: Stores, request: pytest.FixtureRequest) -> Any:
    """The whole application over lake and hot rows together."""
    filled(stores, request.param)
    with open_identity(stores.settings, stores.clock) as identity:
        services = replace(
            build(stores.settings, stores.clock), accounts=identity.accounts
        )
        app = create_app(stores.settings, services)
        yield Portal(app, identity, stores, services)
        services.close()


def csv_column(client: FlaskClient, query: str, name: str) -> list[float]:
    """The numbers of a column of the exported rows, empty cells left out."""
    answer = client.get(f"/api/v1/devices/wh-1/telemetry.csv?{query}")
    assert answer.status_code == 200, answer.text
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    column = next(key for key in rows[0] if key.startswith(name))
    return [float(row[column]) for row in rows if row[column]]


def test_energy_is_one_number(portal: Portal) -> None:
    """kWh of a day and of a week agree on four tabs, in the export and by REST."""
    services: Services = portal.services
    client = portal.browser("vera")
    fleet = services.fleet.page(VIEWER, FleetQuery()).rows[0]
    listed = client.get("/api/v1/fleet").get_json()["items"][0]
    details = services.details.of(VIEWER, "wh-1", UTC)
    operations = services.operations.view(VIEWER, "wh-1", UTC).numbers
    day = services.history.view(VIEWER, "wh-1", "now-24h", "now", UTC).shown
    week = services.history.view(VIEWER, "wh-1", "now-7d", "now", UTC).shown
    today = services.history.view(VIEWER, "wh-1", "now/d", "now", UTC).shown

    assert fleet.energy_kwh > 1
    assert listed["energy_kwh"] == pytest.approx(fleet.energy_kwh)
    assert day.usage.energy_kwh == pytest.approx(fleet.energy_kwh)
    assert details.week == operations.week
    assert week.usage.energy_kwh == pytest.approx(details.week.energy_kwh)
    assert details.today == operations.today
    assert today.usage.energy_kwh == pytest.approx(details.today.energy_kwh)
    bars = csv_column(client, "from=now-7d&to=now&part=energy", "energy (kWh)")
    assert sum(bars) == pytest.approx(week.usage.energy_kwh, abs=0.01)


def test_totals_are_one_number(portal: Portal) -> None:
    """Litres, run time, cycles, uptime and temperature kept agree on three tabs."""
    services: Services = portal.services
    details = services.details.of(VIEWER, "wh-1", UTC).week
    history = services.history.view(VIEWER, "wh-1", "now-7d", "now", UTC).shown.usage
    (direct,) = services.metrics.usage(
        [services.devices.get(VIEWER, "wh-1")], NOW - timedelta(days=7), NOW
    ).values()

    for name in ("volume_l", "heating_s", "cycles", "uptime", "kept", "readings"):
        assert getattr(history, name) == pytest.approx(getattr(direct, name)), name
        assert getattr(details, name) == pytest.approx(getattr(direct, name)), name


def test_present_values_are_one_number(portal: Portal) -> None:
    """The newest temperature and its time agree on three tabs and by REST."""
    services: Services = portal.services
    client = portal.browser("vera")
    fleet = services.fleet.page(VIEWER, FleetQuery()).rows[0]
    details = services.details.of(VIEWER, "wh-1", UTC)
    live = services.operations.view(VIEWER, "wh-1", UTC).live
    address = "/api/v1/devices/wh-1/telemetry?from=now-1h&to=now&resolution=raw"
    items = client.get(address).get_json()["items"]

    assert fleet.temperature_c == details.values["temperature_c"]
    assert live.values["temperature_c"].value == fleet.temperature_c.value
    assert items[-1]["temperature_c"] == fleet.temperature_c.value
    assert fleet.health == details.health
    assert services.operations.view(VIEWER, "wh-1", UTC).numbers.health == fleet.health


def test_drawn_exported_and_answered_series_are_one(portal: Portal) -> None:
    """The mean temperatures drawn are those exported and those REST answers."""
    services: Services = portal.services
    client = portal.browser("vera")
    view = services.history.view(VIEWER, "wh-1", "now-7d", "now", UTC)
    drawn = view.shown.lines["temperature_c_mean"]
    exported = csv_column(client, "from=now-7d&to=now", "Tank temperature, mean")
    address = "/api/v1/devices/wh-1/telemetry?from=now-7d&to=now&resolution=15m"
    answered = [
        item["temperature_c"]
        for item in client.get(address).get_json()["items"]
        if item["temperature_c"] is not None
    ]

    assert view.bucket_s == 900
    kept = drawn[np.isfinite(drawn)]
    assert len(kept) > 500
    assert exported == pytest.approx(list(kept), abs=0.01)
    assert answered == pytest.approx(list(kept), abs=0.01)
