"""What proves that the card and its holder are there: PIN, card value, and the chip's cryptogram with its answer.

EMV Book 2, 8 (cryptograms, issuer authentication) and 9 (scripts); JR/T 0025.7 (PBOC session keys, cryptogram version
01), JR/T 0025.17 (SM4). Every key stays in the key service; here are the names of keys. What proves an advice of what
happened offline is the chip's certificate alone (`jinka.issuer.advices`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from jinka.codec import Algorithm, tlv
from jinka.codec.emv_tags import Tag
from jinka.crypto.pin_block import PinFormat
from jinka.issuer.accounts import CardState, IssuedCard
from jinka.issuer.authorisation import CHIP_ENTRIES, STRIPE_ENTRIES, AuthorisationRequest, Entry
from jinka.issuer.emv import Question, read_question
from jinka.issuer.limits import Declined
from jinka.issuer.reasons import Reason
from jinka.keys.cryptograms import SessionKey
from jinka.keys.payment_port import CardService, PinService
from jinka.kit import JinkaError, Refused, Usage

_PRINTED, _CHIP = "000", "999"  # service codes of CVV2 and iCVV: no stripe has them
_SCRIPT_MAC = 4  # bytes of it that a PBOC card takes
_CARD_BLOCK = bytes.fromhex("84160000")


class CardVerbs(PinService, CardService, Protocol):
    """The verbs of the key service that an issuer's host needs, in process or over the socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardKeyNames:
    """Which keys of the key service are this issuer's (``purpose/ALG/version@owner``)."""

    pin: str
    card_value: str
    cryptogram: Mapping[Algorithm, str] = field(default_factory=dict)
    script_mac: Mapping[Algorithm, str] = field(default_factory=dict)
    script_data: Mapping[Algorithm, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptOrder:
    """One command for the card: CLA INS P1 P2 and its data, enciphered if ``secret``."""

    head4: bytes
    body: bytes = b""
    secret: bool = False


class Scripts(Protocol):
    """Which commands go to a card with an answer."""

    def __call__(self, card: IssuedCard, reason: Reason, /) -> Sequence[ScriptOrder]: ...


def block_what_is_gone(card: IssuedCard, _reason: Reason) -> Sequence[ScriptOrder]:
    """A lost or stolen card that comes online is blocked for good (CARD BLOCK)."""
    gone = card.state in (CardState.LOST, CardState.STOLEN)
    return (ScriptOrder(head4=_CARD_BLOCK),) if gone else ()


class CardChecks:
    """The proofs of requests, by the verbs of the key service: those of several requests in one call."""

    def __init__(self, keys: CardVerbs, names: CardKeyNames, scripts: Scripts = block_what_is_gone) -> None:
        self._keys, self._names, self._scripts = keys, names, scripts

    def _pin_fault(self, request: AuthorisationRequest, card: IssuedCard) -> Reason | None:
        pin = request.pin
        if pin is None:
            return None
        if not card.pin_reference:
            return Reason.NOT_PERMITTED
        try:
            self._keys.verify_pin(
                pin.block,
                zone=pin.zone,
                zone_format=pin.format,
                pan=request.pan,
                key=self._names.pin,
                reference=card.pin_reference,
                serial=pin.serial,
            )
        except Refused as refused:
            return Reason.PIN if refused.where == "PIN" else Reason.KEYS_DOWN
        except JinkaError:
            return Reason.KEYS_DOWN
        return None

    def check_pins(self, asked: Sequence[tuple[AuthorisationRequest, IssuedCard]]) -> list[Reason | None]:
        """Of each: the reason to decline it, or None. `Reason.PIN` is for a wrong PIN alone."""
        found: list[Reason | None] = [None] * len(asked)
        zones: dict[tuple[str, PinFormat], list[int]] = {}
        for at, (request, card) in enumerate(asked):
            pin = request.pin
            if pin is not None and card.pin_reference and not pin.serial:
                zones.setdefault((pin.zone, pin.format), []).append(at)
        together = {at for rows in zones.values() if len(rows) > 1 for at in rows}
        for at, (request, card) in enumerate(asked):
            if at not in together:
                found[at] = self._pin_fault(request, card)
        for (zone, form), rows in zones.items():
            if len(rows) > 1:
                for at, fault in zip(rows, self._pins(zone, form, [asked[at] for at in rows]), strict=True):
                    found[at] = fault
        return found

    def _pins(
        self, zone: str, form: PinFormat, asked: Sequence[tuple[AuthorisationRequest, IssuedCard]]
    ) -> list[Reason | None]:
        try:
            right, answered = self._keys.verify_pins(
                [request.pin.block for request, _ in asked if request.pin is not None],
                zone=zone,
                zone_format=form,
                pans=[request.pan for request, _ in asked],
                key=self._names.pin,
                references=[card.pin_reference for _, card in asked],
            )
        except JinkaError:
            return [Reason.KEYS_DOWN] * len(asked)
        return [
            None if good else Reason.PIN if told else Reason.KEYS_DOWN
            for good, told in zip(right.tolist(), answered.tolist(), strict=True)
        ]

    def check_values(
        self, asked: Sequence[tuple[AuthorisationRequest, IssuedCard, bool]]
    ) -> list[Reason | None]:
        """The value must be the one of its place: a chip's or a printed one on a stripe is a forged stripe.

        Of each request, with its card and whether it needs a value: the reason to decline it, or None.
        """
        found = [_value_fault(request, needed=needed) for request, _, needed in asked]
        rows = [
            (at, request.pan, card.expiry4, request.card_value)
            for at, (request, card, _) in enumerate(asked)
            if found[at] is None and request.card_value is not None
        ]
        if not rows:
            return found
        try:
            right, _ = self._keys.verify_card_values(
                key=self._names.card_value,
                pans=[pan for _, pan, _, _ in rows],
                dates=[date4 for _, _, date4, _ in rows],
                services=[given.service3 for *_, given in rows],
                values=[given.value for *_, given in rows],
            )
        except JinkaError:
            for at, *_ in rows:
                found[at] = Reason.KEYS_DOWN
            return found
        for (at, *_), good in zip(rows, right.tolist(), strict=True):
            found[at] = None if good else Reason.CARD_VALUE
        return found

    def check_chip(self, request: AuthorisationRequest, card: IssuedCard) -> Question | None:
        """The question of the chip, its cryptogram right, its amount the message's, its counter new; or `Declined`."""
        if request.entry not in CHIP_ENTRIES:
            return None
        question = self.prove(request, card)
        if question.counter <= card.counter:
            raise Declined(Reason.REPLAYED)
        return question

    def prove(self, request: AuthorisationRequest, card: IssuedCard) -> Question:
        """What the chip said, its cryptogram right and its amount the message's; or `Declined`."""
        if not card.chip:
            raise Declined(Reason.FORMAT)
        try:
            question = read_question(request.field55, request.pan)
        except Refused:
            raise Declined(Reason.FORMAT) from None
        key = self._names.cryptogram.get(question.algorithm)
        if key is None or question.amount_fen != request.amount_fen or question.sequence != card.sequence:
            raise Declined(Reason.FORMAT if key else Reason.CRYPTOGRAM)
        try:
            self._keys.check_cryptogram(
                question.signed,
                question.bound[2:],
                key=key,
                pan=request.pan,
                sequence=question.sequence,
                counter=question.counter,
                session=SessionKey.PBOC,
            )
            question.check_pin_claim()
        except (Refused, Usage):
            raise Declined(Reason.CRYPTOGRAM) from None
        except JinkaError:
            raise Declined(Reason.KEYS_DOWN) from None
        return question

    def answer(self, question: Question, card: IssuedCard, reason: Reason) -> bytes:
        """Field 55 of the answer: 91 (ARPC | code), and 72 with scripts; empty where the keys give no answer."""
        code2 = reason.code.encode()
        how = _how(question)
        try:
            arpc = self._keys.make_response(
                question.signed,
                question.bound[2:],
                key=self._names.cryptogram[question.algorithm],
                code2=code2,
                **how,
            )
            commands = [self._command(question, order) for order in self._scripts(card, reason)]
        except JinkaError:
            return b""
        made = tlv(Tag.ISSUER_AUTHENTICATION, arpc + code2)
        if commands:
            parts = [tlv(Tag.SCRIPT_ID, bytes(4)), *(tlv(Tag.SCRIPT_COMMAND, c) for c in commands)]
            made += tlv(Tag.SCRIPT_AFTER, *parts)
        return made

    def _command(self, question: Question, order: ScriptOrder) -> bytes:
        how, body, bound = _how(question), order.body, question.bound[2:]
        if order.secret:
            key = self._names.script_data[question.algorithm]
            body = self._keys.encipher_script(body, key=key, cryptogram8=bound, **how)
        head = order.head4 + bytes((len(body) + _SCRIPT_MAC,))
        key = self._names.script_mac[question.algorithm]
        mac = self._keys.make_script_mac(head, body, key=key, cryptogram8=bound, **how)
        return head + body + mac[:_SCRIPT_MAC]


def _value_fault(request: AuthorisationRequest, *, needed: bool) -> Reason | None:
    """What is wrong with a card value before it is compared."""
    given, stripe = request.card_value, request.entry in STRIPE_ENTRIES
    if given is None:
        return Reason.CARD_VALUE_MISSING if stripe or needed else None
    wanted = _CHIP if request.entry in CHIP_ENTRIES else _PRINTED
    forged = given.service3 in (_PRINTED, _CHIP) if stripe else given.service3 != wanted
    return Reason.CARD_VALUE if forged else None


def _how(question: Question) -> dict[str, Any]:
    return {
        "pan": question.pan,
        "sequence": question.sequence,
        "counter": question.counter,
        "session": SessionKey.PBOC,
    }


def seen_entry(request: AuthorisationRequest, card: IssuedCard) -> Entry:
    """How the card came in: a chip card's stripe at a chip terminal is a fallback, declared or not."""
    hidden = request.entry is Entry.STRIPE and card.chip and request.terminal_chip
    return Entry.FALLBACK if hidden else request.entry
