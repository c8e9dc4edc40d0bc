"""Log a model's predictions and labels to IoTSphere in one line.

``result = log(df, model="churn", version="3")``. Nothing here raises into the
caller but ``drift`` and ``performance``, which are for notebooks.
"""

from __future__ import annotations

from typing import Any

from .client import Client
from .guard import never_raises
from .result import IoTSphereError, Result

__all__ = [
    "Client",
    "IoTSphereError",
    "Result",
    "connect",
    "drift",
    "flush",
    "log",
    "log_labels",
    "performance",
]
_default: list[Client] = []


def connect(
    url: str | None = None,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    **more: Any,
) -> Client:
    """Set and return the client that ``log`` and the others use.

    What is not given comes from the environment; see :class:`Client`, which also
    tells what else can be given.
    """
    client = Client(url, username, password, token, **more)
    _default[:] = [client]
    return client


@never_raises
def log(
    data: Any, model: str, version: str | int | None = None, **roles: Any
) -> Result:
    """Log predictions; :meth:`Client.log` tells what can be given."""
    return _client().log(data, model, version, **roles)


@never_raises
def log_labels(data: Any, model: str, **roles: Any) -> Result:
    """Log labels by prediction id; :meth:`Client.log_labels` tells more."""
    return _client().log_labels(data, model, **roles)


@never_raises
def flush() -> Result:
    """Send what was kept while the server could not be reached."""
    return _client().flush()


def drift(model: str, feature: str | None = None, **query: Any) -> Any:
    """A model's drift scores as a DataFrame; see :meth:`Client.drift`."""
    return _client().drift(model, feature, **query)


def performance(model: str, **query: Any) -> Any:
    """A model's performance as a DataFrame; see :meth:`Client.performance`."""
    return _client().performance(model, **query)


def _client() -> Client:
    return _default[0] if _default else connect()
