"""The acquirer's side of online loads: a counter's questions as messages, and what their answers mean.

JR/T 0025.1 (load); layout and types as in `jinka.codec.iso8583.purse_load`. A load that was not answered is never taken
for refused, and never given back on the counter's word: it is open until the card proves how it ended (its TAC, or its
answer to the issuer's challenge). Each message has a number of its own; that a load is the same tells its id.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from enum import Enum

from jinka.acquirer.iso import APPROVALS
from jinka.acquirer.network import Wire
from jinka.acquirer.ports import NoAnswer
from jinka.codec.iso8583.message import Message, Value
from jinka.codec.iso8583.purse_load import (
    CARD_FIELD,
    FIELD,
    STATES,
    Word,
    load_id,
    read_load,
    write_load,
)
from jinka.codec.load import LoadRequest
from jinka.kit import Clock, Refused, Usage

_EPOCH = dt.datetime(1970, 1, 1)
_CHINA = dt.timedelta(hours=8)
# Codes of a switch or a host that could not look: the load may have been made all the same.
_NOBODY_KNOWS = frozenset({"68", "77", "91", "96", "97", "98", "A0"})
_WORDS = {number: word for word, number in STATES.items()}


class Way(Enum):
    """Where the money comes from, as field 3 says it."""

    CARD = "620000"  # a bank card with its PIN, field 2
    CASH = "630000"  # an agent's prepaid account, field 42


class PurseLoads:
    """A counter's line for loads. ``serials`` gives each message a number that no other of the terminal has had."""

    def __init__(
        self,
        wire: Wire,
        clock: Clock,
        serials: Iterator[int],
        *,
        institution: str,
        terminal: str,
        merchant: str,
    ) -> None:
        self._wire, self._clock, self._serials = wire, clock, serials
        self._institution, self._terminal, self._merchant = institution, terminal, merchant

    def authorise(
        self, question: LoadRequest, way: Way = Way.CASH, *, pan: str = "", pin_block: bytes = b""
    ) -> bytes:
        """MAC2, 4 bytes; the same again while the load is open. Raises `Refused`, and `NoAnswer`: then it is open."""
        parts = {
            "card_no": question.card_no,
            "txn_type": bytes((question.txn_type,)),
            "algorithm": bytes((int(question.algorithm),)),
            "key_version": bytes((question.key_version,)),
            "counter": question.online_counter.to_bytes(2, "big"),
            "balance": question.balance.to_bytes(4, "big"),
            "amount": question.amount.to_bytes(4, "big"),
            "rand4": question.rand4,
            "mac1": question.mac1,
            "terminal_id": question.terminal_id,
            "local_date": question.local_date,
            "local_time": question.local_time,
        }
        more: dict[int, Value] = {3: way.value, 4: f"{question.amount:012d}"}
        more |= ({2: pan} if pan else {}) | ({52: pin_block} if pin_block else {})
        said = self._ask("0200", Word.AUTHORISE, parts, question.card_no, more)
        if said.get("load") != id_of(question):
            raise NoAnswer("the answer is about another load", where=f"field {FIELD}")
        return said["mac2"]

    def confirm(self, card_no: bytes, load: bytes, tac: bytes) -> None:
        """Tell the card's TAC. The switch takes it as a fact and brings it to the issuer."""
        self._ask("0220", Word.CONFIRM, {"load": load, "tac": tac}, card_no, {})

    def challenge(self, card_no: bytes, load: bytes) -> bytes:
        """6 bytes that the card has to be questioned with."""
        return self._ask("0100", Word.CHALLENGE, {"load": load}, card_no, {})["challenge"]

    def disprove(self, card_no: bytes, load: bytes, answer16: bytes) -> str:
        """The card's answer; how the load ended, as a word of `STATES`."""
        said = self._ask("0100", Word.DISPROVE, {"load": load, "answer": answer16}, card_no, {})
        return _state(said)

    def state(self, card_no: bytes, load: bytes) -> str:
        """Where a load stands; empty when it never came."""
        return _state(self._ask("0100", Word.STATE, {"load": load}, card_no, {}))

    def _ask(
        self, mti: str, word: Word, parts: dict[str, bytes], card_no: bytes, more: dict[int, Value]
    ) -> dict[str, bytes]:
        answer = self._wire.ask(self._message(mti, write_load(word, parts), card_no, more))
        code = answer.text(39)
        if code in _NOBODY_KNOWS or len(code) != 2:
            raise NoAnswer(f"answered {code}", where="load")
        if code not in APPROVALS:
            raise Refused(f"the issuer answered {code}", where="load", fix="present the card again")
        if word is Word.CONFIRM:
            return {}
        try:
            heard, said = read_load(answer.text(FIELD), answer=True)
        except Usage as error:
            raise NoAnswer("not an answer to a load", where=f"field {FIELD}") from error
        if heard is not word or said["load"] != parts.get("load", said["load"]):
            raise NoAnswer("the answer is to another question", where=f"field {FIELD}")
        return said

    def _message(self, mti: str, data: str, card_no: bytes, more: dict[int, Value]) -> Message:
        serial, now = next(self._serials), self._clock.now_micros()
        moment = _EPOCH + dt.timedelta(microseconds=now)
        common: dict[int, Value] = {
            3: Way.CASH.value, 4: "0" * 12, 7: f"{moment:%m%d%H%M%S}", 11: f"{serial % 1_000_000:06d}",
            12: f"{moment + _CHINA:%H%M%S}", 13: f"{moment + _CHINA:%m%d}", 22: "052", 25: "00",
            32: self._institution, 41: self._terminal, 42: f"{self._merchant:<15}", 49: "156", FIELD: data,
            CARD_FIELD: card_no.hex(),
        }  # fmt: skip
        return Message(mti=mti, fields=dict(sorted((common | more).items())))


def id_of(question: LoadRequest) -> bytes:
    """The load's id, which counter and issuer work out alike."""
    return load_id(
        card_no=question.card_no, txn_type=question.txn_type, counter=question.online_counter, rand4=question.rand4,
        mac1_data=question.mac1_data,
    )  # fmt: skip


def _state(said: dict[str, bytes]) -> str:
    word = _WORDS.get(said["state"][0])
    if word is None:
        raise NoAnswer("no such state", where=f"field {FIELD}")
    return word
