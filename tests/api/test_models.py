"""Models and their rows over REST, on real stores with somebody signed in."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import flask
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from api import inferences as inferences_api
from api import models as models_api
from api.problems import register_problems
from data.spec_json import spec_to_json
from services.access import Principal
from services.model_spec import read_yaml
from tests.conftest import ADMIN, OPERATOR, VIEWER
from tests.model_door import YAML, ModelDoor, door

__all__ = ["door"]
ONE = "/api/v1/models/churn"
ROW: dict[str, Any] = {
    "pid": "a", "at": "2026-03-09T10:00:00Z", "pred": "1", "p": 0.7, "age": 40,
    "plan": "basic", "region": "north",
}  # fmt: skip
PARQUET = "application/vnd.apache.parquet"


@dataclass
class Caller:
    """Who is asking, as the guard leaves it on the request."""

    principal: Principal = ADMIN


@pytest.fixture
def caller() -> Caller:
    """An admin; tests change it."""
    return Caller()


@pytest.fixture
def client(door: ModelDoor, caller: Caller) -> Iterator[FlaskClient]:
    """The routes on a server of their own."""
    server, settings = OpenAPI(__name__, doc_ui=False), door.stores.settings
    server.register_api(models_api.blueprint(door.models, settings))
    server.register_api(
        inferences_api.blueprint(door.models, door.inferences, settings)
    )
    register_problems(server)

    @server.before_request
    def sign_in() -> None:
        flask.g.principal = caller.principal

    with server.test_client() as client:
        yield client


def sent(client: FlaskClient, *rows: Any, what: str = "inferences", **more: Any) -> Any:
    """The receipt of a batch."""
    answer = client.post(f"{ONE}/{what}", json={"rows": list(rows)}, **more)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def parquet(table: pa.Table) -> bytes:
    """The table as a Parquet body."""
    body = io.BytesIO()
    pq.write_table(table, body)
    return body.getvalue()


def test_a_model_is_put_read_and_downloaded(client: FlaskClient) -> None:
    """What is put is what is read, as JSON and as the YAML file, in both forms."""
    document = spec_to_json(read_yaml(YAML))
    made = client.put(ONE, json={**document, "lineage": {"run": "a41f"}})
    again = client.put(ONE, data=YAML, content_type="application/yaml")
    file = client.get(f"{ONE}?format=yaml")

    assert (made.status_code, made.get_json()["outcome"]) == (201, "created")
    assert made.get_json()["features"] == document["features"]
    assert (again.status_code, again.get_json()["outcome"]) == (200, "unchanged")
    assert client.get(ONE).get_json() == document
    assert read_yaml(file.text) == read_yaml(YAML)
    assert file.headers["Content-Disposition"] == "attachment; filename=churn.yaml"
    (version,) = client.get(f"{ONE}/versions").get_json()["items"]
    assert (version["version"], version["lineage"]) == ("1", {"run": "a41f"})
    assert version["champion"] is True


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (YAML.replace("churn", "other", 1), "application/yaml", "body other"),
        ("{", "application/json", "no JSON"),
        ("[" * 100_000, "application/json", "no JSON"),
        ("[1]", "application/json", "A model file is a mapping"),
        ('{"lineage": 3}', "application/json", "lineage must be an object"),
        ('{"name": "churn", "kind": "tree"}', "application/json", "kind"),
        (b"\xff", "application/yaml", "UTF-8"),
        (YAML + "colour: red\n", "application/yaml", "colour"),
    ],
)
def test_a_document_that_cannot_be_taken_says_why(
    client: FlaskClient, body: str | bytes, kind: str, says: str
) -> None:
    """Each is a 400 that names the cause, and nothing is registered."""
    answer = client.put(ONE, data=body, content_type=kind)

    assert answer.status_code == 400
    assert says in answer.get_json()["detail"]
    assert client.get(ONE).status_code == 404


def test_the_list_pages_and_filters(client: FlaskClient, door: ModelDoor) -> None:
    """Pages follow each other without loss, with the verdict of each model."""
    for name in ("a", "b", "c"):
        door.apply(name=name)
    door.judged("c", state="look", severity="high", kind="input_shift")
    first = client.get("/api/v1/models?limit=2").get_json()
    rest = client.get(f"/api/v1/models?cursor={first['next_cursor']}").get_json()

    assert [i["name"] for i in first["items"] + rest["items"]] == ["c", "a", "b"]
    assert rest["next_cursor"] is None
    assert (first["found"], first["counts"]["look"]) == (3, 1)
    shown = first["items"][0]
    assert (shown["verdict"], shown["metric"], shown["value"]) == (
        "input_shift", "AUC", 0.83,
    )  # fmt: skip
    assert client.get("/api/v1/models?state=x").status_code == 400
    assert client.get("/api/v1/models?limit=9999").status_code == 400
    assert client.get("/api/v1/models?cursor=e30").status_code == 400


def test_archiving_needs_an_operator(
    client: FlaskClient, door: ModelDoor, caller: Caller
) -> None:
    """An Operator archives and restores; a Viewer reads; neither applies or sends."""
    door.apply()
    caller.principal = OPERATOR
    assert client.post(f"{ONE}/archive").get_json()["outcome"] == "archived"
    assert client.get(ONE).get_json()["archived"] is True
    assert client.post(f"{ONE}/restore").get_json()["revision"] == 3
    for principal in (OPERATOR, VIEWER):
        caller.principal = principal
        assert client.put(ONE, data=YAML, content_type="text/yaml").status_code == 403
        for what in ("inferences", "labels"):
            refused = client.post(f"{ONE}/{what}", json={"rows": [ROW]})
            assert refused.status_code == 403
        assert client.put(f"{ONE}/reference", json={"rows": [ROW]}).status_code == 403
    assert client.post(f"{ONE}/archive").status_code == 403
    assert client.get(f"{ONE}/versions").status_code == 200


def test_predictions_get_a_receipt(client: FlaskClient, door: ModelDoor) -> None:
    """Good rows go in; each bad one is named by its place; odd columns are told."""
    door.apply()
    rows = [
        ROW, {**ROW, "pid": "b", "age": "inf"}, "no object", ROW,
        {**ROW, "pid": "c", "age": [1]}, {**ROW, "pid": "d", "age": "old"},
        {**ROW, "pid": "e", "age": None, "channel": "web"}, {**ROW, "at": "soon"},
    ]  # fmt: skip

    assert sent(client, *[{**r, "plan": None} if r == ROW else r for r in rows]) == {
        "read": 8,
        "taken": 3,
        "duplicates": 1,
        "rejected": [
            {"row": 2, "reason": "it is no JSON object"},
            {"row": 4, "reason": "age holds a list or object: send single values"},
            {"row": 5, "reason": "age is no number: 'old'"},
            {"row": 7, "reason": "its timestamp cannot be read as a time"},
        ],
        "unknown_columns": ["channel"],
        "missing_columns": [],
        "changed_types": [{"column": "age", "expected": "numeric", "found": "text"}],
    }


def test_the_same_rows_come_as_json_lines_and_parquet(
    client: FlaskClient, door: ModelDoor
) -> None:
    """All three bodies give the same receipt; a broken line is refused by itself."""
    door.apply()
    rows = [{**ROW, "pid": str(number)} for number in range(3)]
    lines = "\n".join(map(json.dumps, rows)).encode()
    table = pa.Table.from_pylist(rows)
    first = sent(client, *rows)
    for body, kind in ((lines, "application/x-ndjson"), (parquet(table), PARQUET)):
        answer = client.post(f"{ONE}/inferences", data=body, content_type=kind)
        assert answer.get_json() == first
    broken = client.post(
        f"{ONE}/inferences", data=lines + b"\n{", content_type="application/x-ndjson"
    ).get_json()
    assert (broken["taken"], broken["rejected"][0]["row"]) == (3, 3)


def test_a_repeated_key_gets_the_first_receipt(
    client: FlaskClient, door: ModelDoor
) -> None:
    """A delivery sent again under its key is answered as before and taken once."""
    door.apply()
    key = {"Idempotency-Key": "k1"}
    first = sent(client, ROW, {"pid": ""}, headers=key)
    again = sent(client, ROW, {"pid": ""}, headers=key)
    other = sent(client, {**ROW, "pid": "z"}, headers={"Idempotency-Key": "k2"})

    assert again == first
    assert other["taken"] == 1
    model = door.store.model("churn")
    assert len(door.store.delivered(model.id, 9)) == 2
    long = {"Idempotency-Key": "k" * 121}
    refused = client.post(f"{ONE}/inferences", json={"rows": [ROW]}, headers=long)
    assert refused.status_code == 400


def test_labels_come_by_prediction_id(client: FlaskClient, door: ModelDoor) -> None:
    """Under the model's own names or the plain ones; one without an id is refused."""
    door.apply()
    own = sent(client, {"pid": "a", "left": 1}, {"pid": "", "left": 1}, what="labels")
    common = sent(client, {"prediction_id": "a", "label": "0"}, what="labels")

    assert (own["read"], own["taken"]) == (2, 1)
    assert own["rejected"] == [{"row": 1, "reason": "it has no prediction id"}]
    assert common["taken"] == 1
    assert set(own) == {"read", "taken", "duplicates", "rejected"}


