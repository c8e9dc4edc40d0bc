"""The Models tab through the door: address, filters, detail, who may archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from callbacks.monitoring.models import CONTROLS, read_query
from dashboards.registry import monitoring_tab
from services.access import requires
from services.errors import InvalidInput, NotFound
from services.models_views import ModelDetailView, ModelsQuery, ModelsView
from settings import Settings
from tests.conftest import Clock, open_stores
from tests.dashboards import model_views
from tests.portal import Portal, call, open_portal

TABS = (monitoring_tab("models", "Models", "model.read"),)
LIST, GOTO = "models-list.children", "models-goto.search"
ASK, CHANGE = "models-question.children", "models-changed.data"
SEARCH = "shell-location.search"
SORTS = {"worst", "name", "owner", "last_data", "label_lag"}


class Inventory:
    """A thousand models in memory behind the service's four functions."""

    def __init__(self) -> None:
        self.rows = {
            row.name: row
            for row in (model_views.row(f"model-{i:04}", i % 6) for i in range(1000))
        }

    def page(self, caller: Any, query: ModelsQuery) -> ModelsView:
        """The models whose name holds the text."""
        requires(caller, "model.read")
        if query.sort not in SORTS:
            raise InvalidInput(f"sort must be one of {', '.join(sorted(SORTS))}.")
        found = [row for row in self.rows.values() if query.text in row.name]
        first = (query.page - 1) * query.page_size
        shown = model_views.view(
            *found[first : first + query.page_size], found=len(found)
        )
        return replace(shown, query=query, size=len(self.rows))

    def detail(self, caller: Any, name: str) -> ModelDetailView:
        """One model."""
        requires(caller, "model.read")
        if name not in self.rows:
            raise NotFound(f"There is no model {name}.")
        return model_views.detail(self.rows[name])

    def archive(self, caller: Any, name: str) -> None:
        """Mark a model."""
        requires(caller, "model.write")
        self.rows[name] = replace(self.rows[name], archived=True)

    def restore(self, caller: Any, name: str) -> None:
        """Unmark a model."""
        requires(caller, "model.write")
        self.rows[name] = replace(self.rows[name], archived=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with the Models tab alone."""
    home = tmp_path_factory.mktemp("models")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        portal.services.models = Inventory()
        yield portal


def answer(site: Portal, who: str, output: str, values: dict[str, Any], cause: str):
    """The answer of a callback to somebody's browser."""
    return call(site, site.browser(who), output, values, [cause])


def drawn(site: Portal, search: str, who: str = "vera", cause: str = SEARCH) -> Any:
    """What the list's callback answers for an address."""
    return answer(site, who, LIST, {SEARCH: search}, cause)


@pytest.mark.parametrize(
    ("search", "query"),
    [
        ("", ModelsQuery()),
        (
            "?state=look&q=a%20b&kind=binary&owner=O&tag=t&sort=-last_data&page=3",
            ModelsQuery("look", "a b", "binary", "O", "t", "last_data", True, 3),
        ),
    ],
)
def test_the_address_is_the_state(search: str, query: ModelsQuery) -> None:
    """Every part of the query stands in the address."""
    assert read_query(search) == query


@pytest.mark.parametrize("search", ["?page=x", "?page=²", "?page=-1", "?sort=no"])
def test_a_wrong_address_is_named_in_place(site: Portal, search: str) -> None:
    """An address that cannot be answered gives a message and a way back."""
    text = drawn(site, search).text

    assert "must be" in text
    assert "Show all models" in text


def test_the_list_follows_the_address(site: Portal) -> None:
    """The text narrows the rows; the controls show what the address says."""
    found = drawn(site, "?q=model-0007&owner=Nobody").get_json()["response"]
    text = json.dumps(found["models-list"])

    assert "1 model" in text
    assert "model-0008" not in text
    assert found["models-text"]["value"] == "model-0007"
    assert found["models-owner"]["value"] == "Nobody"
    assert {"label": "Nobody", "value": "Nobody"} in found["models-owner"]["options"]
    assert found["models-bar"]["hidden"] is False


def test_a_page_of_a_thousand_models_is_small(site: Portal) -> None:
    """The answer for 20 rows of 52 windows is below 120 kB."""
    found = drawn(site, "?page=2")
    text = found.get_data(as_text=True)

    assert text.count('"heater-row"') == 20
    assert len(found.data) < 120_000


def test_a_model_in_the_address_is_shown_instead_of_the_list(site: Portal) -> None:
    """The detail takes the place of the list; the filters are put away."""
    found = drawn(site, "?q=model&model=model-0003").get_json()["response"]
    text = json.dumps(found["models-list"])

    assert "Columns and thresholds" in text
    assert "All models" in text
    assert found["models-bar"]["hidden"] is True
    assert "models-text" not in found


def test_an_unknown_model_is_named(site: Portal) -> None:
    """A model that does not exist gives a message and the way back."""
    text = drawn(site, "?model=nothing").text

    assert "There is no model nothing" in text
    assert "All models" in text


def test_the_timer_leaves_an_open_model_alone(site: Portal) -> None:
    """The list is drawn again by the timer, a model that is read is not."""
    tick = "models-tick.n_intervals"

    assert drawn(site, "?model=model-0003", cause=tick).status_code == 204
    assert drawn(site, "", cause=tick).status_code == 200


def test_a_service_that_fails_leaves_a_message(
    site: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unforeseen error becomes a reference, in the list and in the detail."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("secret_canary")

    monkeypatch.setattr(site.services.models, "page", broken)
    monkeypatch.setattr(site.services.models, "detail", broken)
    for search in ("", "?model=model-0003"):
        text = drawn(site, search).text
        assert "Reference" in text
        assert "secret_canary" not in text


def filtered(site: Portal, search: str, **values: str) -> Any:
    """What the filters answer; those not named hold what they hold at first."""
    held = {f"{part}.value": "*" for part in CONTROLS}
    held |= {"models-text.value": "", "models-sort.value": "worst", SEARCH: search}
    held |= {f"models-{name}.value": value for name, value in values.items()}
    return answer(site, "vera", GOTO, held, "models-kind.value")


def test_a_filter_writes_the_address(site: Portal) -> None:
    """A chosen filter is added, the page is dropped, the state is kept."""
    found = filtered(site, "?state=look&page=4", kind="binary", text="ä b")
    target = found.get_json()["response"]["models-goto"]["search"]

    assert target == "?state=look&q=%C3%A4%20b&kind=binary"


def test_a_filter_that_says_the_same_does_nothing(site: Portal) -> None:
    """Drawing the controls for an address does not write it again."""
    assert filtered(site, "?kind=binary", kind="binary").status_code == 204
    assert filtered(site, "?model=model-0003", kind="binary").status_code == 204


def pressed(site: Portal, who: str, output: str, action: Any, model: str) -> Any:
    """What a button of the detail answers."""
    button = "models-ask" if output == ASK else "models-confirm"
    values = {
        f"{button}.n_clicks": 1,
        "models-action.data": action,
        SEARCH: f"?model={model}",
    }
    return answer(site, who, output, values, f"{button}.n_clicks")


def test_archiving_asks_first_then_does_it(site: Portal) -> None:
    """The dialog names the model; confirming archives, says so and draws again."""
    asked = pressed(site, "otto", ASK, "archive", "model-0001").get_json()["response"]
    assert asked["models-dialog"]["is_open"] is True
    assert "Archive model-0001?" in asked["models-question"]["children"]
    assert asked["models-confirm"]["children"] == "Archive"
    assert site.services.models.rows["model-0001"].archived is False

    done = pressed(site, "otto", CHANGE, "archive", "model-0001")
    assert done.get_json()["response"]["models-changed"]["data"] == 1
    assert "model-0001 is archived." in done.text
    assert site.services.models.rows["model-0001"].archived is True

    pressed(site, "otto", CHANGE, "restore", "model-0001")
    assert site.services.models.rows["model-0001"].archived is False


def test_cancelling_closes_the_dialog(site: Portal) -> None:
    """Cancel changes nothing but the dialog."""
    cause = "models-cancel.n_clicks"
    found = answer(site, "otto", ASK, {cause: 1}, cause).get_json()["response"]

    assert found == {"models-dialog": {"is_open": False}}


def test_a_button_that_appears_is_not_a_click(site: Portal) -> None:
    """Drawing the detail neither opens the dialog nor archives."""
    for output, button in ((ASK, "models-ask"), (CHANGE, "models-confirm")):
        cause = f"{button}.n_clicks"
        assert answer(site, "otto", output, {cause: None}, cause).status_code == 204


def test_viewers_can_look_but_not_archive(site: Portal) -> None:
    """The server refuses the buttons' callbacks to a viewer, who sees no button."""
    assert "models-ask" not in drawn(site, "?model=model-0002").text
    assert "models-ask" in drawn(site, "?model=model-0002", "otto").text
    for output in (ASK, CHANGE):
        found = pressed(site, "vera", output, "archive", "model-0002")
        assert found.status_code == 403
    assert site.services.models.rows["model-0002"].archived is False


@pytest.mark.parametrize(
    ("action", "model"),
    [("delete", "model-0002"), (["x"], "a"), (None, "model-0002"), ("archive", "")],
)
def test_a_made_up_action_is_refused(site: Portal, action: Any, model: str) -> None:
    """What the page says it wants comes from a browser, so it is checked."""
    found = pressed(site, "otto", CHANGE, action, model)

    assert "Not done" in found.text
    assert not any(row.archived for row in site.services.models.rows.values())
