"""No failure reaches the caller: it becomes a result, and a warning in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

from .result import IoTSphereError, Result, Tally

LOG = logging.getLogger("iotsphere_client")
_SPEAKING = (IoTSphereError, ValueError, TypeError, ImportError)

Asked = ParamSpec("Asked")


def never_raises(call: Callable[Asked, Result]) -> Callable[Asked, Result]:
    """Make every failure of a call a result that is not ok, and warn in the log."""

    @wraps(call)
    def guarded(*args: Asked.args, **kwargs: Asked.kwargs) -> Result:
        try:
            return call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  (the caller's predictions go on)
            result = Result(ok=False, error=said(error))
            LOG.warning("%s: %s", call.__name__, result.error)
            return result

    return guarded


@contextmanager
def told(tally: Tally) -> Iterator[None]:
    """Make a failure an error of the tally, which keeps what was counted before."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (as above)
        tally.errors.append(said(error))


def finish(tally: Tally, what: str) -> Result:
    """The result of a tally; whoever reads logs learns what is not as it should be."""
    result = tally.result()
    odd = result.unknown_columns or result.missing_columns or result.changed_types
    if not result.ok or result.spooled or odd:
        LOG.warning("%s: %s", what, result)
    return result


def said(error: Exception) -> str:
    """What an error says, with its type where that is part of the meaning."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  (an error of the caller's own classes)
        text = ""
    if text and isinstance(error, _SPEAKING):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
