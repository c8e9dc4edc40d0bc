"""The errors a service raises; every door turns them into its own form."""

from __future__ import annotations


class ServiceError(Exception):
    """An error whose message is meant for the person who asked."""


class InvalidInput(ServiceError):
    """The request cannot be understood: the message names what and where."""


class Unauthorized(ServiceError):
    """Nobody is signed in, or the credentials are not right."""


class Forbidden(ServiceError):
    """The caller is known but the permission table does not grant this."""


class NotFound(ServiceError):
    """The thing named does not exist."""


class Conflict(ServiceError):
    """The thing exists already, or has changed since it was read."""


class NeedsConfirmation(ServiceError):
    """The wish is dangerous: it is done when it is asked again with a confirmation."""


class TooLarge(ServiceError):
    """The request passes a limit: the message names the limit."""


class TooMany(ServiceError):
    """Too many attempts: the message says when to try again."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Busy(ServiceError):
    """A store did not answer in time; trying again later may work."""