def test_a_reference_is_pinned(client: FlaskClient, door: ModelDoor) -> None:
    """The answer has its hash and size; too few rows are refused with the number."""
    door.apply()
    rows = [
        {**ROW, "age": n, "pred": str(n % 2), "left": str(n % 2)} for n in range(200)
    ]
    answer = client.put(
        f"{ONE}/reference?version=1",
        data=parquet(pa.Table.from_pylist(rows)),
        content_type=PARQUET,
    ).get_json()
    few = client.put(f"{ONE}/reference", json={"rows": rows[:5]})

    assert (answer["rows"], answer["labelled"], answer["features"]) == (200, 200, 2)
    assert len(answer["hash"]) == 64
    assert few.status_code == 400
    assert "at least 100 rows" in few.get_json()["detail"]


NESTED = parquet(pa.table({"pid": ["a"], "at": ["2026-03-09"], "pred": ["1"],
                           "age": pa.array([[1]])}))  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        (b"{", "application/json", 400, "no JSON"),
        (b"[" * 100_000, "application/json", 400, "no JSON"),
        (b"[1]", "application/json", 400, '{"rows"'),
        (b'{"rows": []}', "application/json", 400, "no row"),
        (b'{"rows": [], "x": 1}', "application/json", 400, '{"rows"'),
        (b"", "application/x-ndjson", 400, "no row"),
        (b"a,b", "text/csv", 400, "text/csv is not taken"),
        (b"PAR1rubbish", PARQUET, 400, "no Parquet"),
        (NESTED, PARQUET, 400, "age holds list"),
        (b'{"a":1}\n' * 10_001, "application/x-ndjson", 413, "MAX_BATCH_ROWS"),
        (parquet(pa.table({"a": [1] * 10_001})), PARQUET, 413, "MAX_BATCH_ROWS"),
        (b'{"rows": [{"x": 1}]}', "application/json", 400, "no file of churn"),
        (
            json.dumps({"rows": [dict.fromkeys(map(str, range(5001)))]}).encode(),
            "application/json", 413, "5,000 columns",
        ),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_taken_says_why(
    client: FlaskClient, door: ModelDoor, body: bytes, kind: str, status: int, says: str
) -> None:
    """Each is a 4xx that names the cause or the limit; nothing of it is taken."""
    door.apply()
    answer = client.post(f"{ONE}/inferences", data=body, content_type=kind)

    assert answer.status_code == status
    assert says in answer.get_json()["detail"]
    assert door.store.delivered(door.store.model("churn").id, 1) == []


