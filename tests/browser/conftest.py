"""How the tests start Chromium: offline, in a profile of its own."""

from __future__ import annotations

import shutil
import tempfile

from selenium.webdriver.chrome.options import Options

SWITCHES = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,1000",
)


def pytest_setup_options() -> Options:
    """The hook dash.testing reads before it starts the browser."""
    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    profile = tempfile.mkdtemp(prefix="iotsphere-chromium-")
    for switch in (*SWITCHES, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    return options
