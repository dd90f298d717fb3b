"""Other people's clients at the switch, with MACs of their own make, and an issuer's host with a chip behind it.

Method: iso8583sim's `ISO8583Client` and its MACs; pyiso8583 over a plain socket. The chip is a card of this project's
in a terminal whose host is that client: the card itself checks what came back through other people's code.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import iso8583
import pytest
from iso8583sim.core.types import ISO8583Message
from iso8583sim.net import Framing, ISO8583Client
from iso8583sim.security.mac import generate_mac, verify_mac
from iso8583sim.wire import WireFormat, decode_message, encode_message

from jinka.codec import tlv
from jinka.codec.emv_tags import Tag
from jinka.codec.iso8583 import DIALECTS, dialect
from jinka.issuer import IsoIssuer, IsoTerms, IssuerHost
from jinka.switch import SignOn
from jinka.terminal import EmvStatus
from tests.card.emv_rig import PAN as CHIP_PAN
from tests.codec.iso8583.test_peers import pyiso_spec
from tests.issuer.host_rig import OPENING, STRIPE_ONLY, ZONE
from tests.issuer.test_chip_host import Chip
from tests.issuer.test_iso import ACQUIRER
from tests.keys.payments import KEYS
from tests.switch.ground import MAC, config
from tests.switch.tcp import Town, town
from tests.terminal.emv_rig import Tap, sale, terminal

logging.getLogger("iso8583sim").setLevel(logging.CRITICAL)
NOW = 1_700_000_000_000_000
KEY = KEYS[MAC.key][0]
WIRE = WireFormat()  # ASCII with a binary bitmap
FUNDS = 100_000  # of the chip's account
_SIZE = 2


class Issuer:
    """The bank of a town, played by an issuer's host whose card has a chip."""

    def __init__(self) -> None:
        self.chip = Chip()
        bank = self.chip.bank
        bank.host = IssuerHost(
            issuer="bank", books=bank.books, ledger=bank.ledger, checks=bank.host._checks, policy=bank.policy,
            acquirers=[ACQUIRER],
        )  # fmt: skip
        self.iso = IsoIssuer(bank.host, IsoTerms(zone=ZONE))

    def handle(self, message: Any) -> Any:
        return self.iso.handle(message, NOW)

    def books(self) -> tuple[int, int, int]:
        """What the chip's holder and the stripe's have, and what the acquirer is owed."""
        bank = self.chip.bank
        return bank.available("C"), bank.available("B"), bank.owed(owner=ACQUIRER)


@asynccontextmanager
async def bank_town(folder: Path, name: str) -> AsyncIterator[tuple[Town, Issuer]]:
    till = {"codec": dialect(name), "mac": MAC, "sign_on": SignOn.PEER}
    rules = config(till=till, stand_in={}, routes={CHIP_PAN[:6]: "bank", STRIPE_ONLY[:6]: "bank"})
    async with town(folder, rules) as there:
        issuer: Any = Issuer()
        there.bank.bank = issuer
        yield there, issuer


def fields(trace: int, code: str, fen: int, **more: str) -> dict[int, str]:
    base = {
        3: code, 4: f"{fen:012}", 7: "1114221320", 11: f"{trace:06}", 12: "221320", 13: "1114", 25: "00", 32: ACQUIRER,
        41: "T0000001", 42: "M00000000000001", 49: "156",
    }  # fmt: skip
    return base | {int(name[1:]): value for name, value in more.items()}


def elements(mti: str, of: Mapping[int, str]) -> str:
    return mti + of[11] + of[7] + ACQUIRER.zfill(11) + "0" * 11


def stripe(issuer: Issuer, trace: int, fen: int) -> dict[int, str]:
    track = f"{STRIPE_ONLY}=281210110000{issuer.chip.bank.value('101', STRIPE_ONLY).value}"
    return fields(trace, "000000", fen, f22="021", f35=track)


def sealed(mti: str, values: Mapping[int, str]) -> ISO8583Message:
    """With a MAC by iso8583sim's own code, over its own bytes."""
    blank = ISO8583Message(mti=mti, fields={0: mti} | dict(values) | {128: "0" * 16})
    blank.fields[128] = generate_mac(encode_message(blank, WIRE)[:-8], KEY)
    return blank


class Heard(Framing):
    """The client's framing; it keeps the bytes of each answer, which the client does not hand out."""

    async def read(self, reader: asyncio.StreamReader) -> tuple[bytes | None, bytes]:
        found = await super().read(reader)
        _HEARD[decode_message(found[1], WIRE).fields[11]] = found[1]
        return found


_HEARD: dict[str, bytes] = {}


def believed(answer: ISO8583Message) -> ISO8583Message:
    """Its MAC is right."""
    assert verify_mac(_HEARD[answer.fields[11]][:-8], answer.fields[128], KEY)
    return answer


