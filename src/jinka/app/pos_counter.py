"""A shop's or a cash terminal's counter: cards are read by the kernels, the host is asked, the card has the last word.

EMV Book 4, 6.3.8 (what the card refuses is taken back), JR/T 0025.6 and .12; ISO 7813 for stripes; field 22 as
UnionPay's terminals write it. A chip that fails at the reader gives way to its stripe, where the table of
`jinka.terminal.stripe` allows it. Money is handed out between two entries of the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from jinka.codec import parse, tlv
from jinka.codec.emv_tags import Tag
from jinka.kit import NotFound, Randomness, Refused, Usage
from jinka.terminal import (
    ApduLink,
    CardFacts,
    Chip,
    EmvDevice,
    EmvOutcome,
    EmvStatus,
    EmvTerminal,
    QpbocTerminal,
    Reply,
    Sale,
    StripeVerdict,
    Swipe,
    Till,
    TillEntry,
    TillState,
    Track2,
    Tvr,
    Verb,
    parse_track2,
)
from jinka.terminal.emv import field_55
from jinka.terminal.stripe import decide

CONTACT, CONTACTLESS, STRIPE = "contact", "contactless", "stripe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """What the holder shows: a chip, a stripe, or both; ``pin`` is asked when the card wants one."""

    link: ApduLink | None = None
    contactless: bool = False
    track2: str = field(default="", repr=False)
    pin: Callable[[], str | None] = field(default=lambda: None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What a receipt says of one transaction. ``data`` are the chip's objects that it names."""

    verb: str
    status: str
    code: str
    amount_fen: int
    masked: str = ""
    entry_mode: str = ""
    batch: str = ""
    trace: str = ""
    reference: str = ""
    approval: str = ""
    at: str = ""
    why: str = ""
    balance_fen: int | None = None
    signature_wanted: bool = False
    original_trace: str = ""
    data: dict[str, str] = field(default_factory=dict)

    @property
    def approved(self) -> bool:
        return self.status == TillState.DONE.value


