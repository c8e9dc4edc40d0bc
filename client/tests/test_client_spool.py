"""The server is away, slow or broken: nothing is lost and nothing comes twice."""

from __future__ import annotations

import errno
import json
import os

import pytest
from contract_server import PASSWORD, USER

from iotsphere_client import Client
from iotsphere_client import client as module
from iotsphere_client.spool import default_folder


def named(rows, letter):
    """The rows under other ids."""
    return [{**row, "prediction_id": f"{letter}{i}"} for i, row in enumerate(rows)]


def stored(server):
    """The ids the server has, in the order in which they came."""
    return [row["prediction_id"] for row in server.rows.get("churn", [])]


def test_rows_wait_for_a_killed_server_and_come_once_in_order(server, client, rows):
    """Two calls are kept; the third sends them first, each row once."""
    client.log(rows, "churn")
    server.stop()
    first = client.log(named(rows, "a"), "churn")
    second = client.log(named(rows, "b"), "churn")
    server.start()
    third = client.log(named(rows, "c"), "churn")

    assert (first.ok, first.spooled, first.taken) == (True, 6, 0)
    assert "does not answer" in first.note
    assert second.spooled == 6
    assert (third.ok, third.read, third.taken, third.spooled) == (True, 6, 6, 0)
    assert "12 rows kept earlier were sent" in third.note
    assert stored(server) == [f"{x}{i}" for x in "pabc" for i in range(6)]
    assert client.spool.waiting() == []


def test_an_unknown_model_is_created_when_the_server_is_back(server, client, rows):
    """Schema and rows of a model first logged offline arrive by ``flush``."""
    server.stop()
    result = client.log(rows, "churn", segments=["plan"])
    server.start()
    flushed = client.flush()

    assert (result.ok, result.spooled) == (True, 6)
    assert (flushed.ok, flushed.read, flushed.taken, flushed.spooled) == (True, 6, 6, 0)
    assert server.specs["churn"]["segments"] == ["plan"]


def test_a_schema_made_offline_gives_way_to_the_servers(server, client, rows):
    """The model created there meanwhile is not overwritten."""
    server.stop()
    client.log(rows, "churn")
    server.start()
    theirs = {
        "name": "churn", "kind": "binary", "owner": "data team", "features": [],
        "columns": {"id": "prediction_id", "timestamp": "ts"},
    }  # fmt: skip
    server.specs["churn"] = theirs

    assert client.flush().taken == 6
    assert server.puts == []
    assert client.spool.pinned("churn") == theirs


@pytest.mark.parametrize("status", [500, 503, 429, 408, 302])
def test_a_server_in_trouble_keeps_the_rest_without_trying(
    server, client, rows, status
):
    """After one such answer the other pieces of the call are kept unsent."""
    client.log(rows, "churn")
    tried = []

    def fault(method, path):
        tried.append(path)
        return status if "inferences" in path else None

    server.fault = fault
    many = [
        {**rows[0], "prediction_id": f"m{i}", "plan": "x" * 2000} for i in range(900)
    ]
    result = client.log(many, "churn")
    server.fault = lambda method, path: None

    assert (result.ok, result.spooled) == (True, 900)
    assert tried == ["models/churn/inferences"]
    assert len(client.spool.waiting()) == 3
    assert client.flush().taken == 900


def test_a_slow_server_costs_one_time_limit(server, client, rows):
    """The call returns after its limit and the late rows are not doubled."""
    client.log(rows, "churn")
    quick = Client(server.url, USER, PASSWORD, spool=client.spool.folder, timeout_s=0.5)
    quick.log(rows, "churn")
    server.delay_after_s = 1.0
    many = [
        {**rows[0], "prediction_id": f"m{i}", "plan": "x" * 2000} for i in range(900)
    ]
    before = len(server.arrivals)
    result = quick.log(many, "churn")
    tried = len(server.arrivals) - before
    server.delay_after_s = 0.0

    assert (result.ok, result.spooled) == (True, 900)
    assert tried <= 1
    assert quick.flush().ok
    assert len(set(stored(server))) == len(stored(server)) == 906


def test_a_lost_answer_is_asked_for_with_the_same_key(server, client, rows):
    """Rows without an id of their own come once although they were sent twice."""
    for row in rows:
        del row["prediction_id"]
    client.log(rows, "churn")
    lost = []

    def fault(method, path):
        if "inferences" in path and not lost:
            lost.append(path)
            return "<html>a proxy's page</html>"
        return None

    server.fault = fault
    kept = client.log(rows, "churn")
    waiting = [client.spool.read(file).key for file in client.spool.waiting()]
    client.flush()

    assert kept.spooled == 6
    assert [key for _, key in server.arrivals][1:] == waiting
    assert len(stored(server)) == 12


def test_what_a_process_kept_another_sends(server, client, rows):
    """The spool outlives its client."""
    client.log(rows, "churn")
    server.stop()
    client.log(named(rows, "a"), "churn")
    server.start()
    folder = client.spool.folder.parent
    other = Client(server.url, USER, PASSWORD, spool=folder)

    assert other.flush().taken == 6
    assert len(stored(server)) == 12


