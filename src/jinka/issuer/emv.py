"""The issuer of debit and credit cards: checks request cryptograms, answers with its own, and writes scripts.

EMV Book 2, 8 and 9; JR/T 0025.5 and .7 (cryptogram version 01), JR/T 0025.17 (SM4). Both ways BER-TLV, as field 55
carries it. Keys are derived from masters that the caller hands over: for simulated issuers, until the key service has
these verbs.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from jinka.codec import Algorithm, TlvError, parse, tlv
from jinka.codec.emv_tags import CRYPTOGRAM_DATA, Tag, amount
from jinka.crypto import bulk, diversify, emv
from jinka.keys import Purpose
from jinka.kit import Refused

APPROVED, DECLINED, WRONG_CRYPTOGRAM = b"00", b"51", b"05"
_OFFLINE_PIN, _CVM_FAILED = frozenset({0x01, 0x03, 0x04, 0x05}), 0x01
_PIN_DONE, _PIN_FAILED = 0x04, 0x02  # first byte of the card's verification results
_SECOND_NONE, _FIRST_ASKED = 0x80, 0x20  # in it, too
_ALGORITHMS = {0x01: Algorithm.TDES, 0x04: Algorithm.SM4}
_BOUND = (*CRYPTOGRAM_DATA, (Tag.AIP, 2), (Tag.COUNTER, 2))


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """The three master keys of an issuer, 16 bytes each."""

    cryptogram: bytes = field(repr=False)
    script_mac: bytes = field(repr=False)
    script_cipher: bytes = field(repr=False)

    def chip_keys(
        self,
        purpose: Purpose,
        *,
        algorithm: Algorithm,
        version: int,
        factors8: npt.NDArray[np.uint8],
        owner: str = "",
    ) -> npt.NDArray[np.uint8]:
        """Keys of N chips, as a simulated key service derives them; there is one version of each master."""
        masters = {
            Purpose.CRYPTOGRAM: self.cryptogram,
            Purpose.SCRIPT_MAC: self.script_mac,
            Purpose.SCRIPT_DATA: self.script_cipher,
        }
        if purpose not in masters or version != 1 or owner:
            raise Refused(f"no master {purpose.value}/{version}", where="issuer's keys")
        derive = bulk.tdes_diversify if algorithm is Algorithm.TDES else bulk.sm4_diversify
        return derive(masters[purpose], factors8)


class Agreed(Enum):
    """What the card's last answer was."""

    YES = "TC"
    ASKS = "ARQC"
    NO = "AAC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request whose cryptogram was right. ``bound`` is what scripts are tied to: counter 2 | cryptogram 8."""

    pan: str
    sequence: str
    amount_fen: int
    algorithm: Algorithm
    counter: int
    bound: bytes
    values: Mapping[int, bytes] = field(repr=False)

    @property
    def signed(self) -> bytes:
        """What the cryptogram is over."""
        own = self.values[Tag.ISSUER_DATA]
        return b"".join(self.values[tag] for tag, _ in _BOUND) + own[3:7]

    @property
    def agreed(self) -> Agreed:
        """By the card's verification results, which its cryptogram is over: the second answer, or else the first."""
        cvr = self.values[Tag.ISSUER_DATA][4]
        last = cvr >> 4 if cvr & _SECOND_NONE == _SECOND_NONE else cvr >> 6
        return {1: Agreed.YES, 2: Agreed.ASKS}.get(last & 3, Agreed.NO)

    @property
    def asked_first(self) -> bool:
        """Whether the card asked its issuer before it agreed."""
        return bool(self.values[Tag.ISSUER_DATA][4] & _FIRST_ASKED)

    def check_pin_claim(self) -> None:
        """Where the terminal says that the card verified a PIN, the card's authentic results must say so too."""
        results, cvr = self.values.get(Tag.CVM_RESULTS, b""), self.values[Tag.ISSUER_DATA][4]
        claimed = len(results) == 3 and results[0] & 0x3F in _OFFLINE_PIN and results[2] != _CVM_FAILED
        if claimed and cvr & (_PIN_DONE | _PIN_FAILED) != _PIN_DONE:
            raise Refused(
                "the card knows of no PIN", where="CVM results", fix="somebody answered in its name"
            )

    def __repr__(self) -> str:
        return f"Question(pan=******{self.pan[-4:]}, amount_fen={self.amount_fen})"


