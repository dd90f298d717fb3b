"""Advices of what happened already: the chip's certificate proves them, else they have a ceiling; nothing is lost.

Method: certificates of real cards, of a hand-made card under pyemv's cryptograms, and forged ones; what the holder
pays and what the acquirer is owed are read from the ledger, and what is disputed from the issuer's account for it.
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from jinka.codec import Algorithm, tlv
from jinka.codec.emv_tags import CRYPTOGRAM_DATA, Tag
from jinka.codec.iso8583 import Message
from jinka.issuer import (
    AuthorisationRequest,
    CardAct,
    Decision,
    Entry,
    IsoIssuer,
    IsoTerms,
    IssuedCard,
    Kind,
    Reason,
    migration_report,
)
from jinka.issuer.books import State
from jinka.issuer.chart import IssuerAccount
from jinka.issuer.emv import read_question
from jinka.issuer.migration import Reading
from jinka.issuer.policy import read_policy
from jinka.kit import NotFound, Usage
from jinka.terminal import EmvStatus
from jinka.terminal.emv import field_55
from tests.card.emv_rig import MASTER, PAN
from tests.issuer.host_rig import ACQUIRER, OPENING, Bank
from tests.issuer.test_chip_host import Chip
from tests.terminal.emv_rig import Tap, sale, terminal

pytestmark = pytest.mark.usefixtures("books_engine")
FUNDS = 100_000  # of the chip's account


class Street(Chip):
    """A chip that pays where no line is; ``ceiling`` is the policy's."""

    def __init__(self, ceiling: int = 0, algorithm: Algorithm = Algorithm.TDES) -> None:
        super().__init__(algorithm)
        self.bank.policy = replace(self.bank.policy, unproven_fen=ceiling)
        self.bank.start()

    def offline(self, fen: int = 1_000) -> bytes:
        """Field 55 of a sale that the card agreed to by itself."""
        self.seed += 1
        found = terminal(str(self.seed)).purchase(Tap(self.card), sale(fen), self)
        assert found.status is EmvStatus.APPROVED_OFFLINE
        return field_55(dict(found.data))

    def advice(self, field55: bytes, fen: int = 1_000, **more: Any) -> tuple[AuthorisationRequest, Decision]:
        asked = {"pan": PAN, "entry": Entry.CHIP, "field55": field55, "forced": True} | more
        request = self.bank.ask(Kind.PURCHASE, fen, **asked)
        return request, self.bank.host.decide(request)

    def books(self) -> tuple[int, int, int]:
        """What the holder has, what the acquirer is owed, and what of it is disputed."""
        return self.bank.available("C"), self.bank.owed(), -self.bank.owed(IssuerAccount.DISPUTED, "bank")


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_the_cards_own_certificate_has_no_ceiling_and_is_booked_once(algorithm: Algorithm) -> None:
    street = Street(algorithm=algorithm)
    proof = street.offline()
    request, answer = street.advice(proof)
    assert (answer.code, answer.reason, answer.rule, answer.chip) == ("00", Reason.APPROVED, "", b"")
    assert street.bank.host.decide(request).repeated
    assert street.books() == (FUNDS - 1_000, 1_000, 0)
    _, again = street.advice(proof)
    assert (again.code, again.reason, again.rule) == ("00", Reason.DISPUTED, "TC-USED")
    assert street.books() == (FUNDS - 1_000, 2_000, 1_000)
    _, next_ = street.advice(street.offline())
    assert next_.reason is Reason.APPROVED
    assert street.books() == (FUNDS - 2_000, 3_000, 1_000)


def test_an_advice_in_iso_8583_and_in_the_reports() -> None:
    street = Street()
    bank = street.bank
    iso = IsoIssuer(bank.host, IsoTerms())
    fields: dict[int, Any] = {
        2: PAN, 3: "000000", 4: f"{1_000:012}", 7: "1120020000", 11: "000001", 13: "1120", 22: "051", 23: "001",
        25: "00", 32: ACQUIRER, 41: "T0000001", 42: "M00000000000001", 49: "156", 55: street.offline(),
    }  # fmt: skip
    for number, wanted in (("000001", (FUNDS - 1_000, 1_000, 0)), ("000002", (FUNDS - 1_000, 2_000, 1_000))):
        answer = iso.handle(Message(mti="0220", fields=fields | {11: number}), bank.now)
        assert answer is not None
        assert (answer.mti, answer.text(39), len(answer.text(38))) == ("0230", "00", 6)
        assert street.books() == wanted
    [line] = [line for line in migration_report(bank.books.all_bookings()).lines if line.asked]
    assert (line.reading, line.asked, line.approved) == (Reading.CHIP, 2, 2)


