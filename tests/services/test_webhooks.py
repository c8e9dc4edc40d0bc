"""Webhooks against a real server on this machine: signed, bounded, never led astray."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import pytest

from services.webhook_hosts import WebhookHosts
from services.webhooks import Webhooks, look_up
from tests.post_office import (
    certificate,
    dripping,
    hanging,
    hook_server,
    reply,
)

SECRET = "ab" * 32


@pytest.fixture
def server():
    """A web server."""
    with hook_server() as opened:
        yield opened


def sender(server, **options) -> Webhooks:
    """A sender that may call this server."""
    hosts = WebhookHosts(f"private:127.0.0.1:{server.port}")
    return Webhooks(hosts, clock=lambda: 1_800_000_000.9, **options)


def send(server, path="/in", body=None, **options):
    """Send to the server; the answer."""
    url = f"http://127.0.0.1:{server.port}{path}"
    return sender(server, **options).send(url, body or {"text": "x"}, SECRET, "d1")


def test_the_receiver_can_check_who_sent_it(server):
    """The signature is HMAC-SHA256 over time stamp, full stop and body."""
    answer = send(server, body={"text": "\u05d0 <b>", "n": 1.5})

    assert answer.ok
    got = server.got[0]
    stamp = got.headers["x-iotsphere-timestamp"]
    signed = stamp.encode() + b"." + got.body
    wanted = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert stamp == "1800000000"
    assert got.headers["x-iotsphere-signature"] == f"sha256={wanted}"
    assert got.headers["x-iotsphere-delivery"] == "d1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"127.0.0.1:{server.port}"
    assert json.loads(got.body) == {"text": "\u05d0 <b>", "n": 1.5}


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (404, True), (410, True), (408, False), (425, False),
     (429, False), (500, False), (502, False), (503, False)],
)  # fmt: skip
def test_answers_tell_whether_another_try_helps(server, status, permanent):
    """4xx are final but for those that mean later; 5xx are tried again."""
    server.answer = lambda request: reply(request, status)
    answer = send(server)

    assert (answer.ok, answer.permanent) == (False, permanent)
    assert answer.words == f"answered {status}"


def test_redirects_are_not_followed(server):
    """An answer that leads elsewhere ends there, and is final."""
    server.answer = lambda request: reply(
        request, 302, Location=f"http://127.0.0.1:{server.port}/secret"
    )
    answer = send(server)

    assert answer.permanent
    assert "redirects are not followed" in answer.words
    assert [hook.path for hook in server.got] == ["/in"]


@pytest.mark.parametrize("slow", [dripping, hanging])
def test_slow_targets_have_five_seconds_in_all(server, slow):
    """A byte now and then does not keep a sender longer than silence does."""
    server.answer = slow
    began = time.monotonic()
    answer = send(server, total_s=0.6)

    assert time.monotonic() - began < 2
    assert not answer.ok
    assert not answer.permanent
    assert "no answer within" in answer.words


def test_an_endless_answer_is_not_read(server):
    """The status is enough: the body is neither read nor kept."""

    def endless(request):
        request.send_response(200)
        request.end_headers()
        for _ in range(10_000):
            request.wfile.write(b"secret" * 2_000)

    server.answer = endless
    began = time.monotonic()
    answer = send(server)

    assert answer.ok
    assert answer.words == "answered 200"
    assert time.monotonic() - began < 2


def test_endless_headers_are_an_error(server):
    """A head of the answer that does not end is cut off."""

    def endless(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            request.wfile.write(f"X-{number}: {'a' * 100}\r\n".encode())

    server.answer = endless
    answer = send(server, total_s=3)

    assert not answer.ok


def test_nobody_listening_is_tried_again(server):
    """A refused connection is no reason to give up."""
    hosts = WebhookHosts("private:127.0.0.1:1")
    answer = Webhooks(hosts).send("http://127.0.0.1:1/", {}, SECRET, "d")

    assert (answer.ok, answer.permanent) == (False, False)
    assert "connect" in answer.words


def test_a_name_is_looked_up_once_and_that_address_is_used(server):
    """A name that changes between check and use leads nowhere else."""
    asked = []

    def lookup(host, port):
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    hosts = WebhookHosts(f"private:localhost:{server.port}")
    hooks = Webhooks(hosts, lookup=lookup)
    answer = hooks.send(f"http://localhost:{server.port}/", {}, SECRET, "d")

    assert answer.ok
    assert asked == [("localhost", server.port)]
    assert server.got[0].headers["host"] == f"localhost:{server.port}"


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["169.254.169.254"],
              ["::ffff:93.184.216.34"], ["64:ff9b::a00:1"]],
)  # fmt: skip
def test_a_public_name_that_leads_inside_is_refused(found):
    """One unfit address among the found ones is enough; nothing is connected to."""
    hooks = Webhooks(WebhookHosts("hooks.example"), lookup=lambda _h, _p: found)
    answer = hooks.send("https://hooks.example/", {}, SECRET, "d")

    assert answer.permanent
    assert "refused" in answer.words


@pytest.mark.parametrize(
    ("problem", "words"),
    [(OSError("no such host"), "no such host"), (UnicodeError("bad"), "bad")],
)
def test_a_name_that_is_not_known_is_tried_again(problem, words):
    """The name service may answer later."""

    def lookup(_host, _port):
        raise problem

    hooks = Webhooks(WebhookHosts("hooks.example"), lookup=lookup)
    answer = hooks.send("https://hooks.example/", {}, SECRET, "d")

    assert (answer.ok, answer.permanent) == (False, False)
    assert words in answer.words


def test_a_look_up_that_hangs_counts_as_well():
    """The five seconds begin before the name is looked up."""

    def lookup(_host, _port):
        time.sleep(30)
        return []

    hooks = Webhooks(WebhookHosts("hooks.example"), lookup=lookup, total_s=0.3)
    began = time.monotonic()
    answer = hooks.send("https://hooks.example/", {}, SECRET, "d")

    assert time.monotonic() - began < 2
    assert "no answer within" in answer.words


def test_tls_is_checked_against_the_name_not_the_address(tmp_path):
    """With the right name the certificate is taken, with another it is not."""
    server_tls, trusted = certificate(tmp_path, "hooks.example")
    with hook_server(server_tls) as server:
        names = (
            f"private:hooks.example:{server.port},private:other.example:{server.port}"
        )
        hooks = Webhooks(
            WebhookHosts(names), lookup=lambda _h, _p: ["127.0.0.1"], tls=trusted
        )
        url = f"https://hooks.example:{server.port}/in"
        assert hooks.send(url, {}, SECRET, "d").ok
        other = url.replace("hooks.example", "other.example")
        refused = hooks.send(other, {}, SECRET, "d")

    assert not refused.ok
    assert "certificate" in refused.words.lower()
    assert len(server.got) == 1


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path):
    """The usual certificates are the ones that count."""
    server_tls, _trusted = certificate(tmp_path, "hooks.example")
    with hook_server(server_tls) as server:
        hooks = Webhooks(
            WebhookHosts(f"private:hooks.example:{server.port}"),
            lookup=lambda _h, _p: ["127.0.0.1"],
        )
        answer = hooks.send(f"https://hooks.example:{server.port}/", {}, SECRET, "d")

    assert not answer.ok
    assert server.got == []


def test_look_up_knows_this_machine():
    """The real look-up answers with plain addresses."""
    assert "127.0.0.1" in look_up("127.0.0.1", 80)
