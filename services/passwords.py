"""Passwords: which are accepted, how they are kept, how they are compared."""

from __future__ import annotations

import re
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from services.errors import InvalidInput

SHORTEST, LONGEST = 12, 128
SHORTEST_DEMO = 8
LEAST_OWN = 6
"""Letters and digits that must remain without common words and sequences."""

_COMMON = """
password passwort passwd passw0rd pass contrasena motdepasse senha parola letmein
welcome willkommen bienvenue changeme changeit default secret geheim login signin
access enter open sesame test testing guest user username admin administrator root
superuser master system server manager operator viewer qwerty qwertz azerty asdf
zxcv qazwsx qweasd iloveyou love lovely princess prince sunshine shadow monkey
dragon football baseball basketball soccer hockey superman batman starwars pokemon
minecraft michael jessica jennifer jordan charlie daniel thomas george ashley amanda
whatever trustno freedom flower summer winter spring autumn hello computer internet
google facebook samsung apple microsoft january february march april may june july
august september october november december monday tuesday wednesday thursday friday
saturday sunday abc123 a1b2c3 1q2w3e 1qaz2wsx q1w2e3 123qwe qwe123
"""
COMMON = tuple(_COMMON.split())
"""Words that people build passwords from; also found when digits stand for letters."""

CONTEXT = ("iotsphere", "iot", "sphere", "heater", "water", "waterheater", "monitoring")
"""Words anybody would try here first."""

SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
)
_LEET = str.maketrans("013457@$!", "oieastasi")
_NOT_OWN = re.compile(r"[\W_]+")


class Passwords:
    """Argon2id hashes.

    Args:
        memory_kib: memory of one hash; 64 MiB as RFC 9106 recommends for
            machines with little memory.
        time_cost: passes over that memory.
        at_once: hashes computed at the same time in this process, so that a
            flood of sign-ins cannot take all memory.
    """

    def __init__(
        self, memory_kib: int = 65_536, time_cost: int = 3, at_once: int = 2
    ) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib)
        self._slots = BoundedSemaphore(at_once)
        self._nobody = self.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The text to keep for a password.

        Raises:
            InvalidInput: the text cannot be written as UTF-8.
        """
        try:
            encoded = password.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput("The password holds a broken character.") from error
        with self._slots:
            return self._hasher.hash(encoded)

    def matches(self, kept: str | None, password: str) -> bool:
        """Whether ``password`` is right; without a user it takes the same time."""
        offered = password.encode(errors="surrogatepass")[: 4 * LONGEST + 1]
        with self._slots:
            try:
                self._hasher.verify(kept or self._nobody, offered)
            except (Argon2Error, InvalidHashError):
                return False
        return kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether a hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(kept)


def check_new(password: str, username: str) -> None:
    """Refuse a new password that is too short, too long or easily guessed.

    Raises:
        InvalidInput: with the reason, for the person who chose it.
    """
    if len(password) < SHORTEST:
        raise InvalidInput(f"The password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise InvalidInput(f"The password may have at most {LONGEST} characters.")
    if _own_characters(password, username) < LEAST_OWN:
        raise InvalidInput(
            "This password is easily guessed: it is made of common words, names of "
            "this system or sequences. Add words of your own."
        )


def check_demo(password: str) -> None:
    """Refuse a demo password that is too short or too long; any words will do."""
    if not SHORTEST_DEMO <= len(password) <= LONGEST:
        raise InvalidInput(
            f"The demo password needs {SHORTEST_DEMO} to {LONGEST} characters."
        )


def _own_characters(password: str, username: str) -> int:
    """How many different letters and digits are left when the obvious is removed."""
    text = _NOT_OWN.sub(" ", password.lower())
    leet = _NOT_OWN.sub(" ", password.lower().translate(_LEET))
    return min(_left(text, username), _left(leet, username))


def _left(text: str, username: str) -> int:
    words = {*COMMON, *CONTEXT, username.lower()}
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, " ")
    for run in SEQUENCES:
        text = _without_runs(_without_runs(text, run), run[::-1])
    return len(set(text) - {" "})


def _without_runs(text: str, run: str) -> str:
    """``text`` without its pieces of three or more neighbours in ``run``."""
    for length in range(len(run), 2, -1):
        for start in range(len(run) - length + 1):
            text = text.replace(run[start : start + length], " ")
    return text
