"""Mail over SMTP: plain text and HTML, a report's file beside, ids that stay."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from threading import Timer

from services.outgoing import Answer, line

STEP_S = 10.0
"""Longest wait for one answer of the server."""
TOTAL_S = 30.0
SUBJECT_LENGTH = 200
MOST_FILE_BYTES = 20_000_000
OFF = "Mail is off: IOTSPHERE_SMTP_HOST is not set."
POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over; ``security``: ``none``, ``starttls`` or ``tls``."""

    host: str
    port: int
    sender: str
    security: str = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail."""

    path: Path
    name: str
    media_type: str = "application/octet-stream"


Files = Callable[[str], Attachment | None]
"""From the id of a report's run to its file; ``None`` when it is gone."""


class FileGone(Exception):
    """The file that the mail is about is not there any more."""


class Mail:
    """Hands messages to the server of the settings."""

    def __init__(
        self,
        server: MailServer | None,
        files: Files | None = None,
        tls: ssl.SSLContext | None = None,
        total_s: float = TOTAL_S,
    ) -> None:
        self.server = server
        self._files = files
        self._tls = tls
        self._total_s = total_s

    def send(
        self,
        to: str,
        subject: str,
        body: Mapping[str, object],
        delivery: str,
        at: datetime,
        report_id: str | None = None,
    ) -> Answer:
        """Send one mail to one address; what the server said, in words.

        Args:
            to: the address.
            subject: one line; what does not belong there is left out.
            body: ``text`` and, where there is one, ``html``.
            delivery: the message's id: the same for what is sent again.
            at: its date.
            report_id: the run whose file goes with it.
        """
        if self.server is None:
            return Answer(ok=False, words=OFF, permanent=True)
        try:
            message = self._message(to, subject, body, delivery, at)
            if report_id is not None:
                self._attach(message, report_id)
            with self._connected(self.server) as connection:
                said = connection.send_message(message, self.server.sender, [to])
        except FileGone as error:
            return Answer(ok=False, words=str(error), permanent=True)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return judged(error)
        return judged(smtplib.SMTPRecipientsRefused(said)) if said else SENT

    def _message(
        self,
        to: str,
        subject: str,
        body: Mapping[str, object],
        delivery: str,
        at: datetime,
    ) -> EmailMessage:
        assert self.server is not None  # noqa: S101 - asked before
        domain = self.server.sender.rpartition("@")[2]
        message = EmailMessage(POLICY)
        # A text that looks encoded would be decoded by who reads it.
        message["Subject"] = line(subject, SUBJECT_LENGTH).replace("=?", "= ?")
        message["From"] = Address("IoTSphere", addr_spec=self.server.sender)
        message["To"] = Address(addr_spec=to)
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{delivery}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        text = str(body.get("text", ""))
        message.set_content(_whole(text), cte="quoted-printable")
        if page := body.get("html"):
            message.add_alternative(
                _whole(str(page)), subtype="html", cte="quoted-printable"
            )
        return message

    def _attach(self, message: EmailMessage, report_id: str) -> None:
        file = self._files(report_id) if self._files else None
        if file is None or not file.path.is_file():
            raise FileGone("the report's file is gone")
        if file.path.stat().st_size > MOST_FILE_BYTES:
            most = MOST_FILE_BYTES // 1_000_000
            raise FileGone(f"the report's file is larger than {most} MB")
        main, _, sub = file.media_type.partition("/")
        message.add_attachment(
            file.path.read_bytes(), maintype=main, subtype=sub, filename=file.name
        )

    @contextmanager
    def _connected(self, server: MailServer) -> Iterator[smtplib.SMTP]:
        tls = self._tls or ssl.create_default_context()
        connection = (
            smtplib.SMTP_SSL(timeout=STEP_S, context=tls)
            if server.security == "tls"
            else smtplib.SMTP(timeout=STEP_S)
        )
        # smtplib waits for each answer anew: a server that drips would hold us.
        guard = Timer(self._total_s, _cut, [connection])
        guard.daemon = True
        guard.start()
        try:
            # Where it connects to is what TLS is checked against.
            connection._host = server.host  # type: ignore[attr-defined]
            connection.connect(server.host, server.port)
            if server.security == "starttls":
                connection.starttls(context=tls)
            if server.username:
                connection.login(server.username, server.password)
            yield connection
        finally:
            guard.cancel()
            _bye(connection)


SENT = Answer(ok=True, words="taken by the mail server")


def judged(error: Exception) -> Answer:
    """An error of the server in words; its 5xx say that trying again will not help."""
    code, said = _said(error)
    if code is None:
        why = error.strerror if isinstance(error, OSError) else None
        words = f"the mail server was not reached or broke off: {why or error}"
        return Answer(ok=False, words=line(words, 200))
    # A wrong password is mended on our side, so what waits is tried again.
    mended = isinstance(error, smtplib.SMTPAuthenticationError)
    permanent = 500 <= code < 600 and not mended
    return Answer(ok=False, words=line(f"{code} {said}", 250), permanent=permanent)


def _said(error: Exception) -> tuple[int | None, str]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return code, _text(said)
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code, _text(error.smtp_error)
    return None, ""


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def _cut(connection: smtplib.SMTP) -> None:
    held = connection.sock
    if held is not None:
        try:
            held.shutdown(socket.SHUT_RDWR)
        except OSError:
            held.close()


def _bye(connection: smtplib.SMTP) -> None:
    """The mail is taken or refused by now; how the farewell goes changes nothing."""
    try:
        connection.quit()
    except (smtplib.SMTPException, OSError):
        connection.close()


def _whole(text: str) -> str:
    """Text that any mail can carry: without NUL and halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
