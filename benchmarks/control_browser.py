"""From the click on Set to the wish on screen, and to the device's report of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread

from selenium.webdriver.common.by import By

import bootstrap
from benchmarks import browser
from benchmarks.result import Result
from bootstrap import Services
from data.records import Device
from services.access import SYSTEM
from services.courier_desk import Answer, Presence, Report
from settings import Settings

HEATER = Device(
    id="wh-1", name="Attic", type="electric", modes=("off", "eco", "electric"),
    setpoint_min_c=40, setpoint_max_c=65,
)  # fmt: skip
TARGETS = (50, 51, 52, 53, 50, 51, 52, 53)
LOOK_EVERY_S = 0.1
"""As often as the worker looks for commands."""
CLICK = """
const done = arguments[arguments.length - 1], found = {};
const row = "#details-row-target-temperature-c .control-standing";
const started = performance.now();
document.querySelector("#details-set-target-temperature-c").click();
const look = () => {
  const said = (document.querySelector(row) || {}).textContent || "";
  if (!found.pending && said.includes("Pending"))
    found.pending = performance.now() - started;
  if (found.pending && said.includes("Applied"))
    return done([found.pending, performance.now() - started]);
  requestAnimationFrame(look);
};
look();
"""


def run() -> list[Result]:
    """Set targets one after the other with a device that answers at once."""
    if not browser.installed():
        return []
    with TemporaryDirectory() as folder:
        settings = Settings(home_dir=Path(folder) / "var", demo=True)
        bootstrap.migrate(settings)
        bootstrap.build_flush_loop(settings).close()  # pages read a lake that is there
        services = bootstrap.build(settings)
        services.devices.register(SYSTEM, HEATER)
        stop = Event()
        device = Thread(target=_obey, args=(services, stop))
        device.start()
        try:
            seen = _clicked(settings, services)
        finally:
            stop.set()
            device.join()
            services.close()
    pending, applied = (median(column) for column in zip(*seen[1:], strict=True))
    return [
        Result("control", "click to pending on screen", pending, "ms", bar=150),
        Result("control", "click to applied on screen", applied, "ms", bar=1_000),
    ]


def _obey(services: Services, stop: Event) -> None:
    """The device: takes what is due, and reports it at once."""
    courier, seq = services.courier, 0
    courier.listen([Presence(HEATER.id, online=True, at=datetime.now(UTC), session=1)])
    while not stop.wait(LOOK_EVERY_S):
        for command in courier.outgoing():
            courier.handed_over([command])
            seq += 1
            state = {command.key: command.value}
            now = datetime.now(UTC)
            courier.listen([
                Answer(HEATER.id, command.id, accepted=True),
                Report(HEATER.id, state, now, command.version, 1, seq),
            ])  # fmt: skip


def _clicked(settings: Settings, services: Services) -> list[tuple[float, float]]:
    seen = []
    with browser.opened(settings, services, "operator") as (driver, address):
        driver.get(f"{address}/heaters/{HEATER.id}/details")
        browser.appeared(driver, "#details-control-target")
        field = driver.find_element(By.CSS_SELECTOR, "#details-control-target")
        for target in TARGETS:
            field.clear()
            field.send_keys(str(target))
            pending, applied = driver.execute_async_script(CLICK)
            seen.append((float(pending), float(applied)))
    return seen
