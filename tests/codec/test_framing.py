"""Frames: every kind of length and head, cut anywhere; lies about lengths end the stream and never fill the memory.

Method: frames of random framings fed in random pieces come out whole; hostile streams give one fault, at its offset.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.codec.framing import (
    FRAME_MAX,
    FRAMINGS,
    INTERBANK_SIZE,
    Frame,
    FrameError,
    Framer,
    Framing,
    Head,
    InterbankHeader,
    LengthKind,
    Tpdu,
    close_bare,
    close_frame,
    framing_of,
    read_interbank,
)
from jinka.kit import Fault, Usage

ALL = [
    Framing(width=width, kind=kind, inclusive=inclusive, tpdu=tpdu, head=head)
    for width, kind, inclusive, tpdu, head in itertools.product((2, 4), LengthKind, (False, True), Tpdu, Head)
    if not (width == 2 and kind is LengthKind.ASCII and head is Head.INTERBANK)
]
TPDU = bytes.fromhex("6000030000")


def frame_of(framing: Framing, message: bytes) -> Frame:
    """A frame with the parts that the framing asks for."""
    header = InterbankHeader(destination="00010000001", source="01020000002", message_size=len(message))
    heads = {Head.NONE: b"", Head.POS: bytes.fromhex("603100311004"), Head.INTERBANK: header.encode()}
    tpdu = b"" if framing.tpdu is Tpdu.NONE else TPDU
    return Frame(message=message, tpdu=tpdu, head=heads[framing.head])


@settings(max_examples=200)
@given(
    framing=st.sampled_from(ALL),
    messages=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5),
    cuts=st.lists(st.integers(1, 50), min_size=1, max_size=20),
)
def test_frames_come_out_as_they_went_in(framing: Framing, messages: list[bytes], cuts: list[int]) -> None:
    frames = [frame_of(framing, message) for message in messages]
    stream = b"".join(close_frame(framing, frame) for frame in frames)
    framer, found, at = Framer(framing), [], 0
    for cut in itertools.cycle(cuts):
        whole, fault = framer.feed(stream[at : at + cut])
        assert fault is None
        found += whole
        at += cut
        if at >= len(stream):
            break
    assert found == frames
    assert framer.held == 0
    assert framer.end() is None


@settings(max_examples=300)
@given(framing=st.sampled_from(ALL), chunks=st.lists(st.binary(max_size=300), max_size=12))
def test_noise_never_fills_the_memory(framing: Framing, chunks: list[bytes]) -> None:
    framer, fault = Framer(framing), None
    for chunk in chunks:
        frames, fault = framer.feed(chunk)
        assert framer.held <= framing.size_max + framing.width
        for frame in frames:
            assert frame.message
        if fault:
            assert fault.fault is Fault.PEER
            assert framer.held == 0
            assert framer.feed(b"more") == ([], fault), "a stream that lied once has no more frames"
            break


@pytest.mark.parametrize(
    ("words", "stream", "offset", "said"),
    [
        ("2-binary", "ffff", 0, "65535"),
        ("4-binary", "7fffffff", 0, "2147483647"),
        ("2-binary", "0000", 0, "no message"),
        ("2-binary-inclusive", "0001", 0, "no message"),
        ("4-ascii", "30302d31", 0, "no number"),
        ("4-ascii", "20203132", 0, "no number"),
        ("2-bcd", "001a", 0, "no number"),
        ("2-binary-tpdu", "000600112233445566", 2, "no TPDU"),
        ("2-binary-tpdu", "00056000030000", 0, "no message"),
        ("unionpay-pos", "000c6000030000abcdef01234500", 7, "no message head"),
        ("unionpay-interbank", "30303437" + "2d" + "00" * 46, 4, "46 bytes"),
        ("unionpay-interbank", "30303437" + "2e02" + "30303939" + "30" * 40 + "00", 6, "total"),
    ],
)
def test_lies_have_an_offset(words: str, stream: str, offset: int, said: str) -> None:
    good = close_frame(framing_of("2-binary"), Frame(message=b"x")) if words == "2-binary" else b""
    frames, fault = Framer(framing_of(words)).feed(good + bytes.fromhex(stream))
    assert len(frames) == bool(good), "frames before the lie are kept"
    assert fault is not None
    assert fault.offset == offset + len(good)
    assert said in str(fault)


def test_a_stream_that_ends_inside_a_frame() -> None:
    framer = Framer(framing_of("2-binary"))
    assert framer.feed(b"\x00\x05abc") == ([], None)
    fault = framer.end()
    assert isinstance(fault, FrameError)
    assert fault.offset == 5


def test_an_answer_goes_back_where_it_came_from() -> None:
    frame = Frame(message=b"a", tpdu=bytes.fromhex("6000031234"), head=b"123456")
    assert frame.answer(b"b") == Frame(message=b"b", tpdu=bytes.fromhex("6012340003"), head=b"123456")


def test_the_head_of_a_dialled_connection() -> None:
    framing = FRAMINGS["unionpay-pos"]
    frame = Frame(
        message=b"m", tpdu=TPDU, head=bytes.fromhex("603100311004"), dialled=b"LRI\x00\x1c" + bytes(28)
    )
    assert Framer(framing).feed(close_frame(framing, frame)) == ([frame], None)


def test_what_cannot_be_sent() -> None:
    framing = framing_of("2-bcd-tpdu")
    for frame in (
        Frame(message=b""), Frame(message=b"m"), Frame(message=b"m", tpdu=TPDU, head=b"x"),
        Frame(message=bytes(9999), tpdu=TPDU), Frame(message=bytes(FRAME_MAX), tpdu=TPDU),
        Frame(message=b"m", tpdu=TPDU, dialled=bytes(33)),
    ):  # fmt: skip
        with pytest.raises(Usage):
            close_frame(framing, frame)
    for words in ("3-binary", "2", "2-octal", "2-binary-x", "2-binary-pos-interbank", ""):
        with pytest.raises(Usage):
            framing_of(words)


def test_the_interbank_header() -> None:
    header = InterbankHeader(
        destination="00010000   ", source="01020000   ", message_size=100, batch=1, transaction="00000001",
        reject="00015",
    )  # fmt: skip
    raw = header.encode()
    assert len(raw) == INTERBANK_SIZE
    assert raw[:6] == b"\x2e\x020146"
    assert read_interbank(raw, total=146) == header
    with pytest.raises(FrameError):
        read_interbank(raw, total=147)
    with pytest.raises(Usage):
        InterbankHeader(destination="1", source="01020000   ", message_size=100).encode()


def test_a_bare_frame_is_a_frame() -> None:
    bare = [framing for framing in ALL if framing.bare]
    assert [framing.width for framing in bare] == [2, 4]
    for framing in bare:
        assert close_bare(framing, b"x" * 300) == close_frame(framing, Frame(message=b"x" * 300))
        for wrong in (b"", b"x" * (FRAME_MAX + 1)):
            with pytest.raises(Usage):
                close_bare(framing, wrong)
