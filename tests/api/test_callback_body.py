"""Which callback bodies are taken: those that Dash's own renderer sends."""

from __future__ import annotations

import pytest
from dash import ALL, MATCH, Dash, Input, Output, html

from api.callback_body import DEEPEST, read_call
from services.errors import InvalidInput


@pytest.fixture(scope="module")
def callbacks():
    """Callbacks with patterns, a shared output and no output at all."""
    app = Dash(__name__)
    app.layout = html.Div()
    one = {"role": "row", "key": MATCH}
    source = Input("box-in", "value")
    app.callback(Output(one, "children"), Input(one, "n_clicks"))(lambda n: n)
    app.callback(Output({"role": "r", "key": ALL}, "children"), source)(lambda v: v)
    app.callback(Output("box-out", "children"), source)(lambda v: v)
    app.callback(
        Output("box-out", "children", allow_duplicate=True),
        Input("box-tick", "n_intervals"),
        prevent_initial_call=True,
    )(lambda n: n)
    app.callback(Input("box-in", "value"))(lambda _v: None)
    return app.callback_map


def _id(callbacks, contains):
    return next(key for key in callbacks if contains in key)


def _source(value="x"):
    return [{"id": "box-in", "property": "value", "value": value}]


def test_match_pattern_takes_one_row(callbacks):
    """Both ends name the same row; its key is free, its role is not."""
    row = {"id": {"role": "row", "key": "a"}, "property": "n_clicks", "value": 1}
    body = {
        "output": _id(callbacks, "MATCH"),
        "outputs": {"id": row["id"], "property": "children"},
        "inputs": [row],
    }
    assert not read_call(body, callbacks).by_timer
    for wrong in ({"role": "x", "key": "a"}, {"role": "row"}, "row", None,
                  {"role": "row", "key": ["a"]}):  # fmt: skip
        with pytest.raises(InvalidInput):
            read_call({**body, "inputs": [{**row, "id": wrong}]}, callbacks)


def test_all_pattern_takes_any_number_of_rows(callbacks):
    """A list of rows, also an empty one, but never a bare row."""
    row = {"id": {"role": "r", "key": 1}, "property": "children"}
    body = {"output": _id(callbacks, "ALL"), "inputs": _source()}
    for outputs in ([], [row], [row, row]):
        assert read_call({**body, "outputs": outputs}, callbacks)
    for outputs in (row, None, [None], [[row]]):
        with pytest.raises(InvalidInput):
            read_call({**body, "outputs": outputs}, callbacks)


def test_shared_output_is_recognised(callbacks):
    """Dash marks it with a hash in the property; a timer is seen as one."""
    name = _id(callbacks, "@")
    body = {
        "output": name,
        "outputs": {"id": "box-out", "property": name.partition(".")[2]},
        "inputs": [{"id": "box-tick", "property": "n_intervals", "value": 4}],
        "changedPropIds": ["box-tick.n_intervals"],
    }

    assert read_call(body, callbacks).by_timer


def test_a_person_beside_a_timer_is_a_person(callbacks):
    """Only a request caused by timers alone leaves the idle time running."""
    body = {
        "output": "box-out.children",
        "outputs": {"id": "box-out", "property": "children"},
        "inputs": _source(),
    }
    for changed in ([], ["box-in.value"], ["box-tick.n_intervals", "box-in.value"]):
        assert not read_call({**body, "changedPropIds": changed}, callbacks).by_timer


def test_callback_without_output_needs_none(callbacks):
    """It is found by its hash and its inputs are compared all the same."""
    name = next(k for k, v in callbacks.items() if v["no_output"])
    assert read_call({"output": name, "inputs": _source()}, callbacks)
    with pytest.raises(InvalidInput):
        read_call({"output": name, "inputs": []}, callbacks)


def test_depth_has_a_limit(callbacks):
    """Values may be nested, but not without end."""
    body = {
        "output": "box-out.children",
        "outputs": {"id": "box-out", "property": "children"},
    }
    deep: list = []
    for _ in range(DEEPEST - 5):
        deep = [deep]
    assert read_call({**body, "inputs": _source(deep)}, callbacks)
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InvalidInput, match="nested"):
        read_call({**body, "inputs": _source(deep)}, callbacks)
