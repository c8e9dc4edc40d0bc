"""Builds the parts of the worker, on services that are built."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bootstrap import Clock, Services, utc_now
from data.device_store import DeviceStore
from data.link_store import LinkStore
from data.outbox_store import OutboxStore
from data.session import open_engine
from data.shadow_store import ShadowStore
from services.demo_devices import DemoDevices
from services.demo_line import DemoLine, DemoSchedule
from services.ingest import Ingest
from services.misbehaviour import Misbehaviour, parse
from settings import Settings
from workers.alerts import AlertLoop
from workers.demo_radio import DemoRadio
from workers.heartbeat import Heartbeat
from workers.mqtt import MqttLoop
from workers.mqtt_discovery import Discovery
from workers.mqtt_sender import Sender
from workers.outbox import OutboxLoop

AWAY = timedelta(minutes=1)
"""A worker that has not spoken for so long was not there."""


def build_demo_link(settings: Settings, services: Services) -> DemoLine | DemoRadio:
    """Build the way to simulated heaters: over the broker, where one is set.

    Raises:
        InvalidInput: the misbehaviour asked for is none.
    """
    kinds, seed = parse(settings.demo_misbehaviour), settings.demo_seed
    misbehaviour = Misbehaviour(kinds, seed)
    devices = DemoDevices(services.demo, services.clock, misbehaviour)
    schedule = DemoSchedule(devices, services.clock, misbehaviour, seed)
    if settings.mqtt_host is None:
        return DemoLine(schedule, services.courier)
    radio = DemoRadio(settings, schedule, services.clock)
    services.demo.carry = radio.carry
    return radio


def build_mqtt_loop(
    settings: Settings, services: Services, clock: Clock = utc_now
) -> MqttLoop:
    """Build the part of the worker that talks to the broker of the settings."""
    engine = open_engine(settings.operational_url)
    store, links = DeviceStore(engine), LinkStore(engine)
    ingest = Ingest(
        services.telemetry, services.courier, links, store, services.controls, clock
    )
    sender = Sender(services.courier, ShadowStore(engine), clock)
    told = Discovery(store) if settings.mqtt_discovery else None
    return MqttLoop(settings, ingest, sender, links, clock, told)


def build_outbox_loop(settings: Settings, services: Services) -> OutboxLoop:
    """Build the part of the worker that sends mail and webhooks."""
    outbox = OutboxStore(open_engine(settings.operational_url))
    return OutboxLoop(outbox, services.parcel_sender, services.clock)


def build_alert_loop(settings: Settings, services: Services) -> AlertLoop:
    """Build the part of the worker that judges alert rules.

    Where no worker has run for a minute, heaters are given time to be heard again.
    """
    now = services.clock()
    told = LinkStore(open_engine(settings.operational_url)).statuses().get("worker")
    if told is None or now - told[0] > AWAY:
        services.evaluation.nobody_listened_before(now)
    return AlertLoop(services.rules, services.evaluation, services.clock)


def build_heartbeat(
    settings: Settings, services: Services, parts: Sequence[object]
) -> Heartbeat:
    """Build what says on the System page that these parts run."""
    links = LinkStore(open_engine(settings.operational_url))
    return Heartbeat(links, parts, services.clock)
