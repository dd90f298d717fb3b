"""A world with two banks: what the tests of transfers share. Money is counted over both."""

from __future__ import annotations

from typing import Any

from jinka.codec.iso8583 import Message
from jinka.switch import LinkDown, LinkUp, Received, Send
from tests.switch.bank import Bank
from tests.switch.ground import CODEC, PANS, World, config, peer, request

RECEIVERS = tuple(f"62170000000{n:05d}" for n in range(3))
PAYER_FEN, RECEIVER_FEN = 100_000, 500


class TwoBanks(World):
    """``bank`` has the payers, ``other`` the receivers."""

    def __init__(self, *, journal: Any = None, **changes: Any) -> None:
        rules = config(closed_kept=changes.pop("closed_kept", 100), stand_in={}, **changes)
        times = {"timeout_ms": 5_000, "retry_ms": 1_000}
        peers = {
            "till": rules.peers["till"], "bank": peer("bank", **times),
            "other": peer("other", institution="303", **times),
        }  # fmt: skip
        routes = {"622848": "bank", "621700": "other"}
        self.other = Bank(peers["other"], RECEIVERS, RECEIVER_FEN)
        self.other_up = self.other_answers = True
        self.to_other: list[bytes] = []
        made = config(stand_in={}, closed_kept=rules.closed_kept, peers=peers, routes=routes)
        super().__init__(made, journal=journal)

    def restart(self) -> None:
        super().restart()
        if self.other_up:
            self.other_back()

    def other_back(self) -> None:
        self.other_up = True
        self.lines += 1
        self.other_line = self.lines
        self.step(LinkUp(peer="other", line=self.other_line))

    def other_down(self) -> None:
        self.other_up = False
        self.to_other.clear()
        self.step(LinkDown(peer="other", line=self.other_line))

    def _deliver(self, effect: Send) -> None:
        if effect.peer != "other":
            super()._deliver(effect)
        elif self.other_up:
            self.to_other.append(effect.raw)
            if self.other_answers:
                self.other_works()

    def other_works(self, *, deaf: bool = False) -> list[bytes]:
        """The other bank takes what lies before it; ``deaf``: its answers are lost, and returned."""
        waiting, self.to_other = self.to_other, []
        lost = []
        for raw in waiting:
            answer = self.other.handle(CODEC.decode(raw))
            if answer is not None and deaf:
                lost.append(CODEC.encode(answer))
            elif answer is not None:
                self.step(Received(peer="other", line=self.other_line, raw=CODEC.encode(answer)))
        return lost

    def settle(self) -> None:
        """Everything that waits may happen."""
        self.release()
        self.bank_answers = self.other_answers = True
        if not self.bank_up:
            self.bank_back()
        if not self.other_up:
            self.other_back()
        for _ in range(8):
            self.bank_works()
            self.other_works()
            self.wait(120)
            self.release()

    def moved(self) -> tuple[int, int]:
        """What left the payers, and what reached the receivers."""
        gone = sum(PAYER_FEN - self.bank.balance(pan) for pan in PANS)
        return gone, sum(self.other.balance(pan) - RECEIVER_FEN for pan in RECEIVERS)

    def transfers(self) -> list[tuple[str, str]]:
        """State and note of each transfer in the journal."""
        return [(v[-1].state, v[-1].note) for v in self.journal.values() if v[-1].kind == "transfer_banks"]


def transfer(
    trace: int, fen: int = 1_000, payer: str = PANS[0], receiver: str = RECEIVERS[0], **more: Any
) -> Message:
    return request(trace, pan=payer, fen=fen, code="400000", **({"f103": receiver} | more))
