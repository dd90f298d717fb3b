"""The emulated reader, asked by hostile and by honest clients.

Goal: it answers what it does not have with the standard's errors, and no bytes take it down. Method: sockets, with
messages made by our codec and bytes that are none; what other people's clients find is tests/peers.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from jinka.codec.llrp import Bits, Element, Message, Status, element, encode, message, tag_reports
from jinka.codec.llrp.orders import add_inventory, add_tid_read
from jinka.node.reader_emulator import ReaderEmulator
from jinka.node.reader_field import TagField
from jinka.node.reader_link import ReaderLink, read_message
from jinka.node.reader_specs import _meant
from jinka.node.system import SystemClock
from tests.node.reader_rig import tag, until

Talk = Callable[[ReaderEmulator, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _with_client(talk: Talk, *tags: int) -> None:
    async def run() -> None:
        reader = ReaderEmulator(TagField([tag(number) for number in tags]), SystemClock())
        async with reader.serving():
            stream, writer = await asyncio.open_connection("127.0.0.1", reader.port)
            await read_message(stream)
            try:
                async with asyncio.timeout(8):
                    await talk(reader, stream, writer)
            finally:
                writer.close()

    asyncio.run(run())


async def _ask(stream: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: Message) -> Message:
    writer.write(encode(asked))
    while True:
        heard = await read_message(stream)
        if heard.name.endswith("_RESPONSE") or heard.name == "ERROR_MESSAGE":
            return heard


def _status(answer: Message) -> int:
    (status,) = answer.body.all("LLRPStatus")
    assert isinstance(status, Element)
    return int(status["StatusCode"])


@pytest.mark.parametrize(
    ("asked", "name", "code"),
    [
        (message("CUSTOM_MESSAGE", VendorIdentifier=25882), "ERROR_MESSAGE", Status.UNSUPPORTED_MESSAGE),
        (message("RO_ACCESS_REPORT"), "ERROR_MESSAGE", Status.UNSUPPORTED_MESSAGE),
        (message("START_ROSPEC", ROSpecID=7), "START_ROSPEC_RESPONSE", Status.FIELD_ERROR),
        (message("DELETE_ROSPEC", ROSpecID=0), "DELETE_ROSPEC_RESPONSE", Status.SUCCESS),
        (message("ENABLE_ACCESSSPEC", AccessSpecID=7), "ENABLE_ACCESSSPEC_RESPONSE", Status.FIELD_ERROR),
        (add_inventory(0, [1], turn_ms=20), "ADD_ROSPEC_RESPONSE", Status.FIELD_ERROR),
        (add_tid_read(0, 1, words=6), "ADD_ACCESSSPEC_RESPONSE", Status.PARAMETER_ERROR),
        (message("GET_READER_CAPABILITIES"), "GET_READER_CAPABILITIES_RESPONSE", Status.SUCCESS),
        (message("CLOSE_CONNECTION"), "CLOSE_CONNECTION_RESPONSE", Status.SUCCESS),
    ],
)  # fmt: skip
def test_each_request_has_the_standards_answer(asked: Message, name: str, code: int) -> None:
    async def talk(_: ReaderEmulator, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = await _ask(stream, writer, Message(id=77, body=asked.body))
        assert (answer.name, answer.id, _status(answer)) == (name, 77, code)

    _with_client(talk)


def test_a_broken_message_in_a_whole_frame_is_answered_and_the_line_goes_on() -> None:
    async def talk(_: ReaderEmulator, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x04\x16\0\0\0\x0b\0\0\0\x09\0")  # START_ROSPEC, three bytes short
        broken = await read_message(stream)
        assert (broken.name, broken.id, _status(broken)) == ("ERROR_MESSAGE", 9, Status.PARAMETER_ERROR)
        writer.write(b"\x08\x16\0\0\0\x0a\0\0\0\x0a")
        wrong = await read_message(stream)
        assert (wrong.id, _status(wrong)) == (10, Status.UNSUPPORTED_VERSION)
        good = await _ask(stream, writer, message("GET_ROSPECS"))
        assert _status(good) == Status.SUCCESS

    _with_client(talk)


def test_noise_ends_a_line_and_never_the_reader() -> None:
    async def talk(
        reader: ReaderEmulator, stream: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.close()
        chance = random.Random(5)
        for _ in range(40):
            await until(lambda: reader._client is None)
            inside, outside = await asyncio.open_connection("127.0.0.1", reader.port)
            await read_message(inside)
            outside.write(chance.randbytes(chance.randint(1, 60)))
            outside.close()
            await outside.wait_closed()
        await until(lambda: reader._client is None)
        link = ReaderLink("127.0.0.1", reader.port, lambda _: None)
        await link.open()
        assert (await link.ask(message("GET_ROSPECS"))).name == "GET_ROSPECS_RESPONSE"
        await link.close()

    _with_client(talk)


def test_the_life_of_a_rospec_is_that_of_the_standard() -> None:
    async def talk(_: ReaderEmulator, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def state() -> list[int]:
            answer = await _ask(stream, writer, message("GET_ROSPECS"))
            return [spec["CurrentState"] for spec in answer.body.all("ROSpec")]

        async def order(name: str) -> int:
            return _status(await _ask(stream, writer, message(name, ROSpecID=5)))

        assert _status(await _ask(stream, writer, add_inventory(5, [], turn_ms=20))) == Status.SUCCESS
        assert _status(await _ask(stream, writer, add_inventory(5, [], turn_ms=20))) == Status.PARAMETER_ERROR
        assert await state() == [0]
        assert await order("START_ROSPEC") == Status.FIELD_ERROR  # it is disabled
        assert await order("ENABLE_ROSPEC") == Status.SUCCESS
        assert await state() == [1]
        assert await order("START_ROSPEC") == Status.SUCCESS
        assert await state() == [2]
        while (report := await read_message(stream)).name != "RO_ACCESS_REPORT":
            pass
        assert {each.epc for each in tag_reports(report)} == {tag(3).epc}
        assert await order("STOP_ROSPEC") == Status.SUCCESS
        assert await state() == [1]
        assert await order("DISABLE_ROSPEC") == Status.SUCCESS
        assert await state() == [0]
        assert await order("DELETE_ROSPEC") == Status.SUCCESS
        assert await state() == []

    _with_client(talk, 3)


def test_a_tag_that_does_not_fit_the_access_is_not_read() -> None:
    def spec(pointer: int, mask: bytes, data: bytes, *, bank: int = 1, match: bool = True) -> Element:
        target = element(
            "C1G2TargetTag",
            MB=bank,
            Match=match,
            Pointer=pointer,
            TagMask=Bits.of(mask),
            TagData=Bits.of(data),
        )
        return element("AccessSpec", element("AccessCommand", element("C1G2TagSpec", target)))

    one = tag(1)
    for wanted, made in (
        (True, spec(32, b"", b"")),
        (True, spec(32, b"\xff" * 12, one.epc)),
        (False, spec(32, b"\xff" * 12, tag(2).epc)),
        (True, spec(32, b"\xff" * 11 + b"\0", tag(2).epc)),  # the mask leaves the last byte out
        (True, spec(32, b"\xff" * 12, tag(2).epc, match=False)),
        (False, spec(40, b"\xff" * 12, one.epc)),  # beyond the bank's end
        (True, spec(0, b"\xff", one.tid[:1], bank=2)),
        (False, spec(0, b"\xff", b"\x00", bank=3)),
    ):
        assert _meant(made, one) is wanted
