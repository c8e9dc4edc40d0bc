"""Each tab is whole: layout, callbacks, service, tests and a word in the README."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component

from app import create_app
from bootstrap import build, migrate
from dashboards.registry import TABS, Tab
from services.access import PERMISSIONS

ROOT = Path(__file__).parents[2]
SHARED = ("shell", "header")


def ids_of(node: Any) -> Iterator[str]:
    """The ids of a component tree; of a repeated part, its role."""
    if isinstance(node, Component):
        if (own := getattr(node, "id", None)) is not None:
            yield own["role"] if isinstance(own, dict) else own
        yield from ids_of(getattr(node, "children", None))
    elif isinstance(node, list | tuple):
        for child in node:
            yield from ids_of(child)


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: tab.key)
def test_tab_has_all_its_parts(tab: Tab) -> None:
    """A tab's name finds its layout, callbacks, service, four tests and its picture."""
    layout = importlib.import_module(tab.layout)
    callbacks = importlib.import_module(tab.callbacks)
    readme = (ROOT / "README.md").read_text("utf-8")
    package = (ROOT / "services" / tab.key).is_dir()
    files = (
        f"services/{tab.key}/__init__.py" if package else f"services/{tab.key}.py",
        f"tests/services/test_{tab.key}.py",
        f"tests/dashboards/test_{tab.key}.py",
        f"tests/callbacks/test_{tab.key}.py",
        f"tests/browser/test_{tab.key}.py",
        f"docs/images/{tab.key}.png",
    )

    assert callable(layout.skeleton)
    assert callable(layout.body)
    assert callable(callbacks.register)
    assert tab.permission in PERMISSIONS
    assert f"**{tab.title}**" in readme
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: tab.key)
def test_ids_begin_with_the_tab(tab: Tab) -> None:
    """A component id tells the tab it lives on, and stands there once."""
    layout = importlib.import_module(tab.layout)
    found = [*ids_of(layout.skeleton())]
    if hasattr(layout, "declared"):
        found += ids_of(layout.declared())
    strays = [i for i in found if i.split("-")[0] not in (tab.key, *SHARED)]

    assert found
    assert strays == []


def test_every_callback_speaks_of_components_that_exist(settings) -> None:
    """Each input, state and output of each callback is in some declared layout."""
    migrate(settings)
    services = build(settings)
    app = create_app(settings, services)
    known = set(ids_of(app.validation_layout))
    services.close()
    used = {
        part["id"]
        for spec in app.callback_map.values()
        for part in (*spec["inputs"], *spec["state"])
        if not part["id"].startswith("{")
    }

    assert used
    assert used - known == set()
