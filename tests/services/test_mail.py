"""Mail to a real SMTP server: whole, harmless, bounded, with the server's words."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.mail import Attachment, Mail, MailServer
from services.outgoing import line
from tests.post_office import certificate, mail_sink

AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TO = "duty@plant.example"
HARD = (
    "plain",
    "a <b>&\"'</b>",
    "line\r\nBcc: evil@example.org\r\n\r\nbody",
    "tab\tnul\x00bell\x07esc\x1b[31m",
    "\u05d7\u05d3\u05e8 \u0627\u0644\u063a\u0631\u0641\u0629",
    "\u202eevil\u202c \u2066x\u2069",
    "\u6e29\u6c34\u5668\uff08\u5730\u4e0b\u5ba4\uff09",
    "half \ud800 pair",
    "\U0001f525" * 300,
    "x" * 10_000,
    "\u6e29" * 10_000,
    "=?utf-8?q?trick?=",
    ". \r\n.\r\n.leading",
)


@pytest.fixture(scope="module")
def sink():
    """A mail server that takes everything."""
    with mail_sink() as opened:
        yield opened


def mailer(port: int, **options) -> Mail:
    """A sender without TLS, as is right on loopback."""
    server = MailServer("127.0.0.1", port, "iotsphere@plant.example", "none")
    return Mail(server, **options)


def sent(sink, subject: str, body: dict, **options):
    """Send to the sink; the answer and the mail it took."""
    before = len(sink.mails)
    answer = mailer(sink.port, **options).send(TO, subject, body, "id1", AT)
    assert len(sink.mails) <= before + 1
    return answer, sink.mails[-1]


@pytest.mark.parametrize("text", HARD, ids=lambda t: ascii(t[:12]))
def test_hard_texts_arrive_as_text_and_add_no_header(sink, text):
    """Markup, control, right-to-left, wide and endless texts: parsed back whole."""
    answer, mail = sent(sink, text, {"text": text, "html": "<p>x</p>"})

    assert answer.ok, answer.words
    assert sorted(mail.keys()) == sorted(
        ["Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted",
         "MIME-Version", "Content-Type"]
    )  # fmt: skip
    assert mail["Subject"] == line(text, 200).replace("=?", "= ?")
    assert len(mail["Subject"]) <= 200
    body = mail.get_body(("plain",)).get_content()
    kept = text.encode("utf-8", "replace").decode().replace("\x00", "")
    assert body.split() == kept.split()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_subject_is_one_line(sink, text):
    """No text breaks out of the header or is refused."""
    answer, mail = sent(sink, text, {"text": "x"})

    assert answer.ok, answer.words
    assert "bcc" not in {name.lower() for name in mail}
    assert mail["Subject"].split() == line(text, 200).replace("=?", "= ?").split()


def test_a_mail_sent_again_has_the_same_id(sink):
    """The id comes from what is sent, so a repeat is recognised."""
    for _ in range(2):
        sent(sink, "s", {"text": "x"})

    ids = {mail["Message-ID"] for mail in sink.mails[-2:]}
    assert ids == {"<id1@plant.example>"}
    assert parseaddr(str(sink.mails[-1]["From"]))[1] == "iotsphere@plant.example"


def test_a_report_goes_along(sink, tmp_path):
    """The file of the run is attached under its name, byte for byte."""
    file = tmp_path / "r"
    file.write_bytes(bytes(range(256)) * 50)
    found = {"run1": Attachment(file, "week \u6e29.pdf", "application/pdf")}
    answer = mailer(sink.port, files=found.get).send(
        TO, "s", {"text": "x"}, "id", AT, report_id="run1"
    )

    assert answer.ok
    part = next(sink.mails[-1].iter_attachments())
    assert part.get_content_type() == "application/pdf"
    assert part.get_filename() == "week \u6e29.pdf"
    assert part.get_content() == file.read_bytes()


def test_a_file_that_is_gone_or_huge_is_final(sink, tmp_path):
    """Nothing is sent without the file it is about, and the reason is told."""
    huge = tmp_path / "huge"
    with huge.open("wb") as opened:
        opened.truncate(20_000_001)
    files = {"huge": Attachment(huge, "h.pdf"), "gone": Attachment(tmp_path / "n", "n")}
    before = len(sink.mails)
    for run, words in (("gone", "gone"), ("huge", "larger"), ("other", "gone")):
        answer = mailer(sink.port, files=files.get).send(
            TO, "s", {"text": "x"}, "id", AT, report_id=run
        )
        assert answer.permanent
        assert words in answer.words
    assert len(sink.mails) == before


@pytest.mark.parametrize(
    ("said", "permanent"),
    [("550 5.1.1 No such user here", True), ("553 Bad name", True),
     ("450 4.2.0 Greylisted, come back", False), ("452 Full", False)],
)  # fmt: skip
def test_a_refused_recipient_is_told_in_the_servers_words(sink, said, permanent):
    """5xx is final, 4xx is tried again."""
    sink.refuse[TO] = said
    try:
        answer = mailer(sink.port).send(TO, "s", {"text": "x"}, "id", AT)
    finally:
        sink.refuse.clear()

    assert not answer.ok
    assert answer.permanent is permanent
    assert answer.words == said


@pytest.mark.parametrize(
    ("said", "permanent"), [("554 Spam", True), ("451 Later", False)]
)
def test_a_refused_message_is_judged_alike(sink, said, permanent):
    """What is said after the data counts as what is said before."""
    sink.refuse_data = said
    try:
        answer = mailer(sink.port).send(TO, "s", {"text": "x"}, "id", AT)
    finally:
        sink.refuse_data = ""

    assert (answer.ok, answer.permanent, answer.words) == (False, permanent, said)


def test_without_a_server_mail_is_off():
    """The reason names the setting, and another try does not help."""
    answer = Mail(None).send(TO, "s", {"text": "x"}, "id", AT)

    assert answer.permanent
    assert "IOTSPHERE_SMTP_HOST" in answer.words


def test_nobody_listening_is_tried_again():
    """A mail server that is down may come back."""
    answer = mailer(1).send(TO, "s", {"text": "x"}, "id", AT)

    assert (answer.ok, answer.permanent) == (False, False)


def test_a_dripping_server_has_a_limit():
    """A greeting that comes byte by byte is cut off."""
    listener = socket.create_server(("127.0.0.1", 0))

    def drip():
        held, _ = listener.accept()
        try:
            for _ in range(600):
                held.sendall(b"2")
                time.sleep(0.1)
        except OSError:
            held.close()

    threading.Thread(target=drip, daemon=True).start()
    began = time.monotonic()
    mail = mailer(listener.getsockname()[1], total_s=0.5)
    answer = mail.send(TO, "s", {"text": "x"}, "id", AT)
    listener.close()

    assert time.monotonic() - began < 4
    assert (answer.ok, answer.permanent) == (False, False)


def test_tls_is_demanded_and_checked(tmp_path):
    """STARTTLS with a trusted certificate works, without trust or TLS it does not."""
    server_tls, trusted = certificate(tmp_path, "localhost")
    with mail_sink(tls_context=server_tls) as sink:
        server = MailServer("localhost", sink.port, "a@b.example", "starttls")
        ok = Mail(server, tls=trusted).send(TO, "s", {"text": "x"}, "id", AT)
        doubted = Mail(server).send(TO, "s", {"text": "x"}, "id", AT)
    with mail_sink() as plain:
        server = MailServer("127.0.0.1", plain.port, "a@b.example", "starttls")
        open_line = Mail(server).send(TO, "s", {"text": "x"}, "id", AT)

    assert ok.ok, ok.words
    assert not doubted.ok
    assert "certificate" in doubted.words.lower()
    assert not open_line.ok
    assert plain.mails == []


def test_a_password_is_not_shown():
    """Neither the server's repr nor an error tells it."""
    server = MailServer("h", 25, "a@b.example", "tls", "me", "hunter2hunter2")

    assert "hunter2" not in repr(server)
