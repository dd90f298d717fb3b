"""Cards and modules for tests: scripted randomness, small applications written by hand, a reader that can be pulled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jinka.card import Card, CardOs, PowerCut, Psam, SamKey, make_psam
from jinka.codec import Command
from jinka.terminal import CardRemoved

AID = bytes.fromhex("A000000386980701")
OK = b"\x90\x00"


class Scripted:
    """Gives the values listed, then a running number."""

    def __init__(self, *values: str) -> None:
        self._values = [bytes.fromhex(value) for value in values]
        self._count = 0

    def token_bytes(self, count: int) -> bytes:
        if self._values:
            value = self._values.pop(0)
            assert len(value) == count
            return value
        self._count += 1
        return self._count.to_bytes(count, "big")


def send(card: CardOs, text: str) -> str:
    """One command in hex; the answer in hex."""
    return card.transmit(bytes.fromhex(text)).hex().upper()


def expect(card: CardOs, text: str, answer: str = "9000") -> None:
    found = send(card, text)
    assert found == answer.replace(" ", "").upper(), f"{text} -> {found}"


def application(
    randomness: Scripted,
    keys: Iterable[str],
    *,
    files: Iterable[str] = (),
    content: Iterable[str] = (),
    seal: bool = True,
    passbook: str = "41",
    grey: tuple[bytes, bytes] = (b"", b""),
) -> Card:
    """A card with one application: key file, passbook 0001, purse 0002, log 0018, and what the caller adds.

    ``grey`` are the parameters of a grey lock for passbook and purse (`GreySpec.parameters`).
    ``keys`` are (kid + data) of WRITE KEY in hex, ``files`` (fid + data) of CREATE FILE, ``content`` whole commands.
    """
    card = Card.blank(randomness)
    expect(card, "80E03F0110 38 0600 EF EF 95 FFFF" + AID.hex())
    select(card, "3F01")
    _create(card, "0000 3F 0180 95 EF FFFF".replace(" ", ""))
    tails = ["FFFFFFFF" + lock.hex() if lock else "" for lock in grey]
    _create(card, f"0001 2F 0208 {passbook} EF 00 18 {tails[0]}".replace(" ", ""))
    _create(card, f"0002 2F 0208 F0 EF 00 18 {tails[1]}".replace(" ", ""))
    _create(card, "0018 2E 0A17 F0 EF FFFF".replace(" ", ""))
    for item in files:
        _create(card, item.replace(" ", ""))
    for item in keys:
        raw = bytes.fromhex(item)
        expect(card, f"80D401{raw[0]:02X}{len(raw) - 1:02X}" + raw[1:].hex())
    for item in content:
        expect(card, item)
    if seal:
        select(card, "3F00")
        select(card, "3F01")
    return card


def select(card: CardOs, fid: str) -> None:
    assert send(card, f"00A4000002{fid}").endswith("9000")


def _create(card: CardOs, item: str) -> None:
    raw = bytes.fromhex(item)
    expect(card, Command(0x80, 0xE0, raw[0], raw[1], raw[2:]).build().hex())


def reloaded(card: Card) -> Card:
    """Another card with the same memory and journal, freshly powered."""
    other = Card.blank(card.randomness)
    other.nvm.memory[:] = card.nvm.memory
    other.nvm.journal[:] = card.nvm.journal
    other._directory = None
    other.power_up()
    return other


def watch(card: CardOs, states: list[bytes]) -> None:
    """Note the memory after each transaction of ``card``: the only states that a power-up may find."""
    commit = type(card.nvm).commit

    class Watched(type(card.nvm)):
        __slots__ = ()

        def commit(self, entries: object) -> None:
            commit(self, entries)
            states.append(bytes(self.memory))

    card.nvm.__class__ = Watched


def module(
    keys: list[SamKey], *, transport_key: bytes = bytes(16), randomness: Scripted | None = None
) -> Psam:
    return make_psam(
        terminal_id=bytes.fromhex("440300000001"),
        psam_id=bytes.fromhex("00000000000000000001"),
        keys=keys,
        transport_key=transport_key,
        randomness=randomness or Scripted(),
    )


@dataclass(frozen=True, slots=True)
class Pull:
    """Pull the card at a command: its number in this session, or "money" for the DEBIT or CREDIT.

    ``write`` -1: before the command; n: after n of its writes; None: after it was carried out, before its answer.
    """

    command: int | str
    write: int | None
    torn: bool = False


_MONEY = (0x52, 0x54)


class Reader:
    """A reader from which the card can be pulled; it stays out until `insert`."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self._pull: Pull | None = None
        self._count = 0
        self._out = False

    def insert(self) -> None:
        self.card.nvm.cut_after(None)
        self.card.power_up()
        self._pull, self._count, self._out = None, 0, False

    def pull(self, pull: Pull) -> None:
        self._pull, self._count = pull, 0

    def transmit(self, command: bytes) -> bytes:
        if self._out:
            raise CardRemoved("no card in the reader", where="reader")
        pull, number = self._pull, self._count
        self._count += 1
        if pull is None or (command[1] not in _MONEY if pull.command == "money" else pull.command != number):
            return self.card.transmit(command)
        if pull.write == -1:
            self._out = True
            raise CardRemoved("pulled before the command", where="reader")
        self.card.nvm.cut_after(pull.write, torn=pull.torn)
        try:
            answer = self.card.transmit(command)
        except PowerCut as error:
            self._out = True
            raise CardRemoved("pulled inside the command", where="reader") from error
        self.card.nvm.cut_after(None)
        if pull.write is not None:  # it wrote less than that: the command was served
            return answer
        self._out = True
        raise CardRemoved("pulled before the answer", where="reader")
