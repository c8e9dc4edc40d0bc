"""What belongs to the care of heaters, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from services.bulk import Bulk
from services.diagnostic_codes import DiagnosticCodes
from services.ledger import Ledger
from services.maintenance import Maintenance
from services.plans import Plans


@dataclass(frozen=True)
class Care:
    """Ledger, plans, maintenance, codes and commands to many heaters."""

    ledger: Ledger
    maintenance: Maintenance
    codes: DiagnosticCodes
    plans: Plans
    bulk: Bulk
