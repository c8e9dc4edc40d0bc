"""The map of the application: its dashboards and the tabs that are built."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

HOME = "/heaters"
"""Where the bare address leads."""

_DEVICE = "<device_id>"
_DEVICE_ID = r"(?P<device_id>[A-Za-z0-9_-]{1,64})"


@dataclass(frozen=True)
class Dashboard:
    """A group of tabs: one entry of the rail. ``icon`` is a Bootstrap icon."""

    key: str
    title: str
    icon: str


DASHBOARDS: tuple[Dashboard, ...] = (
    Dashboard("heaters", "Water heaters", "thermometer-half"),
    Dashboard("monitoring", "Model monitoring", "cpu"),
    Dashboard("admin", "Administration", "gear"),
)


@dataclass(frozen=True)
class Tab:
    """One tab: where it lives, who may open it and which modules make it.

    ``layout`` has ``IDS``, ``skeleton()`` and ``body()``; ``callbacks`` has
    ``register()``. ``path`` may hold ``<device_id>``; a tab that is ``per_model``
    is about the model its query string names.
    """

    key: str
    title: str
    dashboard: str
    path: str
    permission: str
    layout: str
    callbacks: str
    per_model: bool = False

    @property
    def per_device(self) -> bool:
        """Whether the address names a device."""
        return _DEVICE in self.path

    def address(self, device_id: str | None = None) -> str:
        """The path of this tab, for one device when it is a device's tab."""
        return self.path.replace(_DEVICE, device_id or "")


def heater_tab(key: str, title: str, permission: str, path: str = "") -> Tab:
    """A tab of the water heater dashboard; by default one of a device."""
    return Tab(
        key=key,
        title=title,
        dashboard="heaters",
        path=path or f"/heaters/{_DEVICE}/{key}",
        permission=permission,
        layout=f"dashboards.water_heater.{key}",
        callbacks=f"callbacks.water_heater.{key}",
    )


def monitoring_tab(
    key: str, title: str, permission: str, *, per_model: bool = False
) -> Tab:
    """A tab of the model monitoring dashboard."""
    return Tab(
        key=key,
        title=title,
        dashboard="monitoring",
        path=f"/monitoring/{key}",
        permission=permission,
        layout=f"dashboards.monitoring.{key}",
        callbacks=f"callbacks.monitoring.{key}",
        per_model=per_model,
    )


def admin_tab(key: str, title: str, permission: str) -> Tab:
    """A tab for those who run the installation."""
    return Tab(
        key=key,
        title=title,
        dashboard="admin",
        path=f"/admin/{key}",
        permission=permission,
        layout=f"dashboards.admin.{key}",
        callbacks=f"callbacks.admin.{key}",
    )


TABS: tuple[Tab, ...] = (
    heater_tab("fleet", "Fleet", "fleet.read", "/heaters"),
    heater_tab("details", "Details", "device.read"),
    heater_tab("operations", "Operations", "device.read"),
    heater_tab("history", "History", "device.read"),
    monitoring_tab("models", "Models", "model.read"),
    monitoring_tab("performance", "Performance", "model.read", per_model=True),
    monitoring_tab("drift", "Drift", "model.read", per_model=True),
    monitoring_tab("alerts", "Alerts", "alert.read"),
    monitoring_tab("reports", "Reports", "report.run"),
    admin_tab("notifications", "Notifications", "route.admin"),
    admin_tab("system", "System", "system.read"),
)
"""The tabs that are built, in the order of the screen."""


def match(path: str | None, tabs: Sequence[Tab]) -> tuple[Tab, str | None] | None:
    """The tab a path leads to and the device it names; ``None`` = no such page."""
    for tab in tabs:
        pattern = re.escape(tab.path).replace(re.escape(_DEVICE), _DEVICE_ID)
        found = re.fullmatch(pattern, path or "")
        if found:
            return tab, found.groupdict().get("device_id")
    return None


def is_page(path: str, tabs: Sequence[Tab]) -> bool:
    """Whether the frame answers at a path: the pages and what lies around them."""
    areas = {tab.path.split("/")[1] for tab in tabs}
    return path == "/" or path.split("/")[1] in areas


def siblings(tab: Tab, tabs: Sequence[Tab]) -> list[Tab]:
    """The tabs shown beside this one: same dashboard, same kind of address."""
    return [
        other
        for other in tabs
        if other.dashboard == tab.dashboard and other.per_device == tab.per_device
    ]


def built_dashboards(tabs: Sequence[Tab]) -> list[tuple[Dashboard, Tab]]:
    """The dashboards with a page that needs no device, and that first page."""
    built = []
    for dashboard in DASHBOARDS:
        own = [t for t in tabs if t.dashboard == dashboard.key and not t.per_device]
        if own:
            built.append((dashboard, own[0]))
    return built
