"""Uses of rights at the devices of a journey, as a terminal makes them, with what it knows of a card that was pulled
away; and each kept with the card as it was, so that the walker can try it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from jinka.app.sector_cards import VirtualCard
from jinka.app.sector_devices import access_at, block_list, maintenance_at
from jinka.app.sector_world import World
from jinka.card import Card, Nvm
from jinka.profile.entitlement import Entitlement
from jinka.profile.records import RecordSpec
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import BlockList
from jinka.terminal.entitlement import Admission, TornUse, UseTorn, admit
from jinka.terminal.link import ApduLink, CardRemoved
from jinka.terminal.maintenance import MacProvider
from jinka.terminal.records import FileAccess

UPDATE_RECORD = 0xDC


class Pulled:
    """A card in a reader that is pulled away at its ``place``-th command from 0, or the ``place``-th ``only`` of that
    instruction; ``seen`` says that the card still carried it out, and its answer alone was lost.
    """

    def __init__(self, card: ApduLink, place: int, *, seen: bool, only: int | None = None) -> None:
        self._card, self._left, self._seen, self._only = card, place, seen, only
        self.was_pulled = False

    def transmit(self, command: bytes) -> bytes:
        if self._only not in (None, command[1]):
            return self._card.transmit(command)
        self._left -= 1
        if self._left >= 0:
            return self._card.transmit(command)
        self.was_pulled = True
        if self._seen:
            self._card.transmit(command)
        raise CardRemoved("pulled away", where="reader", fix="present the card again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A use that wrote: all that it takes to try it again on a copy of the card."""

    right: Entitlement
    memory: bytes = field(repr=False)
    aid: bytes
    records: tuple[RecordSpec, ...]
    at: dt.datetime
    facts: Mapping[str, str]
    macs: MacProvider
    pin: bytes = field(repr=False)
    block_list: BlockList
    access: FileAccess | None = None

    def card(self) -> Card:
        """The card as it came."""
        return Card(Nvm(self.memory), SeededRandomness("tried again"))

    def admit(self, link: ApduLink, torn: TornUse | None = None) -> Admission:
        """As the device did it."""
        return admit(
            link, self.right, aid=self.aid, records=self.records, at=self.at, facts=self.facts, macs=self.macs,
            pin=self.pin, torn=torn, block_list=self.block_list, access=self.access,
        )  # fmt: skip


def uses(world: World) -> list[Use]:
    """The uses of the journey so far."""
    return world.service("uses", list[Use])


def use_right(
    world: World,
    card: VirtualCard,
    device: str,
    right: Entitlement,
    facts: Mapping[str, str],
    *,
    pin: bytes = b"",
    torn: bool = False,
) -> Admission:
    """Admit a card at a device, which remembers a use that was torn; with ``torn`` this one is: the card is pulled
    away when it has written all and before the device hears of it, and `UseTorn` is raised.
    """
    remembered: dict[tuple[str, bytes], TornUse] = world.service("torn uses", dict)
    place = (device, card.number)
    use = Use(
        right=right, memory=bytes(card.link.card.nvm.memory), aid=world.profile(right.application).aid,
        records=world.record_specs(right.application), at=world.now, facts=dict(facts),
        macs=maintenance_at(world, device, right.application), pin=pin, block_list=block_list(world),
        access=access_at(world, device, right.application),
    )  # fmt: skip
    known = remembered.pop(place, None)
    last = Pulled(card.link, len(right.changes) - 1, seen=True, only=UPDATE_RECORD)
    try:
        found = use.admit(last if torn else card.link, known)
        if found.written and known is None:
            uses(world).append(use)
        return found
    except UseTorn as error:
        remembered[place] = error.use
        if known is None:
            uses(world).append(use)
        raise
