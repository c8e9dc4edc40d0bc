"""A live tick of the Operations tab: size of the answer and server time."""

from __future__ import annotations

import tempfile
import time
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from statistics import median

from app import create_app
from benchmarks.result import Result
from bootstrap import build
from dashboards.registry import TABS
from data.records import Device
from services.access import SYSTEM
from settings import Settings
from tests.callbacks.test_operations import busy, opened, tick
from tests.conftest import NOW, Clock, open_stores
from tests.identity import open_identity
from tests.portal import Portal

TICKS = 60


def run() -> list[Result]:
    """Sixty ticks with news in each, through guard, callback and stores."""
    sizes, server_ms = [], []
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home_dir=Path(folder) / "var", secret_key=token_hex())
        clock = Clock()
        opening = open_stores(settings, clock)
        stores = next(opening)
        stores.add(Device(id="wh-1", name="Boiler A", simulated=True))
        with open_identity(settings, clock) as identity:
            services = build(settings, clock)
            portal = Portal(create_app(settings, services, TABS), identity, stores)
            client = portal.browser("vera")
            stores.telemetry.accept(SYSTEM, busy(NOW - timedelta(minutes=30), 30))
            _, seen = opened(portal, client)
            feed = busy(NOW, 6)
            for number in range(TICKS):
                clock.forward(seconds=5)
                stores.telemetry.accept(SYSTEM, feed.iloc[number : number + 1])
                begun = time.perf_counter()
                answer = tick(portal, client, seen)
                server_ms.append((time.perf_counter() - begun) * 1_000)
                sizes.append(len(answer.get_data()))
                seen = answer.json["response"]["operations-seen"]["data"]
            services.close()
        opening.close()
    return [
        Result("live", "largest tick answer", max(sizes), "bytes", bar=2_000),
        Result("live", "server time of a tick", median(server_ms), "ms", bar=8),
    ]