def test_a_kept_piece_that_is_refused_moves_aside(server, client, rows):
    """It goes to ``refused`` with the reason, is reported, and blocks nothing."""
    client.log(rows, "churn")
    server.stop()
    client.log(named(rows, "a"), "churn")
    client.log(named(rows, "b"), "churn")
    server.start()
    answers = iter([422])
    server.fault = lambda m, path: next(answers, None) if "inferences" in path else None
    result = client.log(named(rows, "c"), "churn")
    [file] = client.spool.refused.iterdir()
    told = json.loads(file.read_text())

    assert (result.ok, result.taken, result.rejected) == (False, 6, [])
    assert "6 rows" in result.error
    assert "HTTP 422" in result.error
    assert [row["prediction_id"] for row in told["body"]] == [f"a{i}" for i in range(6)]
    assert told["rejected"][0] == [0, "as the test wants it (HTTP 422)"]
    assert stored(server)[6:] == [f"{x}{i}" for x in "bc" for i in range(6)]
    assert client.spool.waiting() == []


def test_single_refused_rows_of_a_kept_piece_are_reported(server, client, rows):
    """``flush`` gives their numbers and reasons and keeps them aside."""
    client.log(rows, "churn")
    server.stop()
    client.log(named(rows, "a"), "churn")
    server.start()
    server.refuse = lambda row: "too old" if row["prediction_id"] == "a4" else None
    result = client.flush()
    [file] = client.spool.refused.iterdir()

    assert (result.ok, result.read, result.taken) == (False, 6, 5)
    assert result.rejected == [(4, "too old")]
    assert [r["prediction_id"] for r in json.loads(file.read_text())["body"]] == ["a4"]


def test_a_wrong_password_loses_no_rows(server, client, rows):
    """The call is not ok and says so, and the rows wait for the right sign-in."""
    client.log(rows, "churn")
    folder = client.spool.folder.parent
    wrong = Client(server.url, USER, "wrong", spool=folder)
    result = wrong.log(named(rows, "a"), "churn")

    assert (result.ok, result.spooled) == (False, 6)
    assert (
        "the sign-in of 'logger' was refused: Wrong name or password." in result.error
    )
    assert client.flush().taken == 6


def test_a_full_spool_refuses_clearly(server, client, rows):
    """Over its limit nothing is kept, and each row says that it is lost."""
    client.log(rows, "churn")
    server.stop()
    folder = client.spool.folder.parent
    small = Client(server.url, USER, PASSWORD, spool=folder, spool_mb=0.004)
    results = [small.log(named(rows, x), "churn") for x in "abcdefgh"]
    size = sum(f.stat().st_size for f in client.spool.folder.rglob("*") if f.is_file())

    assert results[0].ok
    assert not results[-1].ok
    assert "is full" in results[-1].error
    assert [row for row, _ in results[-1].rejected] == list(range(6))
    assert results[-1].spooled == 0
    assert size <= 4000


def test_a_full_disk_is_told_and_leaves_no_half_file(server, client, rows, monkeypatch):
    """The system's own error is in the result; the server is still sent to."""
    client.log(rows, "churn")

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    online = client.log(named(rows, "a"), "churn")
    server.stop()
    offline = client.log(named(rows, "b"), "churn")

    assert (online.ok, online.taken) == (True, 6)
    assert not offline.ok
    assert "No space left on device" in offline.error
    assert len(offline.rejected) == 6
    assert (
        list(client.spool.queue.iterdir() if client.spool.queue.exists() else []) == []
    )


def test_a_damaged_file_does_not_block_the_queue(server, client, rows):
    """It is moved aside and told; what is behind it is sent."""
    client.log(rows, "churn")
    server.stop()
    client.log(named(rows, "a"), "churn")
    client.log(named(rows, "b"), "churn")
    first = client.spool.waiting()[0]
    first.write_bytes(first.read_bytes()[:-20])
    server.start()
    result = client.flush()

    assert not result.ok
    assert "cannot be read" in result.error
    assert result.taken == 6
    assert [f.suffix for f in client.spool.refused.iterdir()] == [".unreadable"]


def test_a_long_queue_does_not_hold_a_call(server, client, rows, monkeypatch):
    """When the kept rows take too long, the new ones queue behind them."""
    client.log(rows, "churn")
    server.stop()
    client.log(named(rows, "a"), "churn")
    server.start()
    monkeypatch.setattr(module, "BACKLOG_S", -1.0)
    result = client.log(named(rows, "b"), "churn")

    assert (result.ok, result.spooled) == (True, 6)
    assert "6 earlier rows are still to be sent first" in result.note
    assert client.flush().taken == 12
    assert stored(server)[6:] == [f"{x}{i}" for x in "ab" for i in range(6)]


def test_kept_rows_are_for_their_owner_and_server_alone(server, client, rows):
    """Kept rows may be personal: the files are private, and each server has its own."""
    server.stop()
    other = Client("http://127.0.0.1:1", spool=client.spool.folder.parent)
    client.log(rows, "churn")

    assert other.spool.waiting() == []
    assert {f.stat().st_mode & 0o777 for f in client.spool.waiting()} == {0o600}
    assert client.spool.queue.stat().st_mode & 0o777 == 0o700


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    """IOTSPHERE_SPOOL, else the user's state folder."""
    monkeypatch.setenv("IOTSPHERE_SPOOL", str(tmp_path))
    given = default_folder()
    monkeypatch.delenv("IOTSPHERE_SPOOL")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")

    assert given == tmp_path
    assert str(default_folder()) == "/home/someone/.local/state/iotsphere/spool"