class Counter:
    """One terminal with its readers. ``dispense`` hands money out and says how much was taken, in fen."""

    def __init__(
        self,
        till: Till,
        device: EmvDevice,
        randomness: Randomness,
        *,
        fallback: bool = True,
        dispense: Callable[[TillEntry], int] | None = None,
    ) -> None:
        self.till, self._device, self._randomness = till, device, randomness
        self._fallback, self._dispense = fallback, dispense

    def serve(self, verb: Verb, amount_fen: int, tender: Tender, *, target: str = "") -> Slip:
        """A transaction with a card."""
        self.till.settle_debts()  # before a card is touched: a debt that stands lets nothing pass
        if tender.link is None:
            return self._swipe(verb, amount_fen, tender, Chip.NOT_TRIED, target)
        turn = _Turn(self, verb, amount_fen, tender, target)
        outcome = turn.run()
        failed = _failed(outcome)
        if failed is not None and turn.reply is None and tender.track2 and not tender.contactless:
            return self._swipe(verb, amount_fen, tender, failed, target)
        return turn.slip(outcome)

    def follow(self, verb: Verb, original: TillEntry, amount_fen: int | None = None) -> Slip:
        """Something about an earlier transaction of this terminal: a void, a completion, a refund."""
        fen = original.amount_fen if amount_fen is None else amount_fen
        card = CardFacts(
            pan=original.pan, expiry4=original.expiry4, sequence=original.sequence,
            entry_mode=original.entry_mode,
        )  # fmt: skip
        reply = self.till.ask(verb, fen, card, original=original)
        entry = self.till.complete(reply.entry) if reply.entry.state is TillState.APPROVED else reply.entry
        return slip_of(entry)

    def device_now(self) -> EmvDevice:
        return self._device

    def sale(self, verb: Verb, amount_fen: int, pin: Callable[[], str | None]) -> Sale:
        """What the kernels are told; whatever is no sale goes online."""
        at = self.till.now()
        return Sale(
            amount_fen=amount_fen, at=at, type=verb.chip_type, forced_online=verb.name != "sale", pin=pin
        )

    @property
    def randomness(self) -> Randomness:
        return self._randomness

    def finish(self, entry: TillEntry, *, good: bool) -> TillEntry:
        """The card's last word is known: complete or take back; money is handed out in between."""
        if not good:
            return self.till.refuse(entry)
        if entry.verb != "cash" or self._dispense is None:
            return self.till.complete(entry)
        entry = self.till.pay(entry)
        return self.paid_out(entry, self._dispense(entry))

    def paid_out(self, entry: TillEntry, paid_fen: int) -> TillEntry:
        """The dispenser's own count has the last word: what left is charged, the rest is taken back."""
        if 0 < paid_fen < entry.amount_fen:
            return self.till.keep(entry, paid_fen)
        return self.till.complete(entry) if paid_fen else self.till.refuse(entry)

    def _swipe(self, verb: Verb, amount_fen: int, tender: Tender, chip: Chip, target: str) -> Slip:
        if not tender.track2:
            raise NotFound("no card", where="counter", fix="a chip, or --track2")
        track = parse_track2(tender.track2)
        at = self.till.now()
        decision = decide(
            Swipe(
                track=track, today=at.date(), chip=chip, fallback_allowed=self._fallback,
                atm=self._device.atm, cash=verb.name == "cash",
            )
        )  # fmt: skip
        if decision.verdict is not StripeVerdict.ACCEPT:
            return _refused(verb, amount_fen, track, decision.reason)
        pin = tender.pin() if decision.pin_wanted or self._device.atm else None
        card = CardFacts(
            pan=track.pan, expiry4=track.expiry, track2=_as_track2(track),
            entry_mode="80" if decision.entry_mode == "80" else "02", chip_failed=chip is Chip.FAILED,
        )  # fmt: skip
        reply = self.till.ask(verb, amount_fen, card, pin=pin, target=target)
        entry = reply.entry
        if entry.state is TillState.APPROVED:
            entry = self.finish(entry, good=True)
        return replace(slip_of(entry), signature_wanted=pin is None and entry.state is TillState.DONE)


class _Turn:
    """One card at a kernel: stands between it and the till (`jinka.terminal.IssuerPort`)."""

    def __init__(self, counter: Counter, verb: Verb, amount_fen: int, tender: Tender, target: str) -> None:
        self._counter, self._verb, self._fen, self._tender, self._target = (
            counter, verb, amount_fen, tender, target,
        )  # fmt: skip
        self._pin: str | None = None
        self.reply: Reply | None = None

    def run(self) -> EmvOutcome:
        counter, link = self._counter, self._tender.link
        if link is None:
            raise Usage("no chip", where="counter")
        sale = counter.sale(self._verb, self._fen, self._entered)
        device, chance = counter.device_now(), counter.randomness
        if self._tender.contactless:
            return QpbocTerminal(device, chance).tap(link, sale, self)
        return EmvTerminal(device, chance).purchase(link, sale, self)

    def _entered(self) -> str | None:
        self._pin = self._tender.pin()
        return self._pin

    def authorise(self, request: bytes) -> bytes | None:
        """The kernel's question, by the host; what is owed or not carried out counts as no answer."""
        card = card_of(request, contactless=self._tender.contactless)
        objects = {tag: value for tag, value, _ in parse(request)}
        online = int.from_bytes(objects.get(Tag.TVR, b""), "big") & Tvr.ONLINE_PIN
        pin = self._pin if online or self._tender.contactless else None
        reply = self._counter.till.ask(self._verb, self._fen, card, pin=pin, target=self._target)
        self.reply = reply
        if reply.entry.state not in (TillState.APPROVED, TillState.DECLINED):
            return None
        code = "00" if reply.entry.state is TillState.APPROVED else reply.entry.code
        return tlv(Tag.ARC, code.encode("ascii")) + reply.field55

    def slip(self, outcome: EmvOutcome) -> Slip:
        """What came of it, after the card's last word."""
        till = self._counter.till
        entry = self.reply.entry if self.reply is not None else None
        if entry is not None and entry.state is TillState.APPROVED:
            entry = self._counter.finish(entry, good=outcome.status is EmvStatus.APPROVED_ONLINE)
        if outcome.status is EmvStatus.APPROVED_OFFLINE and self._verb.name == "sale":
            card = card_of(field_55(dict(outcome.data)), contactless=self._tender.contactless)
            entry = till.advise(self._fen, card)
            return _with_chip(replace(slip_of(entry), status=TillState.DONE.value, code="Y1"), outcome)
        if entry is None:
            shown = Slip(
                verb=self._verb.name, status=outcome.status.value, code="", amount_fen=self._fen,
                entry_mode="07" if self._tender.contactless else "05", why=_why(outcome),
            )  # fmt: skip
            return _with_chip(shown, outcome)
        return _with_chip(replace(slip_of(entry), why=_why(outcome)), outcome)


