"""The daily proof of the float: the cards' shadows on one side, the ledger on the other, and what explains the rest.

For each issuer: what cards show + in transit + in suspense + unexplained = purse liability on the ledger; and the
money in custody = that liability + what is unclaimed, deposited, payable to holders and earned. Names every card whose
part is not explained. Computes nothing from records (`float_shadow`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinka.kit import Finding, Severity
from jinka.settlement.chart import AccountName
from jinka.settlement.float_rules import masked


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerFloat:
    """One issuer's figures in fen. ``paid`` is the sum of the shadows; the last six are the ledger's."""

    issuer: str
    cards: int
    shown: int
    transit: int
    suspense: int
    unexplained: int
    paid: int
    liability: int
    unclaimed: int
    deposits: int
    payable: int
    interest: int
    funds: int

    @property
    def owed(self) -> int:
        """All that the money in custody stands behind."""
        return self.liability + self.unclaimed + self.deposits + self.payable + self.interest


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatStatement:
    """A day's proof."""

    issuers: tuple[IssuerFloat, ...]
    findings: tuple[Finding, ...]
    days: tuple[str, ...]
    open_fen: int  # written off to others and not settled with them yet, credits positive

    @property
    def holds(self) -> bool:
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        names = ("issuer", "cards", "shown", "transit", "suspense", "unexplained", "liability", "unclaimed",
                 "deposits", "payable", "interest", "funds")  # fmt: skip
        return {
            "holds": self.holds,
            "days": list(self.days),
            "issuers": [
                {name if name in ("issuer", "cards") else f"{name}_fen": getattr(row, name) for name in names}
                for row in self.issuers
            ],
            "open_fen": self.open_fen,
            "findings": [finding.as_dict() for finding in self.findings],
        }


def state_float(
    issuers: Sequence[IssuerFloat],
    *,
    strange: Sequence[tuple[bytes, int, int]],
    findings: Sequence[Finding],
    open_lines: Mapping[AccountName, int],
    deposits: int,
    days: Sequence[str],
) -> FloatStatement:
    """Hold the shadows against the ledger.

    ``strange`` has (card, unexplained, what is left of it); ``deposits`` are those that the deeds tell of.
    """
    found = list(findings)
    open_fen = sum(open_lines.values())
    for row in issuers:
        if row.paid != row.liability:
            found.append(
                _error("FLOAT_DIFFERS", row.issuer, f"the ledger owes {row.liability} fen, the shadows are {row.paid}",
                       "take every day that is posted, and look for postings by hand")
            )  # fmt: skip
    funds, owed = (sum(values) for values in zip(*((row.funds, row.owed) for row in issuers), strict=True))
    if funds != owed + open_fen:
        found.append(
            _error("FUNDS_DIFFER", "customer funds", f"{funds} fen stand behind {owed + open_fen}",
                   "look for what was posted and not settled")
        )  # fmt: skip
    if sum(row.deposits for row in issuers) != deposits:
        found.append(
            _error(
                "DEPOSITS_DIFFER",
                "card deposits",
                f"the deeds say {deposits} fen",
                "compare the deeds with the ledger",
            )
        )
    for card, amount, left in strange:
        if amount:
            found.append(
                _error("UNEXPLAINED", f"card {masked(card)}", f"{amount} fen that no gap explains",
                       "put it onto the list and read the card")
            )  # fmt: skip
        if left < 0:
            found.append(
                _error("OVERDRAWN", f"card {masked(card)}", f"{-left} fen more were paid than it ever held",
                       "it was refunded or copied: put it onto the list")
            )  # fmt: skip
    return FloatStatement(issuers=tuple(issuers), findings=tuple(found), days=tuple(days), open_fen=open_fen)


def _error(code: str, where: str, what: str, fix: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, what=what, fix=fix)
