"""The permission table grants what it says and nothing else."""

from __future__ import annotations

import re

import pytest

from services.access import PERMISSIONS, SYSTEM, Principal, Role, requires
from services.errors import Forbidden


@pytest.mark.parametrize("permission", list(PERMISSIONS))
@pytest.mark.parametrize("role", list(Role))
def test_each_role_holds_exactly_its_permissions(permission, role):
    """A role may do what asks for at most its own rank."""
    caller = Principal("somebody", role)
    if role >= PERMISSIONS[permission].least_role:
        assert requires(caller, permission) is None
    else:
        with pytest.raises(Forbidden, match=permission):
            requires(caller, permission)


@pytest.mark.parametrize("name", ["", "device", "device.*", "DEVICE.READ", "no.such"])
def test_unknown_permissions_are_granted_to_nobody(name):
    """Not even the system holds a permission that the table does not have."""
    with pytest.raises(Forbidden):
        requires(SYSTEM, name)


def test_permissions_are_named_noun_verb():
    """Every name has the form noun.verb and says what it means."""
    for name, row in PERMISSIONS.items():
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", name)
        assert row.meaning
