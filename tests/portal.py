"""The web application on real stores, with two sample tabs and three users."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from dash import Dash
from flask.testing import FlaskClient

from app import create_app
from bootstrap import monitoring, talking
from bootstrap_alerts import alerting
from bootstrap_care import caring
from bootstrap_desk import reporting
from bootstrap_notify import notifying
from bootstrap_rules import ruling
from dashboards.registry import Tab, heater_tab
from data.records import Device
from services.alert_writing import Silent
from services.details import Details
from services.fleet import Fleet
from services.health import Health
from services.history import History
from services.readiness import Readiness
from services.system import System
from tests.conftest import Stores
from tests.identity import ADDRESS, PASSWORD, Identity, open_identity

SAMPLES = tuple(
    dataclasses.replace(
        tab,
        layout=f"tests.sample_tabs.{module}",
        callbacks=f"tests.sample_tabs.{module}",
    )
    for tab, module in (
        (heater_tab("fleet", "Fleet", "fleet.read", "/heaters"), "fleet"),
        (heater_tab("operations", "Operations", "device.read"), "operations"),
    )
)
PAIRS = (("wh-1", "Boiler A"), ("wh-2", "Boiler B"), ("wh-3", "Boiler C"))


@dataclass(frozen=True)
class Portal:
    """The application, its stores and who may sign in."""

    app: Dash
    identity: Identity
    stores: Stores
    services: Any = None

    def browser(self, name: str) -> FlaskClient:
        """A client that is signed in."""
        client = self.app.server.test_client()
        client.environ_base["REMOTE_ADDR"] = ADDRESS
        answer = client.post("/login", data={"username": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client


@contextmanager
def open_portal(stores: Stores, tabs: tuple[Tab, ...] = SAMPLES) -> Iterator[Portal]:
    """Users vera, otto and ada; three simulated devices."""
    stores.add(*(Device(id=i, name=n, simulated=True) for i, n in PAIRS))
    with open_identity(stores.settings, stores.clock) as identity:
        health = Health(stores.metrics, stores.clock)
        watched = monitoring(
            identity.engine, stores.reader, stores.audit, stores.settings, stores.clock
        )
        talk = talking(
            identity.engine,
            stores.devices,
            stores.telemetry,
            stores.audit,
            stores.settings,
            stores.clock,
        )
        fleet = Fleet(stores.device_store, stores.metrics, health, stores.clock)
        services: Any = SimpleNamespace(
            **vars(watched),
            **vars(talk),
            **vars(alerting(identity.engine, stores.audit, stores.clock)),
            **vars(
                ruling(
                    identity.engine,
                    stores.reader,
                    stores.audit,
                    Silent(),
                    stores.clock,
                )
            ),
            **vars(
                notifying(identity.engine, stores.settings, stores.audit, stores.clock)
            ),
            fleet=fleet,
            care=caring(
                identity.engine,
                stores.reader,
                stores.devices,
                stores.metrics,
                fleet,
                stores.controls,
                stores.audit,
                stores.clock,
            ),
            details=Details(
                stores.devices,
                stores.device_store,
                stores.shadows,
                stores.metrics,
                health,
                stores.clock,
            ),
            accounts=identity.accounts,
            tokens=identity.tokens,
            reports=reporting(
                identity.engine,
                stores.reader,
                stores.audit,
                stores.settings,
                stores.clock,
            ),
            devices=stores.devices,
            telemetry=stores.telemetry,
            readiness=Readiness(stores.hot, stores.lake, 30.0, stores.clock),
            system=System(stores.links, stores.hot, stores.lake, stores.clock),
            history=History(
                stores.devices,
                stores.device_store,
                stores.metrics,
                stores.lake,
                stores.settings,
                stores.clock,
            ),
            clock=stores.clock,
        )
        yield Portal(
            create_app(stores.settings, services, tabs), identity, stores, services
        )


def call(
    portal: Portal,
    client: FlaskClient,
    output: str,
    values: dict[str, Any],
    changed: Sequence[str] = (),
):
    """Post a callback as Dash's renderer does.

    Args:
        portal: the application.
        client: the browser.
        output: part of the callback's id.
        values: ``id.property`` of inputs and states, and what they hold.
        changed: the ``id.property`` that caused the call.
    """
    key = next(k for k in portal.app.callback_map if output in k)
    spec = portal.app.callback_map[key]
    outputs = spec["output"]
    several = isinstance(outputs, list | tuple)
    named = [
        {"id": o.component_id, "property": o.component_property}
        for o in (outputs if several else [outputs])
    ]
    body = {
        "output": key,
        "outputs": named if several else named[0],
        "inputs": [filled(item, values) for item in spec["inputs"]],
        "state": [filled(item, values) for item in spec["state"]],
        "changedPropIds": list(changed),
    }
    token = client.get_cookie("csrf_access_token")
    headers = {"X-CSRF-TOKEN": token.value} if token else {}
    return client.post("/_dash-update-component", json=body, headers=headers)


def filled(item: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """An input or state with its value."""
    return {**item, "value": given.get(f"{item['id']}.{item['property']}")}
