"""The fast road and the slow road read and write alike; what was written is read again, byte for byte.

Goal: a message means one thing however often its shape was met. Method: random messages of every dialect through a
codec that is cold, warm and hot; mutated bytes, where both roads must give the same value or the same fault.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.codec.iso8583.compile import COUNTED_MAX, HOT, SHAPES_MAX, Codec, compile_spec
from jinka.codec.iso8583.dialects import DIALECTS
from jinka.codec.iso8583.message import DecodeError, EncodeError, Message
from jinka.codec.iso8583.spec import MessageSpec
from jinka.codec.iso8583.wire import decode_slowly, encode_slowly
from tests.codec.iso8583.messages import messages, mutated

NAMES = list(DIALECTS)


def hot_codec(spec: MessageSpec, message: Message) -> Codec:
    """A codec that has met this shape often enough."""
    codec = compile_spec(spec)
    raw = encode_slowly(spec, message)
    for _ in range(HOT):
        codec.encode(message)
        codec.decode(raw)
    return codec


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(data=st.data())
def test_both_roads_write_and_read_the_same(name: str, data: st.DataObject) -> None:
    spec = DIALECTS[name]
    message = data.draw(messages(spec))
    raw = encode_slowly(spec, message)
    assert decode_slowly(spec, raw) == message
    codec = hot_codec(spec, message)
    assert codec._decoders
    assert codec._encoders, "otherwise the slow road is compared with itself"
    fields = dict(message.fields)
    assert next(iter(codec._decoders.values()))(raw) == message, "the fast road itself, without its net"
    assert next(iter(codec._encoders.values()))(message.mti, fields) == raw
    assert codec.decode(raw) == message
    assert codec.encode(message) == raw


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_both_roads_refuse_the_same(name: str, data: st.DataObject, seed: int) -> None:
    spec = DIALECTS[name]
    message = data.draw(messages(spec, most=6))
    raw = encode_slowly(spec, message)
    codec = hot_codec(spec, message)
    dice = random.Random(seed)
    for _ in range(8):
        changed = mutated(raw, dice)
        assert _outcome(codec.decode, changed) == _outcome(decode_slowly, spec, changed)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(data=st.data())
def test_both_roads_refuse_the_same_values(name: str, data: st.DataObject) -> None:
    spec = DIALECTS[name]
    message = data.draw(messages(spec, most=5).filter(lambda m: m.fields))
    codec = hot_codec(spec, message)
    number = data.draw(st.sampled_from(sorted(message.fields)))
    odd = data.draw(
        st.one_of(
            st.text(max_size=20), st.binary(max_size=20), st.integers(), st.none(), st.lists(st.just("1"))
        )
    )
    changed = Message(mti=message.mti, fields=dict(message.fields) | {number: odd})
    assert _outcome(codec.encode, changed) == _outcome(encode_slowly, spec, changed)


def _outcome(call: Callable[..., object], *given: object) -> object:
    try:
        return call(*given)
    except (DecodeError, EncodeError) as error:
        return type(error), error.what, error.path, error.offset


def test_a_thousand_shapes_compile_a_bounded_number_of_functions() -> None:
    codec = compile_spec(DIALECTS["iso1987-bcd"])
    numbers = [3, 4, 7, 11, 12, 13, 15, 18, 22, 24]
    for pattern in range(1, 2 ** len(numbers)):
        fields = {n: "0" * codec.spec.fields[n].size for i, n in enumerate(numbers) if pattern >> i & 1}
        message = Message(mti="0800", fields=fields)
        raw = codec.encode(message)
        for _ in range(HOT if pattern < 2 * SHAPES_MAX else 2):
            codec.encode(message)
            codec.decode(raw)
    assert len(codec._decoders) == SHAPES_MAX
    assert len(codec._encoders) == SHAPES_MAX
    assert len(codec._met) <= COUNTED_MAX
