"""A terminal, an issuer and cards that meet: shared by the tests of the bank kernels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from jinka.card import Card
from jinka.issuer.emv import EmvIssuer, IssuerKeys, Question
from jinka.sectors import bank
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import AidData, EmvDevice, EmvTerminal, QpbocTerminal, Sale
from jinka.terminal.link import CardRemoved
from tests.card.emv_rig import CA_KEY, MASTER, TODAY

AT = dt.datetime.combine(TODAY, dt.time(8, 30))
APPLICATION = AidData(
    aid=bank.AID_DEBIT[:7],
    floor_limit_fen=50_000,
    random_threshold_fen=50_000,
    contactless_limit_fen=100_000,
    contactless_floor_fen=60_000,
    contactless_cvm_fen=60_000,
)
DEVICE = EmvDevice(aids=(APPLICATION,), ca_keys=(CA_KEY,))
KEYS = IssuerKeys(**MASTER)


class Nobody:
    """An issuer that cannot be reached."""

    def authorise(self, request: bytes) -> bytes | None:
        return None


def issuer(
    code: bytes = b"00", scripts: Callable[[EmvIssuer, Question], list[bytes]] | None = None
) -> EmvIssuer:
    if scripts is None:
        return EmvIssuer(KEYS, decide=lambda _: code)
    return EmvIssuer(KEYS, decide=lambda _: code, scripts=scripts)


def sale(fen: int = 1000, *pins: str, **more: object) -> Sale:
    """A sale; the PINs are given one after another."""
    left = list(pins or ("123456",))
    return replace(
        Sale(amount_fen=fen, at=AT, pin=lambda: left.pop(0) if left else None),
        **more,
    )


def terminal(seed: str = "1", **device: object) -> EmvTerminal:
    return EmvTerminal(replace(DEVICE, **device), SeededRandomness(seed))


def reader(seed: str = "1", **device: object) -> QpbocTerminal:
    return QpbocTerminal(replace(DEVICE, **device), SeededRandomness(seed))


def with_application(**changes: object) -> dict[str, object]:
    """A device whose application has other limits or codes."""
    return {"aids": (replace(APPLICATION, **changes),)}


class Tap:
    """Between terminal and card: notes the commands, may change an answer, and can pull the card."""

    def __init__(
        self, card: Card, *, change: Callable[[bytes, bytes], bytes] = lambda _, answer: answer
    ) -> None:
        self.card, self._change = card, change
        self.commands: list[bytes] = []
        self.pull_before: int | None = None
        self.pull_after: int | None = None

    def transmit(self, command: bytes) -> bytes:
        ins = command[1]
        if ins == self.pull_before:
            raise CardRemoved("pulled", where="reader")
        self.commands.append(command)
        answer = self._change(command, self.card.transmit(command))
        if ins == self.pull_after:
            raise CardRemoved("pulled", where="reader")
        return answer
