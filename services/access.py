"""Who may do what: the role table and the one function that checks it.

The table is code; ``docs/permissions.md`` is generated from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from services.errors import Forbidden


class Role(IntEnum):
    """Viewer ⊂ Operator ⊂ Admin; SYSTEM is a worker or the command line."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3
    SYSTEM = 4

    @property
    def label(self) -> str:
        """The role's name as people read it."""
        return self.name.capitalize()


@dataclass(frozen=True)
class Permission:
    """One row of the permission table."""

    least_role: Role
    meaning: str


PERMISSIONS: Mapping[str, Permission] = MappingProxyType(
    {
        "session.use": Permission(Role.VIEWER, "Move between pages, sign out"),
        "preferences.write": Permission(
            Role.VIEWER, "Choose one's own units, time zone and theme"
        ),
        "fleet.read": Permission(Role.VIEWER, "See the fleet and its counts"),
        "device.read": Permission(
            Role.VIEWER, "See a water heater: details, operations and history"
        ),
        "telemetry.export": Permission(Role.VIEWER, "Export the rows drawn"),
        "device.control": Permission(
            Role.OPERATOR, "Set target temperature, mode and away-until"
        ),
        "device.care": Permission(
            Role.OPERATOR, "Edit weekly plans and write the maintenance log"
        ),
        "model.read": Permission(
            Role.VIEWER, "See monitored models: health, performance and drift"
        ),
        "model.write": Permission(
            Role.OPERATOR, "Edit thresholds, archive and restore models"
        ),
        "model.admin": Permission(
            Role.ADMIN, "Register models and set their references"
        ),
        "inference.write": Permission(
            Role.ADMIN, "Send predictions and labels of any model"
        ),
        "alert.read": Permission(
            Role.VIEWER, "See alerts, their history and the rules that raise them"
        ),
        "alert.write": Permission(
            Role.OPERATOR, "Acknowledge, assign, shelve, comment and resolve alerts"
        ),
        "rule.write": Permission(Role.ADMIN, "Create, change and remove alert rules"),
        "route.admin": Permission(
            Role.ADMIN, "Say to whom alerts are told, and see what was sent"
        ),
        "report.run": Permission(
            Role.VIEWER, "Make reports, and read those one may see"
        ),
        "report.schedule": Permission(
            Role.OPERATOR, "Let reports be made and mailed by themselves"
        ),
        "device.admin": Permission(
            Role.ADMIN, "Register, edit, deactivate and remove devices"
        ),
        "telemetry.write": Permission(Role.ADMIN, "Send readings for any device"),
        "user.admin": Permission(Role.ADMIN, "Create, change and disable users"),
        "audit.read": Permission(Role.ADMIN, "Read the audit log"),
        "system.read": Permission(
            Role.ADMIN, "See how worker and stores are, and messages refused"
        ),
    }
)

DEVICE_PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        "device.self": (
            "Send its own readings and messages, and fetch what is wished of it"
        ),
    }
)
"""What a device's secret grants: all of it, and nothing that a role grants."""


@dataclass(frozen=True)
class Principal:
    """The caller of a service: a person, the system, or a device by its secret.

    With a ``device_id`` it is a device: its role then grants nothing.
    """

    username: str
    role: Role
    user_id: int | None = None
    session_id: str | None = None
    device_id: str | None = None

    def may(self, permission: str) -> bool:
        """Whether the permission table grants this; unknown names never are."""
        if self.device_id is not None:
            return permission in DEVICE_PERMISSIONS
        row = PERMISSIONS.get(permission)
        return row is not None and self.role >= row.least_role


SYSTEM = Principal(username="system", role=Role.SYSTEM)


def requires(caller: Principal, permission: str) -> None:
    """Raise ``Forbidden`` unless ``caller`` holds ``permission``."""
    if caller.may(permission):
        return
    if permission in DEVICE_PERMISSIONS:
        raise Forbidden(f"This needs a device's own secret ({permission}).")
    row = PERMISSIONS.get(permission)
    least = row.least_role.label if row else "nobody"
    who = caller.role.label if caller.device_id is None else "a device"
    raise Forbidden(
        f"This needs the role {least} ({permission}); {caller.username} is {who}."
    )
