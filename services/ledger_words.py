"""What the ledger of Legionella and scald says, on the screen and in reports."""

from __future__ import annotations

from services.ledger_verdict import Reason
from services.units import Preferences, convert, unit
from services.wording import NO_BREAK, number, share


def degrees(value_c: float, prefs: Preferences) -> str:
    """A round temperature in the reader's unit: ``60 °C``."""
    shown = number(convert(value_c, "temperature", prefs), 0)
    return f"{shown}{NO_BREAK}{unit('temperature', prefs)}"


def band_words(prefs: Preferences) -> str:
    """Where Legionella grow: ``25 to 45 °C``."""
    low = number(convert(25.0, "temperature", prefs), 0)
    return f"{low} to {degrees(45.0, prefs)}"


def reason_words(reason: Reason, prefs: Preferences) -> str:
    """A finding as a sentence in the reader's units."""
    hours, days = f"{reason.amount:.0f} h", f"{reason.amount:.0f} days"
    part, hot = share(reason.amount), degrees(60.0, prefs)
    words = {
        "growth": f"{hours} of the last 7 days lay in {band_words(prefs)}, where "
        "Legionella grow.",
        "cool": f"{hours} of the last 7 days lay below {degrees(50.0, prefs)}, "
        f"without a whole hour at {hot} or more.",
        "still": f"No water was drawn for {days}: it stands.",
        "scald": f"{part} of the last 7 days lay at {hot} or more, and no mixing "
        "valve is recorded: such water scalds within seconds.",
        "few": f"Only {part} of the last 7 days have a trusted tank temperature.",
        "no_tank": "It stores no water: this ledger is about tanks.",
    }
    return words[reason.code]
