"""A real chip, a terminal and the issuer's host: what one approves the others do.

Keys of the card are in the key service under names; the terminal's field 55 goes into a request and the host's answer
back to the card, which checks it itself.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.codec import Algorithm, tlv
from jinka.codec.emv_tags import Tag
from jinka.issuer import CardAct, CardKeyNames, Decision, Entry, HolderAccount, IssuedCard, Reason
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.provider import KeyKind
from jinka.terminal import EmvOutcome, EmvStatus
from tests.card.emv_rig import MASTER, PAN, data, issued
from tests.issuer.host_rig import PIN_KEY, VALUE_KEY, Bank
from tests.terminal.emv_rig import Tap, sale, terminal

pytestmark = pytest.mark.usefixtures("books_engine")
USES = {"cryptogram": "cryptogram", "script_mac": "script_mac", "script_data": "script_cipher"}


class Chip:
    """The bank with one chip card, and the terminal's way to it."""

    def __init__(self, algorithm: Algorithm = Algorithm.TDES) -> None:
        self.bank = Bank()
        keys = self.bank.keys.holding
        names = {}
        for use, master in USES.items():
            name = KeyName.parse(f"{use}/{algorithm.name}/9")
            key = keys.provider.load(KeyKind(algorithm.name), MASTER[master])
            keys.working.keys.add(KeyRecord(name=name, check=""), key)
            names[use] = {algorithm: str(name)}
        self.bank.names = CardKeyNames(pin=PIN_KEY, card_value=VALUE_KEY, **names)
        self.bank.start()
        self.bank.host.open_account(HolderAccount(number="C"))
        made = IssuedCard(pan=PAN, account="C", expiry4="2812", sequence="01").act(CardAct.ACTIVATE)
        self.bank.host.add_card(made)
        self.bank.fund("C", 100_000)
        self.card, self.seed, self.fen = issued(algorithm=algorithm), 0, 0
        self.change: dict[str, object] = {}
        self.decision: Decision | None = None
        self.field55 = b""

    def authorise(self, field55: bytes) -> bytes:
        self.field55 = field55
        request = replace(
            self.bank.ask(fen=self.fen, pan=PAN, entry=Entry.CHIP, field55=field55), **self.change
        )
        self.decision = self.bank.host.decide(request)
        return tlv(Tag.ARC, self.decision.code.encode()) + self.decision.chip

    def buy(self, fen: int = 60_000, **change: object) -> tuple[EmvOutcome, Decision]:
        self.seed += 1
        self.fen, self.change = fen, change
        found = terminal(str(self.seed)).purchase(Tap(self.card), sale(fen), self)
        assert self.decision is not None
        return found, self.decision

    @property
    def known(self) -> IssuedCard:
        return self.bank.books.cards([PAN])[PAN]


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_an_approval_is_one_of_all_three(algorithm: Algorithm) -> None:
    chip = Chip(algorithm)
    found, decision = chip.buy()
    assert (found.status, decision.reason) == (EmvStatus.APPROVED_ONLINE, Reason.APPROVED)
    assert chip.bank.available("C") == 40_000
    found, decision = chip.buy()
    assert (found.status, decision.reason) == (EmvStatus.DECLINED_ONLINE, Reason.FUNDS)
    assert data(chip.card, Tag.LAST_ONLINE) != b"\x00\x00", "the card knows that its issuer answered"
    assert chip.bank.available("C") == 40_000


def test_a_forged_cryptogram_buys_nothing() -> None:
    chip = Chip()
    chip.buy()
    at = chip.field55.index(b"\x9f\x26") + 3
    forged = chip.field55[:at] + bytes((chip.field55[at] ^ 1,)) + chip.field55[at + 1 :]
    for field55, fen, reason in (
        (forged, 60_000, Reason.CRYPTOGRAM),
        (chip.field55, 60_000, Reason.REPLAYED),
        (chip.field55, 50_000, Reason.FORMAT),  # the message says another amount than the chip
        (chip.field55[:-1], 60_000, Reason.FORMAT),
        (b"", 60_000, Reason.FORMAT),
    ):
        request = chip.bank.ask(fen=fen, pan=PAN, entry=Entry.CHIP, field55=field55)
        assert chip.bank.host.decide(request).reason is reason
    assert chip.bank.available("C") == 40_000


def test_the_answer_to_a_repeat_is_the_first_with_its_cryptogram() -> None:
    chip = Chip()
    _, first = chip.buy()
    request = chip.bank.ask(fen=60_000, pan=PAN, entry=Entry.CHIP, field55=chip.field55)
    chip.bank.stan -= 2
    again = chip.bank.host.decide(
        replace(chip.bank.ask(fen=60_000, pan=PAN, entry=Entry.CHIP), field55=chip.field55)
    )
    assert request.id != again.id
    assert (again.code, again.chip, again.repeated) == ("00", first.chip, True)


def test_a_stolen_card_is_blocked_by_the_answer() -> None:
    chip = Chip()
    chip.bank.host.add_card(chip.known.act(CardAct.REPORT_STOLEN))
    found, decision = chip.buy()
    assert decision.reason is Reason.STOLEN
    assert found.status is EmvStatus.DECLINED_ONLINE
    assert found.failed_scripts == 0
    again = terminal("again").purchase(Tap(chip.card), sale(1_000), chip)
    assert again.status in (EmvStatus.REFUSED, EmvStatus.REMOVED)


def test_the_counter_is_kept_over_a_restart() -> None:
    chip = Chip()
    chip.buy()
    seen = chip.known.counter
    assert seen > 0
    chip.bank.start()
    request = chip.bank.ask(fen=60_000, pan=PAN, entry=Entry.CHIP, field55=chip.field55)
    assert chip.bank.host.decide(request).reason is Reason.REPLAYED
    assert chip.known.counter == seen