class EmvIssuer:
    """Answers requests. ``decide`` gives the response code; ``scripts`` the commands to send with an answer.

    A card's counter must have risen since its last request; the last ones are kept in memory, not durably.
    """

    def __init__(
        self,
        keys: IssuerKeys,
        *,
        decide: Callable[[Question], bytes] = lambda _: APPROVED,
        scripts: Callable[[EmvIssuer, Question], list[bytes]] = lambda _issuer, _question: [],
    ) -> None:
        self._keys, self._decide, self._scripts = keys, decide, scripts
        self._counters: dict[tuple[str, str], int] = {}

    def authorise(self, request: bytes) -> bytes:
        """Answer one request: 8A, 91 (ARPC | code) and 72; a wrong or old cryptogram gets a code and nothing else."""
        try:
            question = self.check(request)
        except Refused:
            return tlv(Tag.ARC, WRONG_CRYPTOGRAM)
        card = (question.pan, question.sequence)
        if question.counter <= self._counters.get(card, 0):
            return tlv(Tag.ARC, WRONG_CRYPTOGRAM)
        self._counters[card] = question.counter
        code = self._decide(question)
        session = self._session(self._keys.cryptogram, question)
        arpc = emv.response_cryptogram(question.algorithm, session, question.bound[2:], code)
        commands = self._scripts(self, question)
        script = tlv(Tag.SCRIPT_AFTER, tlv(Tag.SCRIPT_ID, bytes(4)), *(tlv(0x86, c) for c in commands))
        return (
            tlv(Tag.ARC, code) + tlv(Tag.ISSUER_AUTHENTICATION, arpc + code) + (script if commands else b"")
        )

    def check(self, request: bytes) -> Question:
        """The request as a question; `Refused` when its cryptogram is wrong or something is missing."""
        question = read_question(request)
        wanted = emv.cryptogram(
            question.algorithm, self._session(self._keys.cryptogram, question), question.signed
        )
        if not hmac.compare_digest(wanted, question.bound[2:]):
            raise Refused("wrong", where="request cryptogram")
        question.check_pin_claim()
        return question

    def script(self, question: Question, head4: bytes, body: bytes = b"", *, secret: bool = False) -> bytes:
        """One script command for this transaction: enciphered if secret, then its MAC."""
        if secret:
            cipher = self._session(self._keys.script_cipher, question)
            body = emv.script_encipher(question.algorithm, cipher, body)
        head = head4 + bytes((len(body) + 4,))
        mac = self._session(self._keys.script_mac, question)
        return head + body + emv.script_mac(question.algorithm, mac, head, question.bound, body)[:4]

    def load(self, question: Question, balance_fen: int) -> bytes:
        """PUT DATA that sets the electronic cash."""
        return self.script(question, bytes.fromhex("04DA9F79"), amount(balance_fen))

    def new_pin(self, question: Question, pin: str) -> bytes:
        """PIN CHANGE: sets a PIN and gives all tries back."""
        key = diversify(
            question.algorithm, self._keys.cryptogram, emv.card_block(question.pan, question.sequence)
        )
        return self.script(question, bytes.fromhex("84240002"), emv.pin_change_block(key, pin), secret=True)

    def _session(self, master: bytes, question: Question) -> bytes:
        block = emv.card_block(question.pan, question.sequence)
        key = diversify(question.algorithm, master, block)
        return emv.pboc_session(question.algorithm, key, question.counter)


def read_question(request: bytes, number: str = "") -> Question:
    """Field 55 as a question that nobody has checked yet; ``number`` is the card's where the message carries it.

    `Refused` when something is missing, is no decimal amount, or names two cards.
    """
    try:
        values = {tag: value for tag, value, _ in parse(request)}
    except TlvError:
        raise Refused("not TLV", where="field 55") from None
    own = values.get(Tag.ISSUER_DATA, b"")
    algorithm = _ALGORITHMS.get(own[7]) if len(own) >= 8 else None
    pan, track = (
        values.get(Tag.PAN, b"").hex().rstrip("f"),
        values.get(Tag.TRACK2, b"").hex().split("d")[0],
    )
    if len({found for found in (pan, track, number) if found}) > 1:
        raise Refused("two numbers", where="field 55", fix="ask the acquirer")
    pan = pan or track or number
    sizes = all(len(values.get(tag, b"")) == size for tag, size in _BOUND)
    if algorithm is None or not sizes or not pan.isdigit() or own[3:4] != b"\x03":
        raise Refused("objects missing or of another length", where="field 55")
    cryptogram, fen = values.get(Tag.CRYPTOGRAM, b""), values[Tag.AMOUNT].hex()
    if not fen.isdigit():
        raise Refused("an amount that is not decimal", where="field 55")
    return Question(
        pan=pan,
        sequence=values.get(Tag.SEQUENCE, b"\x00").hex(),
        amount_fen=int(fen),
        algorithm=algorithm,
        counter=int.from_bytes(values[Tag.COUNTER], "big"),
        bound=values[Tag.COUNTER] + cryptogram,
        values=values,
    )
