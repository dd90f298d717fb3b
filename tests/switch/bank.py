"""A bank for the switch's tests: cards with money on a real ledger, and a memory of what it was told.

It debits and credits once for each transaction, undoes what is reversed, remembers a reversal whose original did not
come, and takes advices as facts. Its books are its own: tests compare them with the switch's and the acquirer's.
"""

from __future__ import annotations

from jinka.codec.iso8583 import Message
from jinka.kit import make_id
from jinka.ledger import Account, AccountFlag, MemoryLedger, Transfer, TransferResult
from jinka.switch.config import Peer
from jinka.switch.messages import answer_to

_LEDGER, _CODE = 156, 1
HOUSE = make_id("test.bank", "house")
_CREDITS = ("20", "21", "47")


class Bank:
    """``pans`` have ``each_fen`` on them."""

    def __init__(self, peer: Peer, pans: tuple[str, ...], each_fen: int) -> None:
        self.peer, self.ledger = peer, MemoryLedger()
        self.accounts = {pan: make_id("test.bank", pan) for pan in pans}
        self.ledger.create_accounts(
            [
                Account(id=HOUSE, ledger=_LEDGER, code=_CODE),
                *(
                    Account(
                        id=id_, ledger=_LEDGER, code=_CODE, flags=AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
                    )
                    for id_ in self.accounts.values()
                ),
            ]
        )
        self._move([(make_id("test.fund", pan), pan, -each_fen) for pan in pans])
        self.done: dict[bytes, tuple[str, int, str]] = {}  # transaction -> card, amount taken, code
        self.undone: set[bytes] = set()
        self.seen: list[Message] = []
        self.managed: list[Message] = []  # network management

    def balance(self, pan: str) -> int:
        found = self.ledger.balances([self.accounts[pan]])[self.accounts[pan]]
        return found.credits_posted - found.debits_posted

    def taken(self) -> dict[tuple[str, str, str], int]:
        """What each transaction (trace, moment, terminal) took in the end; what took nothing is left out."""
        return {self.names[id_]: amount for id_, (_, amount, code) in self.done.items()
                if code == "00" and id_ not in self.undone}  # fmt: skip

    names: dict[bytes, tuple[str, str, str]]

    def handle(self, message: Message) -> Message | None:
        """The answer to a message; None for an answer."""
        if message.mti[2] in "13":
            return None
        if message.mti[1] == "8":
            self.managed.append(message)
            return answer_to(message, {39: "00"}, self.peer)
        self.seen.append(message)
        if message.mti[1] == "5":
            return answer_to(message, {39: "00", 66: "1"}, self.peer)
        if message.mti[1] == "4":
            return answer_to(message, {39: self._reverse(message)}, self.peer)
        return answer_to(message, {39: self._pay(message), 38: "B12345"}, self.peer)

    def _pay(self, message: Message) -> str:
        id_ = self._id(message.text(11), message.text(7), message.text(41))
        if id_ in self.done:
            return self.done[id_][2]
        if id_ in self.undone:
            return "94"  # its reversal was here before it
        pan, amount = message.text(2), int(message.text(4) or "0")
        signed = -amount if message.text(3)[:2] in _CREDITS else amount
        if message.text(3)[:2] in ("30", "31"):
            signed = 0
        code = "14" if pan not in self.accounts else "00"
        if code == "00" and signed and not self._move([(id_, pan, signed)]):
            code = "51"
        self.done[id_] = (pan, signed, code)
        return code

    def _reverse(self, message: Message) -> str:
        data = message.text(90)
        id_ = self._id(data[4:10], data[10:20], message.text(41))
        stays = int(message.text(95)[:12] or "0")
        if stays:
            return self._reverse_part(id_, stays)
        if id_ in self.undone:
            return "00"
        self.undone.add(id_)
        if id_ not in self.done:
            return "25"
        pan, amount, code = self.done[id_]
        if code == "00" and amount and not self._move([(make_id("test.undo", id_), pan, -amount)]):
            self.undone.discard(id_)  # a credit that is spent
            return "51"
        return "00"

    def _reverse_part(self, id_: bytes, stays: int) -> str:
        if id_ not in self.done:
            return "25"
        pan, amount, code = self.done[id_]
        if code != "00" or id_ in self.undone or stays > amount:
            return "12"
        if stays < amount:
            assert self._move([(make_id("test.part", id_), pan, stays - amount)])
        self.done[id_] = (pan, stays, code)
        return "00"

    def spend(self, pan: str, fen: int) -> None:
        """Its holder pays with it somewhere else."""
        assert self._move([(make_id("test.spend", pan, len(self.seen)), pan, fen)])

    def _id(self, trace: str, moment: str, terminal: str) -> bytes:
        id_ = make_id("test.tx", trace, moment, terminal)
        self.__dict__.setdefault("names", {})[id_] = (trace, moment, terminal)
        return id_

    def _move(self, moves: list[tuple[bytes, str, int]]) -> bool:
        transfers = [
            Transfer(
                id=id_,
                debit_account=self.accounts[pan] if amount > 0 else HOUSE,
                credit_account=HOUSE if amount > 0 else self.accounts[pan],
                amount=abs(amount), ledger=_LEDGER, code=_CODE,
            )
            for id_, pan, amount in moves
        ]  # fmt: skip
        return all(r is TransferResult.CREATED for r in self.ledger.create_transfers(transfers))