def test_one_certificate_twice_in_one_list() -> None:
    street = Street()
    proof = street.offline()
    both = [
        street.bank.ask(fen=1_000, pan=PAN, entry=Entry.CHIP, field55=proof, forced=True) for _ in range(2)
    ]
    assert [d.rule for d in street.bank.host.decide_all(both)] == ["", "TC-USED"]
    assert street.books() == (FUNDS - 1_000, 2_000, 1_000)


def forged(proof: bytes) -> bytes:
    at = proof.index(b"\x9f\x26") + 3
    return proof[:at] + bytes((proof[at] ^ 1,)) + proof[at + 1 :]


@pytest.mark.parametrize(
    ("change", "fen", "rule"),
    [
        (forged, 1_000, "TC"),
        (lambda proof: proof, 999, "TC-OTHER"),
        (lambda proof: proof[:-1], 1_000, "TC-OTHER"),
        (lambda proof: b"\x9f", 1_000, "TC-OTHER"),
        (lambda proof: b"", 1_000, "ADVICE"),
    ],
)
def test_what_is_not_proved_is_booked_and_not_the_holders(change: Any, fen: int, rule: str) -> None:
    street = Street()
    request, answer = street.advice(change(street.offline()), fen)
    assert (answer.code, answer.reason, answer.rule) == ("00", Reason.DISPUTED, rule)
    assert all(answer.title)
    assert street.books() == (FUNDS, fen, fen)
    row = street.bank.books.bookings([request.id])[request.id]
    assert (row.reason, row.rule, row.state) == (Reason.DISPUTED, rule, State.APPROVED)
    assert street.bank.host.decide(request).repeated
    assert street.bank.back(request).approved
    assert street.books() == (FUNDS, 0, 0)


def test_a_card_that_asked_or_refused_has_not_agreed() -> None:
    street = Street(ceiling=60_000)
    street.buy(60_000)  # approved online: the certificate's question
    asked = street.field55
    _, answer = street.advice(asked, 60_000)  # a stand-in's advice, under another number
    assert (answer.reason, answer.rule) == (Reason.APPROVED, "")
    assert street.books()[0] == FUNDS - 60_000
    street.bank.policy = replace(street.bank.policy, unproven_fen=59_999)
    street.bank.start()
    assert street.advice(asked, 60_000)[1].rule == "ADVICE"
    found, decision = street.buy(60_000)  # there is no money left
    assert (found.status, decision.code) == (EmvStatus.DECLINED_ONLINE, "51")
    assert street.advice(field_55(dict(found.data)), 60_000)[1].rule == "TC-NO"


def test_the_certificate_of_what_was_approved_online_is_no_second_payment() -> None:
    street = Street(ceiling=1_000_000)
    found, _ = street.buy(60_000)
    assert found.status is EmvStatus.APPROVED_ONLINE
    before = street.books()
    _, answer = street.advice(field_55(dict(found.data)), 60_000)
    assert answer.rule == "TC-USED"
    assert street.books()[0] == before[0]


class StoodIn(Street):
    """Another approves in the issuer's place what the issuer declined, with an answer that the card takes."""

    def authorise(self, field55: bytes) -> bytes:
        super().authorise(field55)
        self.asked = self.bank.ask(fen=self.fen, pan=PAN, entry=Entry.CHIP, field55=field55)
        self.bank.stan -= 1
        self.asked = replace(self.asked, trace=replace(self.asked.trace, stan=f"{self.bank.stan:06}"))
        question = read_question(field55, PAN)
        return tlv(Tag.ARC, b"00") + self.bank.host._checks.answer(question, self.known, Reason.APPROVED)


def test_a_card_that_was_declined_here_and_agreed_elsewhere_is_believed_under_its_number_alone() -> None:
    street = StoodIn()
    found, decision = street.buy(FUNDS + 1)
    assert (found.status, decision.reason) == (EmvStatus.APPROVED_ONLINE, Reason.FUNDS)
    proof = field_55(dict(found.data))
    _, other = street.advice(proof, FUNDS + 1)
    assert other.rule == "TC-USED", "the card's counter was heard under another number"
    answer = street.bank.host.decide(replace(street.asked, forced=True, field55=proof))
    assert (answer.id, answer.reason, answer.rule) == (decision.id, Reason.APPROVED, "")
    assert street.bank.owed() == 2 * (FUNDS + 1)
    assert street.books()[2] == FUNDS + 1


def test_a_ceiling_for_what_brings_no_certificate() -> None:
    bank = Bank(policy=read_policy({"advice": {"unproven_fen": 500}, "pin": {"kinds": []}}))
    assert bank.do(fen=500, forced=True)[1].reason is Reason.APPROVED
    _, above = bank.do(fen=501, forced=True)
    assert (above.code, above.reason, above.rule) == ("00", Reason.DISPUTED, "ADVICE")
    assert above.title[1] == "挂账待查：超出无证书通知上限"
    assert (bank.available(), bank.owed()) == (OPENING - 500, 1_001)
    hold, _ = bank.do(Kind.PREAUTHORISATION, 10_000)
    completion = bank.ask(Kind.COMPLETION, 10_000, original=hold.trace, forced=True)
    assert bank.host.decide(completion).reason is Reason.APPROVED, "bounded by what was held"
    for wrong in (-1, "5", True):
        with pytest.raises(Usage, match="unproven_fen"):
            read_policy({"advice": {"unproven_fen": wrong}})