@pytest.mark.parametrize(
    "value", [10**400, 2**63, -(2**70), float("nan"), "\ud800", True, "x" * 100_000]
)
def test_any_single_value_gets_an_answer(
    client: FlaskClient, door: ModelDoor, value: object
) -> None:
    """Whatever stands in a column, the row is taken or refused with a reason."""
    door.apply()
    for name in ROW:
        row = {**ROW, name: value}
        answer = sent(client, row, {**row, "pid": "other"})
        assert answer["taken"] + answer["duplicates"] + len(answer["rejected"]) == 2


def test_unknown_models_and_versions_are_named(client: FlaskClient) -> None:
    """A model that does not exist is a 404, impossible names are a 422."""
    assert client.post(f"{ONE}/inferences", json={"rows": [ROW]}).status_code == 404
    assert client.get("/api/v1/models/a%20b").status_code == 422
    bad = client.post(f"{ONE}/inferences?version=a%20b", json={"rows": [ROW]})
    assert bad.status_code == 422


def test_the_yaml_download_can_be_put_back(
    client: FlaskClient, door: ModelDoor
) -> None:
    """Downloading and putting the file changes nothing."""
    door.apply()
    text = client.get(f"{ONE}?format=yaml").text
    answer = client.put(ONE, data=text, content_type="application/yaml").get_json()

    assert yaml.safe_load(text)["owner"] == "Risk team"
    assert answer["outcome"] == "unchanged"
