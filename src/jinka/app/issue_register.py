"""An order of `jinka issue` at the register: asked for before numbers are reserved, entered before a card is made.

Entering comes after the reservation, so that an order which is killed between them goes on with its numbers.
Each slice asks again: what was suspended or called back meanwhile stops an order between two slices.
"""

from __future__ import annotations

from pathlib import Path

from jinka.app.card_files import TEST_REGION
from jinka.app.issue_cards import is_bank, is_purse
from jinka.app.issue_gate import IssueGate, Making, gate_of
from jinka.issuer.bureau import Reservation
from jinka.profile import ApplicationProfile
from jinka.registry import Item, Order
from jinka.sim.parties import ISSUER


class OrderAtRegister:
    """One order of cards; where no register is demanded, its steps do nothing."""

    def __init__(
        self, folder: Path, profile: ApplicationProfile, making: Making, numbers: Reservation, count: int
    ) -> None:
        self._gate: IssueGate | None = gate_of(folder)
        self._order: Order | None = None
        self._entry = 0
        if self._gate is not None:
            self._order = making.order(
                Item.BANK_CARD if is_bank(profile) else Item.CARD,
                name=f"{ISSUER}/{numbers.order}",
                issuer=ISSUER,
                first=numbers.number(0),
                last=numbers.number(count - 1),
                use=profile.name,
                region=TEST_REGION,
                purse="yes" if is_purse(profile) or is_bank(profile) else "no",
            )

    def check(self) -> None:
        """Raise `MissingGrants` for an order that may not be issued; nothing is kept."""
        if self._gate is not None and self._order is not None:
            self._gate.check(self._order)

    def enter(self) -> None:
        """Enter the order, once for good."""
        if self._gate is not None and self._order is not None:
            self._entry = self._gate.enter(self._order).number

    def require(self) -> None:
        """Raise `Refused` when the order may not go on."""
        if self._gate is not None:
            self._gate.require(self._entry)
