"""Other people's software talks to the switch over TCP: messages of pyiso8583 and iso8583sim are answered correctly."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import iso8583
import pytest
from iso8583sim.core.types import ISO8583Message
from iso8583sim.wire import WireFormat, decode_message, encode_message

from jinka.codec.iso8583 import DIALECTS, dialect
from tests.codec.iso8583.test_peers import pyiso_spec
from tests.switch.ground import PANS, config
from tests.switch.tcp import Town, town

logging.getLogger("iso8583sim").setLevel(logging.CRITICAL)
FIELDS = {
    2: PANS[0], 3: "000000", 4: "000000001000", 7: "1114221320", 11: "000001", 12: "221320", 13: "1114", 25: "00",
    32: "101", 41: "T0000001", 42: "M00000000000001", 49: "156",
}  # fmt: skip


async def exchange(there: Town, raw: bytes) -> bytes:
    """One message in a frame of two bytes, by hand: no code of the switch's own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
    writer.write(len(raw).to_bytes(2, "big") + raw)
    size = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), 10), "big")
    answer = await reader.readexactly(size)
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("name", ["iso1987-ascii", "iso1987-binary"])
def test_pyiso8583(tmp_path: Path, name: str) -> None:
    spec = pyiso_spec(DIALECTS[name])

    async def live() -> None:
        async with town(tmp_path, config(till={"codec": dialect(name)})) as there:
            raw, _ = iso8583.encode({"t": "0200"} | {str(n): v for n, v in FIELDS.items()}, spec)
            answer, _ = iso8583.decode(await exchange(there, bytes(raw)), spec)
            assert (answer["t"], answer["39"], answer["11"], answer["38"]) == (
                "0210",
                "00",
                "000001",
                "B12345",
            )
            assert there.bank.bank.balance(PANS[0]) == 10_000_000 - 1_000

    asyncio.run(live())


def test_iso8583sim(tmp_path: Path) -> None:
    wire = WireFormat()  # ASCII with a binary bitmap

    async def live() -> None:
        async with town(tmp_path, config()) as there:
            message = ISO8583Message(mti="0200", fields={0: "0200"} | FIELDS)
            answer = decode_message(await exchange(there, encode_message(message, wire)), wire)
            assert (answer.mti, answer.fields[39], answer.fields[11]) == ("0210", "00", "000001")

    asyncio.run(live())
