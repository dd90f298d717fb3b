"""Plays purchases with a bank card's chip: a contactless reader, the card, and behind it the switch and the host.

qPBOC (JR/T 0025.12): offline the card pays from its electronic cash and the bank proves its certificate before the
merchant is paid from the pool; online the request's cryptogram goes in field 55 to the issuer's host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinka.app.sector_bank import ACQUIRER, Payment, Town, town
from jinka.app.sector_emv import SEQUENCE, ca_key, pan_of
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_world import StepFailed, World
from jinka.codec import Command, tlv
from jinka.codec.emv_tags import Tag
from jinka.codec.iso8583 import Message, Value
from jinka.declaration import Counted, Step
from jinka.declaration.steps_bank import CashHolds, PayByChip
from jinka.issuer import AuthorisationRequest, Entry, Kind, Trace
from jinka.kit import Usage, format_minor
from jinka.reports.day import Text
from jinka.terminal import AidData, EmvDevice, EmvOutcome, EmvStatus, QpbocTerminal, Sale
from jinka.terminal.emv import field_55
from jinka.terminal.link import ask_exactly
from jinka.terminal.reading import select

_GIVES = {EmvStatus.APPROVED_OFFLINE: "offline", EmvStatus.APPROVED_ONLINE: "online"}
_CONTACTLESS, _PURCHASE = "072", "000000"


class _Line:
    """The way from the reader over the switch to the issuer's host."""

    def __init__(self, found: Town, account: str, amount: int, pin: str) -> None:
        self._found, self._account, self._amount, self._pin = found, account, amount, pin
        self.request: Message | None = None

    def authorise(self, request: bytes) -> bytes | None:
        pan = self._found.number(self._account)
        pin: dict[str, Value] = {"f52": self._found.pin_block(self._pin, pan)} if self._pin else {}
        self.request = self._found.request(
            self._account,
            self._amount,
            f3=_PURCHASE,
            f22=_CONTACTLESS,
            f23=f"{SEQUENCE:03d}",
            f55=request,
            **pin,
        )
        answer = self._found.ask(self.request)
        if answer is None:
            return None
        return tlv(Tag.ARC, answer.text(39).encode()) + bytes.fromhex(answer.text(55))


def play_pay_by_chip(step: PayByChip, world: World) -> Text:
    card, found = world.card(step.card), town(world)
    device = world.device(step.device)[1]
    profile = world.profile(step.application or world.application_of(step.device))
    if not device.operator:
        raise Usage("the reader has no merchant", where=step.device, fix="name an account as its operator")
    account = found.account_of(pan_of(card.number))
    reader = QpbocTerminal(
        EmvDevice(
            aids=(AidData(aid=profile.aid, contactless_floor_fen=step.floor, contactless_cvm_fen=step.floor),),
            ca_keys=(ca_key(profile.aid[:5]),), online=step.online,
        ),
        world.randomness,
    )  # fmt: skip
    line = _Line(found, account, step.amount, step.pin)
    pins = [step.pin] if step.pin else []
    sale = Sale(amount_fen=step.amount, at=world.now, pin=lambda: pins.pop() if pins else None)
    outcome = reader.tap(card.link, sale, line)
    shown = format_minor(step.amount)
    head = Text(f"{card.title.en} pays {shown} at {device.title_en}",
                f"{card.title.zh}在{device.title_zh}付{shown}")  # fmt: skip
    if outcome.status not in _GIVES:
        expect_refused(step.refused, outcome.status.name, f"{outcome.status.value} {outcome.step}")
        world.count(Counted.REFUSED, device=step.device, reason=outcome.status.name)
        return Text(f"{head.en}: {outcome.status.value}", f"{head.zh}：拒绝（{outcome.status.name}）")
    expect_done(step.refused)
    if _GIVES[outcome.status] != step.gives:
        raise StepFailed(f"it was paid {_GIVES[outcome.status]}, not {step.gives}", where=step.device)
    if line.request is not None:
        found.settle(Payment(line.request, device.operator, step.amount))
        said = Text("online, the host proved the cryptogram", "联机批准，主机验证应用密文")
    else:
        _prove(found, outcome, step.amount)
        world.move(step.pool, device.operator, step.amount)
        said = Text(
            "offline from the electronic cash, its certificate proven", "电子现金脱机支付，交易证书已验证"
        )
    world.count(Counted.MOVED, step.amount, account=device.operator)
    return Text(f"{head.en}: {said.en}", f"{head.zh}：{said.zh}")


def _prove(found: Town, outcome: EmvOutcome, amount: int) -> None:
    """The bank proves the certificate of an offline purchase with the key of the card; `Declined` when it is wrong."""
    data = field_55(dict(outcome.data))
    pan = outcome.data[Tag.TRACK2].hex().partition("d")[0]
    request = AuthorisationRequest(
        kind=Kind.PURCHASE, pan=pan, amount_fen=amount, at_micros=found.now_micros(), entry=Entry.CONTACTLESS,
        trace=Trace(acquirer=ACQUIRER, terminal="80000001", stan="000000", date4="0101"), merchant="M1",
        field55=data,
    )  # fmt: skip
    found.checks.prove(request, found.books.cards([pan])[pan])


def play_cash_holds(step: CashHolds, world: World) -> Text:
    card = world.card(step.card)
    profile = world.profile(step.application or next(iter(card.applications)))
    select(card.link, profile.aid)
    raw = ask_exactly(card.link, "get data", Command(0x80, 0xCA, 0x9F, 0x79, b"", 9).build(), 9)
    held = int(raw[3:].hex())
    if held != step.amount:
        raise StepFailed(f"the card holds {held}, not {step.amount}", where=step.card)
    shown = format_minor(held)
    return Text(f"{card.title.en} holds {shown} of electronic cash", f"{card.title.zh}电子现金余额{shown}")


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    PayByChip: play_pay_by_chip,
    CashHolds: play_cash_holds,
}