def card_of(field55: bytes, *, contactless: bool) -> CardFacts:
    """What the chip's objects say of the card; `Refused` when they name none."""
    objects = {tag: value for tag, value, _ in parse(field55)}
    track = objects.get(Tag.TRACK2, b"").hex().upper().rstrip("F")
    pan = objects.get(Tag.PAN, b"").hex().rstrip("f") or track.partition("D")[0]
    if not (pan.isdigit() and 12 <= len(pan) <= 19):
        raise Refused("it names no card", where="chip data", fix="another card")
    sequence = objects.get(Tag.SEQUENCE, b"\x00").hex()
    return CardFacts(
        pan=pan, expiry4=track.partition("D")[2][:4], sequence=sequence.zfill(3),
        entry_mode="07" if contactless else "05", field55=field55,
    )  # fmt: skip


def slip_of(entry: TillEntry) -> Slip:
    """An entry as its receipt has it."""
    return Slip(
        verb=entry.verb, status=entry.state.value, code=entry.code, amount_fen=entry.amount_fen,
        masked=entry.masked, entry_mode=entry.entry_mode, batch=entry.batch, trace=entry.trace,
        reference=entry.reference, approval=entry.approval, at=entry.at.isoformat(sep=" ", timespec="seconds"),
        balance_fen=entry.balance_fen, original_trace=entry.original[6:12],
    )  # fmt: skip


def _with_chip(slip: Slip, outcome: EmvOutcome) -> Slip:
    names = {"aid": Tag.DF_NAME, "cryptogram": Tag.CRYPTOGRAM, "counter": Tag.COUNTER}
    shown: dict[str, Any] = {
        name: outcome.data[tag].hex().upper() for name, tag in names.items() if tag in outcome.data
    }
    shown |= {"tvr": f"{int(outcome.tvr):010X}", "tsi": f"{int(outcome.tsi):04X}"}
    done = slip.status == TillState.DONE.value
    return replace(slip, data=shown, signature_wanted=outcome.signature_wanted and done)


def _why(outcome: EmvOutcome) -> str:
    return "" if outcome.approved else outcome.step or outcome.status.value


def _failed(outcome: EmvOutcome) -> Chip | None:
    """What the stripe's rules hear of a chip that came to nothing; None when it said what it is."""
    if outcome.status is EmvStatus.REMOVED and Tag.AIP not in outcome.data:
        return Chip.FAILED
    if outcome.status is EmvStatus.REFUSED and outcome.step == "no application":
        return Chip.NO_APPLICATION
    return None


def _refused(verb: Verb, amount_fen: int, track: Track2, reason: str) -> Slip:
    return Slip(
        verb=verb.name, status="refused", code="", amount_fen=amount_fen, masked=track.masked,
        entry_mode="02", why=reason,
    )  # fmt: skip


def _as_track2(track: Track2) -> str:
    return f"{track.pan}={track.expiry}{track.service_code}{track.discretionary}"
