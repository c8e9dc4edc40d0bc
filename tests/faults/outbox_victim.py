"""The process that the outbox tests kill: it sends what waits, for ever.

With a step named it kills itself there: ``claimed`` before it sends, ``sent`` after
that and before it writes it down, ``written`` after both.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import workers.outbox
from bootstrap_notify import mail_server
from data.outbox_store import OutboxStore
from data.route_store import RouteStore
from data.session import open_engine
from services.mail import Mail
from services.notify_sender import Sender
from services.webhook_hosts import WebhookHosts
from services.webhooks import Webhooks
from settings import Settings
from workers.outbox import OutboxLoop

KEY = "k7!" + "Zq3xW9vB" * 5
LEASE = timedelta(seconds=1)


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def settings(home: Path, mail_port: int, hook_port: int) -> Settings:
    """Mail and webhooks lead to the test's own servers."""
    return Settings(
        home_dir=home,
        secret_key=KEY,
        smtp_host="127.0.0.1",
        smtp_port=mail_port,
        smtp_security="none",
        smtp_from="iotsphere@plant.example",
        webhook_hosts=f"private:127.0.0.1:{hook_port}",
    )


def die() -> None:
    """End as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def build(chosen: Settings, step: str) -> OutboxLoop:
    """The loop as the worker has it, with a short lease and a step to die at."""
    workers.outbox.LEASE = LEASE
    engine = open_engine(chosen.operational_url)
    outbox, routes = OutboxStore(engine), RouteStore(engine)
    hooks = Webhooks(WebhookHosts(chosen.webhook_hosts))
    sender = Sender(Mail(mail_server(chosen)), hooks, routes, KEY)
    send, done = sender.send, outbox.done

    def send_and_die(parcels):
        if step == "claimed":
            die()
        answer = send(parcels)
        if step == "sent":
            die()
        return answer

    def write_and_die(parcels, attempt):
        done(parcels, attempt)
        if step == "written":
            die()

    sender.send, outbox.done = send_and_die, write_and_die
    return OutboxLoop(outbox, sender, now)


def main() -> None:
    """Send until killed, or until nothing is left where that was asked for."""
    home, mail_port, hook_port, step = sys.argv[1:]
    loop = build(settings(Path(home), int(mail_port), int(hook_port)), step)
    print("ready", flush=True)
    while True:
        loop.step()
        time.sleep(0.005)


if __name__ == "__main__":
    main()