def test_nobody_can_look_at_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street(ceiling=1_000)
    proof = street.offline()

    def down(*_: Any, **__: Any) -> None:
        raise NotFound("no answer", where="key service")

    monkeypatch.setattr(street.bank.keys.service, "check_cryptogram", down)
    assert street.advice(forged(proof))[1].reason is Reason.APPROVED, "as one without, below the ceiling"
    assert street.advice(forged(proof), 1_001)[1].rule in ("ADVICE", "TC-OTHER")


def test_a_certificate_that_nobody_could_look_at_is_charged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street(ceiling=1_000)
    proof, dear = street.offline(), street.offline(1_001)

    def down(*_: Any, **__: Any) -> None:
        raise NotFound("no answer", where="key service")

    with monkeypatch.context() as patch:
        patch.setattr(street.bank.keys.service, "check_cryptogram", down)
        request, first = street.advice(proof)
        assert (first.reason, street.books()) == (Reason.APPROVED, (FUNDS - 1_000, 1_000, 0))
        assert street.advice(proof)[1].rule == "TC-USED"
        assert street.advice(dear, 1_001)[1].rule == "ADVICE"
    assert street.advice(proof)[1].rule == "TC-USED", "the keys are back, and it is the same payment"
    assert street.bank.host.decide(request).repeated
    assert street.advice(dear, 1_001)[1].reason is Reason.APPROVED, (
        "now it is proved, and was not the holder's before"
    )
    assert street.books() == (FUNDS - 2_001, 5_002, 3_001)


def test_what_a_crash_left_is_decided_when_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    street = Street()
    proof = street.offline()
    request = street.bank.ask(fen=1_000, pan=PAN, entry=Entry.CHIP, field55=proof, forced=True)

    class Killed(Exception):
        pass

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(street.bank.host._checks, "prove", killed)
        with pytest.raises(Killed):
            street.bank.host.decide(request)
    street.bank.start().recover()
    assert not street.bank.books.unfinished()
    assert street.books() == (FUNDS, 0, 0)
    answer = street.bank.host.decide(request)
    assert (answer.reason, answer.repeated) == (Reason.APPROVED, False)
    assert street.bank.host.decide(request).repeated
    assert street.books() == (FUNDS - 1_000, 1_000, 0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_certificate_that_pyemv_made() -> None:
    """The card key and the cryptogram are pyemv's; the session key is JR/T 0025.7's, by `cryptography` alone."""
    kd, ac = importlib.import_module("pyemv.kd"), importlib.import_module("pyemv.ac")
    number, counter, fen = "6225880000001234", 7, 250_000
    street = Street()
    card = IssuedCard(pan=number, account="C", expiry4="2812", sequence="01").act(CardAct.ACTIVATE)
    street.bank.host.add_card(card)
    values = {tag: bytes(size) for tag, size in CRYPTOGRAM_DATA} | {
        Tag.AMOUNT: bytes.fromhex(f"{fen:012}"), Tag.AIP: b"\x7c\x00", Tag.COUNTER: counter.to_bytes(2, "big"),
    }  # fmt: skip
    own = bytes.fromhex("070101 03900000 01".replace(" ", ""))  # verification results: TC at the first asking
    signed = (
        b"".join(values[tag] for tag, _ in CRYPTOGRAM_DATA) + values[Tag.AIP] + values[Tag.COUNTER] + own[3:7]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        key = kd.derive_icc_mk_a(MASTER["cryptogram"], number, "01")
        cipher = Cipher(TripleDES(key + key[:8]), modes.ECB()).encryptor()
        halves = (counter, counter ^ 0xFFFF)
        session = b"".join(cipher.update(bytes(6) + half.to_bytes(2, "big")) for half in halves)
        cryptogram = ac.generate_ac(session, signed)
    parts = values | {Tag.ISSUER_DATA: own, Tag.CRYPTOGRAM: cryptogram, Tag.SEQUENCE: b"\x01"}
    proof = b"".join(tlv(tag, value) for tag, value in parts.items())
    assert street.advice(forged(proof), fen, pan=number)[1].rule == "TC"
    _, answer = street.advice(proof, fen, pan=number)
    assert (answer.reason, answer.rule) == (Reason.APPROVED, "")
    assert street.bank.owed(owner=ACQUIRER) == 2 * fen
    assert street.books()[2] == fen
