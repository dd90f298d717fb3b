"""The issuer's side of online loads in ISO 8583: messages to the load desk, its words to answers.

0200 asks for MAC2, 0100 asks for a challenge, a disproof or a state, 0220 brings the card's TAC; all have field 3 with
60, 62 or 63 and field 58 (`jinka.codec.iso8583.purse_load`). Who pays is said by the message and by what is agreed
here: the agent of fields 32 and 42, the city of field 32, or the bank card of field 2 with its PIN. A reversal (04xx)
of a load is refused: only the card's own proof gives money back. Loads from the account that belongs to the card (60)
are refused: no register of such accounts is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jinka.codec import Algorithm
from jinka.codec.iso8583 import Message, Value
from jinka.codec.iso8583.purse_load import CARD_FIELD, CODES, FIELD, STATES, Word, read_load, write_load
from jinka.codec.load import LoadRequest
from jinka.issuer.authorisation import PinData
from jinka.issuer.load_funds import AGENT, CARD, CITY
from jinka.issuer.online_load import LoadDesk, LoadOrder
from jinka.kit import JinkaError, Refused, Usage

_FROM_CARD, _CASH = "62", "63"
# Message class, or "a" for an advice -> what may be asked in it.
WORDS: Mapping[str, frozenset[Word]] = {
    "2": frozenset({Word.AUTHORISE}),
    "1": frozenset({Word.CHALLENGE, Word.DISPROVE, Word.STATE}),
    "a": frozenset({Word.CONFIRM}),
}
# Why a desk refuses, by the place that it names, as response codes; any other refusal is of a proof.
REFUSALS: Mapping[str, str] = {
    "load": "12",
    "load.amount": "61",
    "load.fund": "51",
    "load.agent": "03",
    "load.account": "57",
    "load.card": "30",
}
_PROOF = "05"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTerms:
    """``agents``: fields 32 and 42 -> agent, ``cities``: field 32 -> city. The switch vouches for field 32."""

    agents: Mapping[tuple[str, str], str] = field(default_factory=dict)
    cities: Mapping[str, str] = field(default_factory=dict)


def is_load(message: Message) -> bool:
    """Whether a message is about a load, whatever its type."""
    return message.text(3)[:2] in CODES


class IsoLoads:
    """A load desk that speaks ISO 8583."""

    def __init__(self, desk: LoadDesk, terms: LoadTerms) -> None:
        self._desk, self._terms = desk, terms

    def answer(self, message: Message, at_micros: int, pin: PinData | None) -> dict[int, Value]:
        """What the answer says: field 39, and 58 where there is something to say. All of it is durable."""
        try:
            word, parts = read_load(message.text(FIELD))
            what = "a" if message.mti[2] == "2" else message.mti[1]
            if word not in WORDS.get(what, ()):
                return {39: "12"}
            if word is Word.AUTHORISE:
                said = self._authorise(message, _question(parts), at_micros, pin)
            else:
                said = self._about(word, parts)
        except Refused as refused:
            return {39: REFUSALS.get(refused.where, _PROOF)}
        except Usage:
            return {39: "30"}
        except JinkaError:
            return {39: "96"}  # the key service, or another city, gave no answer
        return {39: "00", FIELD: write_load(word, said, answer=True)}

    def _authorise(
        self, message: Message, question: LoadRequest, at_micros: int, pin: PinData | None
    ) -> dict[str, bytes]:
        if message.text(4) != f"{question.amount:012d}" or message.text(CARD_FIELD) != question.card_no.hex():
            raise Refused("message and card differ", where="load.card", fix="ask the acquirer")
        order = LoadOrder(
            question=question,
            card_no=question.card_no,
            txn_type=question.txn_type,
            terminal_id=question.terminal_id,
            local_date=question.local_date,
            local_time=question.local_time,
            fund=self._fund(message),
            at_micros=at_micros,
            pin=pin,
        )
        return {"load": order.id, "mac2": self._desk.authorise(order)}

    def _about(self, word: Word, parts: Mapping[str, bytes]) -> dict[str, bytes]:
        id_ = parts["load"]
        if word is Word.CHALLENGE:
            return {"load": id_, "challenge": self._desk.challenge(id_)}
        if word is Word.DISPROVE:
            self._desk.disprove(id_, parts["answer"])
        elif word is Word.CONFIRM:
            self._desk.confirm(id_, parts["tac"])
        state = self._desk.state_of(id_)
        return {"load": id_, "state": bytes((STATES[state.value[0] if state else ""],))}

    def _fund(self, message: Message) -> str:
        """Who pays; raises `Refused`."""
        city, code = self._terms.cities.get(message.text(32)), message.text(3)[:2]
        if city is not None:
            return f"{CITY}:{city}"
        if code == _CASH:
            agent = self._terms.agents.get((message.text(32), message.text(42).strip()))
            if agent is None:
                raise Refused("no such agent", where="load.agent", fix="agree on it with the issuer")
            return f"{AGENT}:{agent}"
        if code == _FROM_CARD and message.text(2):
            return f"{CARD}:{message.text(2)}"
        raise Refused(
            "no account belongs to the card", where="load.account", fix="pay with a card or in cash"
        )


def _question(parts: Mapping[str, bytes]) -> LoadRequest:
    numbers = {name: int.from_bytes(parts[name], "big") for name in ("counter", "balance", "amount")}
    try:
        algorithm = Algorithm(parts["algorithm"][0])
    except ValueError:
        raise Usage("no such algorithm", where=f"field {FIELD}") from None
    return LoadRequest(
        card_no=parts["card_no"],
        txn_type=parts["txn_type"][0],
        algorithm=algorithm,
        key_version=parts["key_version"][0],
        online_counter=numbers["counter"],
        balance=numbers["balance"],
        amount=numbers["amount"],
        rand4=parts["rand4"],
        mac1=parts["mac1"],
        terminal_id=parts["terminal_id"],
        local_date=parts["local_date"],
        local_time=parts["local_time"],
    )
