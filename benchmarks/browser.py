"""The product in a headless Chromium: a server on loopback and a signed-in browser."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from werkzeug.serving import make_server

from app import create_app
from bootstrap import Services
from services.access import SYSTEM
from settings import Settings

PASSWORD = "bench-only-on-loopback"  # noqa: S105 - a throw-away store
PATIENCE_S = 30
BUILT = Path(__file__).parents[1] / "var" / "vendor"
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
    "--disable-background-networking", "--disable-component-update",
    "--window-size=1440,1000",
)  # fmt: skip


def installed() -> bool:
    """Whether there is a Chromium to measure in."""
    return shutil.which("chromium") is not None


@contextmanager
def opened(
    settings: Settings, services: Services, user: str = "viewer"
) -> Iterator[tuple[webdriver.Chrome, str]]:
    """Serve the application; a browser signed in as a demo user, and the address.

    With the small chart library, where ``make vendor`` has built it.
    """
    if BUILT.exists():
        shutil.copytree(BUILT, settings.home_dir / "vendor", dirs_exist_ok=True)
    services.accounts.ensure_demo_users(SYSTEM, PASSWORD)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = create_app(settings, services)
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with _browser(f"http://127.0.0.1:{server.server_port}", user) as found:
            yield found
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def _browser(address: str, user: str) -> Iterator[tuple[webdriver.Chrome, str]]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    profile = tempfile.mkdtemp(prefix="iotsphere-bench-")
    for switch in (*SWITCHES, f"--user-data-dir={profile}"):
        options.add_argument(switch)  # type: ignore[no-untyped-call]
    driver = webdriver.Chrome(options=options)
    try:
        driver.set_script_timeout(PATIENCE_S)
        driver.get(f"{address}/login")
        driver.find_element(By.CSS_SELECTOR, "#login-username").send_keys(user)
        field = driver.find_element(By.CSS_SELECTOR, "#login-password")
        field.send_keys(PASSWORD, Keys.ENTER)
        appeared(driver, ".rail")
        yield driver, address
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


def appeared(driver: webdriver.Chrome, selector: str) -> None:
    """Wait until the page has such an element."""
    begun = time.monotonic()
    while not driver.find_elements(By.CSS_SELECTOR, selector):
        if time.monotonic() - begun > PATIENCE_S:
            raise TimeoutError(f"{selector} does not appear")
        time.sleep(0.05)
