"""The System tab's body: empty, normal, odd and hostile views."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from dashboards.admin.system import IDS, body, skeleton
from data.talk_records import RejectedMessage
from services.system import PartView, SystemView
from services.units import Preferences

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
EMPTY = SystemView(NOW, (), 0, 0.0, 0, 0, (), {"python": "3.11.7"})


def drawn(view: SystemView) -> str:
    """The body as text."""
    drawn = body(view, Preferences())
    shown = [json.dumps(part.to_plotly_json(), default=_plain) for part in drawn]
    return " ".join(shown).replace("\\u2009", " ")


def _plain(part):
    return part.to_plotly_json()


def test_an_empty_installation_says_what_to_do() -> None:
    """Nothing waits, nothing was refused, and the worker is to be started."""
    text = drawn(EMPTY)

    assert "nothing waits" in text
    assert "cli.py worker" in text
    assert "No message was refused" in text
    assert "3.11.7" in text


def test_a_silent_part_is_told_apart() -> None:
    """After a minute without a word the chip says so."""
    parts = (PartView("mqtt", NOW, 61.0, {}), PartView("flusher", NOW, 3.0, {}))
    text = drawn(replace(EMPTY, parts=parts))

    assert "Silent: spoke 1 min 1 s ago" in text
    assert "Spoke 3 s ago" in text


def test_facts_are_read_as_words() -> None:
    """Numbers, yes and no, nothing, and what is nested."""
    facts = {"received": 12345, "connected": False, "problem": "", "unknown": {"x": 2}}
    text = drawn(replace(EMPTY, parts=(PartView("mqtt", NOW, 1.0, facts),)))

    for words in ("Received", "Connected", '"no"', "x: 2"):
        assert words in text


def test_the_unit_of_a_fact_stands_by_its_value() -> None:
    """A time is said as a duration and memory in MB, not in the name of the fact."""
    facts = {"running_s": 90, "peak_memory_mb": 507}
    text = drawn(replace(EMPTY, parts=(PartView("worker", NOW, 1.0, facts),)))

    for words in ("The worker", '"Running"', "1 min 30 s", '"Peak memory"', "507 MB"):
        assert words in text


def test_refused_messages_are_shown_as_plain_text() -> None:
    """Bytes that are no text, control characters and markup do no harm."""
    refused = (
        RejectedMessage(
            NOW, "iot/v1/a/<b>", "not JSON", b"\xff\x00\x1b[31m<script>", 9
        ),
        RejectedMessage(NOW, "t", "too large", b"x" * 1_000, 1_000_000),
    )
    text = drawn(replace(EMPTY, rejects=refused))

    assert "<script>" in text
    assert "\\u001b" not in text
    assert "\\u0000" not in text
    assert "x" * 80 in text
    assert "x" * 81 not in text


def test_the_body_can_be_replaced() -> None:
    """The skeleton holds the place that the callback fills."""
    assert IDS.body in json.dumps(skeleton(), default=_plain)