def test_the_client_of_iso8583sim(tmp_path: Path) -> None:
    async def live() -> None:
        async with (
            bank_town(tmp_path, "iso1987-binary") as (there, issuer),
            ISO8583Client("127.0.0.1", there.port, WIRE, Heard()) as client,
        ):

            async def ask(mti: str, values: Mapping[int, str]) -> tuple[str, str]:
                answer = believed(await client.send(sealed(mti, values)))
                return answer.mti, answer.fields[39]

            purchase = stripe(issuer, 2, 1_500)
            assert await ask("0200", purchase) == ("0210", "77")
            assert await ask("0800", {7: "1114221320", 11: "000001", 70: "001"}) == ("0810", "00")
            assert await ask("0800", {7: "1114221321", 11: "000001", 70: "301"}) == ("0810", "00")
            purchase = stripe(issuer, 3, 1_500)
            assert await ask("0200", purchase) == ("0210", "00")
            assert await ask("0200", purchase) == ("0210", "00")
            assert issuer.books() == (FUNDS, OPENING - 1_500, 1_500)
            forged = sealed("0200", stripe(issuer, 4, 1_500))
            forged.fields[4] = f"{1:012}"
            assert believed(await client.send(forged)).fields[39] == "A0"
            many = [client.send(sealed("0200", stripe(issuer, n, 100))) for n in range(10, 30)]
            assert [believed(answer).fields[39] for answer in await asyncio.gather(*many)] == ["00"] * 20
            undone = purchase | {11: "000005", 90: elements("0200", purchase)}
            assert await ask("0400", undone) == ("0410", "00")
            assert issuer.books() == (FUNDS, OPENING - 2_000, 2_000)
            await buy_with_the_chip(client, issuer)
            assert issuer.books() == (FUNDS - 60_000, OPENING - 2_000, 62_000)

    asyncio.run(live())


async def buy_with_the_chip(client: ISO8583Client, issuer: Issuer) -> None:
    """A terminal on a thread of its own, whose way to the host is the client."""
    loop = asyncio.get_running_loop()

    class Way:
        def authorise(self, field55: bytes) -> bytes:
            asked = fields(40, "000000", 60_000, f2=CHIP_PAN, f22="051", f55=field55.hex().upper())
            waiting = asyncio.run_coroutine_threadsafe(client.send(sealed("0200", asked)), loop)
            answer = believed(waiting.result(20))
            return tlv(Tag.ARC, answer.fields[39].encode()) + bytes.fromhex(answer.fields[55])

    found = await asyncio.to_thread(terminal("1").purchase, Tap(issuer.chip.card), sale(60_000), Way())
    assert found.status is EmvStatus.APPROVED_ONLINE, "the card checked its issuer's cryptogram"


@pytest.mark.parametrize("name", ["iso1987-ascii", "iso1987-binary"])
def test_pyiso8583_on_a_plain_socket(tmp_path: Path, name: str) -> None:
    spec, text = pyiso_spec(DIALECTS[name]), name == "iso1987-ascii"
    size = 16 if text else 8  # of a MAC

    def talk(port: int, issuer: Issuer) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:

            def ask(mti: str, values: Mapping[int, str]) -> tuple[str, str]:
                blank = {"t": mti} | {str(n): v for n, v in values.items()} | {"128": "0" * 16}
                raw, _ = iso8583.encode(blank, spec)
                head, mac = bytes(raw[:-size]), generate_mac(bytes(raw[:-size]), KEY)
                message = head + (mac.encode() if text else bytes.fromhex(mac))
                line.sendall(len(message).to_bytes(_SIZE, "big") + message)
                answer = exactly(line, int.from_bytes(exactly(line, _SIZE), "big"))
                found, _ = iso8583.decode(answer, spec)
                assert verify_mac(answer[:-size], found["128"], KEY)
                assert found["11"] == values[11]
                return found["t"], found["39"]

            assert ask("0800", {7: "1114221320", 11: "000001", 70: "001"}) == ("0810", "00")
            purchase = stripe(issuer, 2, 700)
            assert ask("0200", purchase) == ("0210", "00")
            if not text:  # it has no word for a length in bytes before hexadecimal text
                unchipped = fields(3, "000000", 700, f2=CHIP_PAN, f22="051", f55="9F")
                assert ask("0200", unchipped) == ("0210", "30")
            back = purchase | {11: "000004", 90: elements("0200", purchase)}
            assert ask("0400", back) == ("0410", "00")
            assert ask("0400", back | {11: "000005"}) == ("0410", "00")

    async def live() -> None:
        async with bank_town(tmp_path, name) as (there, issuer):
            await asyncio.to_thread(talk, there.port, issuer)
            assert issuer.books() == (FUNDS, OPENING, 0)

    asyncio.run(live())


def exactly(line: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = line.recv(size - len(found))
        assert more, "the line was closed"
        found += more
    return found


def test_macs_of_these_tests_can_fail() -> None:
    message = sealed("0800", {7: "1114221320", 11: "000001", 70: "301"})
    _HEARD["000001"] = encode_message(message, WIRE)
    believed(message)
    _HEARD["000001"] = _HEARD["000001"].replace(b"1114", b"1115")
    with pytest.raises(AssertionError):
        believed(message)
