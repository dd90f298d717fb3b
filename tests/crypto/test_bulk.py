"""Bulk kernels against published vectors and, row by row, against `jinka.crypto.block` (OpenSSL)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.codec import Algorithm
from jinka.crypto import bulk, bulk_des, bulk_messages, bulk_sm4
from jinka.crypto.block import des_mac4, diversify, sm4_mac4, tdes_encrypt
from jinka.crypto.purse import tac_key
from jinka.kit import Usage

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/crypto.json").read_text())
SIZES = (0, 1, 63, 64, 65, 511, 512, 513, 1000)
TACS = {Algorithm.TDES: bulk.tdes_tacs, Algorithm.SM4: bulk.sm4_tacs}
KEYS = {Algorithm.TDES: bulk.tdes_diversify, Algorithm.SM4: bulk.sm4_diversify}
MACS = {Algorithm.TDES: des_mac4, Algorithm.SM4: sm4_mac4}
BLOCK = {Algorithm.TDES: 8, Algorithm.SM4: 16}


def rows(*texts: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.array([list(bytes.fromhex(text)) for text in texts], dtype=np.uint8)


def noise(seed: int, *shape: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def padded(data: bytes, block: int) -> list[int]:
    return list(data + b"\x80" + bytes(-(len(data) + 1) % block))


def one_tac(algorithm: Algorithm, root: bytes, factor: bytes, data: bytes) -> bytes:
    return MACS[algorithm](tac_key(algorithm, diversify(algorithm, root, factor)), data)


@pytest.mark.parametrize("vector", VECTORS["des"], ids=lambda v: v["source"])
def test_des_vectors(vector: dict[str, str]) -> None:
    key, cipher = bytes.fromhex(vector["key"]), bytes.fromhex(vector["cipher"])
    assert tdes_encrypt(key, bytes.fromhex(vector["plain"])) == cipher
    # With K | K as root, E-D-E is one DES, and the left half of the derived key is its output.
    assert bulk.tdes_diversify(key * 2, rows(vector["plain"])).tobytes()[:8] == cipher


@pytest.mark.parametrize("vector", VECTORS["diversify"], ids=lambda v: v["source"])
def test_diversification_vectors(vector: dict[str, str]) -> None:
    algorithm, key = Algorithm[vector["algorithm"]], bytes.fromhex(vector["key"])
    assert KEYS[algorithm](key, rows(vector["factor"])).tobytes() == bytes.fromhex(vector["derived"])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_diversification_is_that_of_one_card(algorithm: Algorithm, size: int) -> None:
    root, factors = noise(size, 16).tobytes(), noise(size + 1, size, 8)
    made = KEYS[algorithm](root, factors)
    assert made.shape == (size, 16)
    assert [row.tobytes() for row in made] == [diversify(algorithm, root, f.tobytes()) for f in factors]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_tacs_are_those_of_one_card(algorithm: Algorithm, size: int) -> None:
    root, factors, data = noise(size, 16).tobytes(), noise(size + 1, size, 8), noise(size + 2, size, 22)
    messages = np.array([padded(d.tobytes(), BLOCK[algorithm]) for d in data], dtype=np.uint8)
    made = TACS[algorithm](root, factors, messages.reshape(size, -1 if size else 32))
    assert made.shape == (size, 4)
    wanted = [one_tac(algorithm, root, f.tobytes(), d.tobytes()) for f, d in zip(factors, data, strict=True)]
    assert [row.tobytes() for row in made] == wanted
    if algorithm is Algorithm.TDES:
        keys = bulk.tdes_diversify(root, factors)
        again = bulk.tdes_tacs_of_keys(keys, messages.reshape(size, -1 if size else 32), threads=2)
        assert [row.tobytes() for row in again] == wanted


@settings(max_examples=60)
@given(
    algorithm=st.sampled_from(list(Algorithm)),
    root=st.binary(min_size=16, max_size=16),
    factor=st.binary(min_size=8, max_size=8),
    data=st.binary(max_size=63),
)
def test_tac_of_any_message(algorithm: Algorithm, root: bytes, factor: bytes, data: bytes) -> None:
    message = np.array([padded(data, BLOCK[algorithm])], dtype=np.uint8)
    made = TACS[algorithm](root, rows(factor.hex()), message)
    assert made.tobytes() == one_tac(algorithm, root, factor, data)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_threads_slices_and_strides_do_not_change_the_answer(algorithm: Algorithm) -> None:
    cards, messages = noise(1, 3000, 10), noise(2, 3000, 2 * BLOCK[algorithm])
    root, factors = bytes(range(16)), cards[:, 2:10]  # a strided view, as over a column of card numbers
    whole = TACS[algorithm](root, factors, messages)
    assert (TACS[algorithm](root, factors, messages, threads=3) == whole).all()
    part = slice(1, 2999, 7)
    assert (TACS[algorithm](root, factors[part], messages[part]) == whole[part]).all()
    keys = KEYS[algorithm](root, factors)
    assert (KEYS[algorithm](root, factors, threads=2) == keys).all()


def test_a_load_and_a_purchase_of_a_real_card() -> None:
    load, purchase = VECTORS["tac"]
    when = {name: rows(vector["date_time"]) for name, vector in (("load", load), ("purchase", purchase))}
    terminal = rows("001122334455")
    made = bulk.load_messages(
        balance=np.array([0x2000]),
        counter=np.array([0], dtype=np.uint16),
        amount=np.array([0x2000]),
        txn_type=np.array([2], dtype=np.uint8),
        terminal_id=terminal,
        date=when["load"][:, :4],
        time=when["load"][:, 4:],
        block=8,
    )
    data = bytes.fromhex(load["data"] + load["date_time"])
    assert made.tobytes() == bytes(padded(data, 8))
    assert des_mac4(bytes.fromhex(load["tac_key"]), data) == bytes.fromhex(load["tac"])
    bought = bulk.purchase_messages(
        amount=np.array([1]),
        txn_type=np.array([6], dtype=np.uint8),
        terminal_id=terminal,
        terminal_serial=np.array([0], dtype=np.uint32),
        date=when["purchase"][:, :4],
        time=when["purchase"][:, 4:],
        block=8,
    )
    data = bytes.fromhex(purchase["data"] + purchase["date_time"])
    assert bought.tobytes() == bytes(padded(data, 8))
    assert des_mac4(bytes.fromhex(purchase["tac_key"]), data) == bytes.fromhex(purchase["tac"])


def columns(size: int) -> dict[str, Any]:
    return {
        "amount": np.arange(size, dtype=np.int64),
        "txn_type": np.full(size, 6, dtype=np.uint8),
        "terminal_id": noise(3, size, 6),
        "date": noise(4, size, 4),
        "time": noise(5, size, 3),
    }


@pytest.mark.parametrize("block", [8, 16])
def test_messages_are_packed_and_padded(block: int) -> None:
    size, balance = 70, np.arange(70, dtype=np.int64) + 0xFFFFFF00
    common, serial = columns(size), np.arange(size, dtype=np.uint32) + 0xFFFFFF00
    counter = np.arange(size, dtype=np.uint16) + 0xFF00
    bought = bulk.purchase_messages(**common, terminal_serial=serial, block=block)
    loaded = bulk.load_messages(**common, balance=balance, counter=counter, block=block)
    assert bought.shape == (size, 24 if block == 8 else 32)
    assert loaded.shape == (size, 32)
    for i in range(size):
        terminal, date, time = (common[name][i].tobytes() for name in ("terminal_id", "date", "time"))
        body = i.to_bytes(4, "big") + b"\x06" + terminal
        wanted = body + int(serial[i]).to_bytes(4, "big") + date + time
        assert bought[i].tobytes() == bytes(padded(wanted, block))
        head = int(balance[i]).to_bytes(4, "big") + int(counter[i]).to_bytes(2, "big")
        assert loaded[i].tobytes() == bytes(padded(head + body + date + time, block))


@pytest.mark.parametrize("amount", [-1, 2**32, 2**63 - 1, -(2**63)])
def test_an_amount_that_4_bytes_do_not_hold_is_refused(amount: int) -> None:
    common = columns(3)
    common["amount"][1] = amount
    serial, counter = np.zeros(3, dtype=np.uint32), np.zeros(3, dtype=np.uint16)
    with pytest.raises(Usage, match="amount"):
        bulk.purchase_messages(**common, terminal_serial=serial, block=8)
    balance = common["amount"]
    with pytest.raises(Usage, match="balance"):
        bulk.load_messages(**columns(3), balance=balance, counter=counter, block=8)


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize(
    ("root", "factors", "messages"),
    [
        (bytes(8), (2, 8), (2, 16)),
        (bytes(24), (2, 8), (2, 16)),
        (bytes(16), (2, 7), (2, 16)),
        (bytes(16), (16,), (2, 16)),
        (bytes(16), (2, 8), (3, 16)),
        (bytes(16), (2, 8), (2, 0)),
        (bytes(16), (2, 8), (2, 20)),
        (bytes(16), (2, 8), (2, 144)),
    ],
)
def test_wrong_shapes_are_refused(
    algorithm: Algorithm, root: bytes, factors: tuple[int, ...], messages: tuple[int, ...]
) -> None:
    with pytest.raises(Usage):
        TACS[algorithm](root, np.zeros(factors, dtype=np.uint8), np.zeros(messages, dtype=np.uint8))


def test_wrong_types_and_threads_are_refused() -> None:
    with pytest.raises(Usage, match="factors"):
        bulk.tdes_diversify(bytes(16), np.zeros((2, 8), dtype=np.int64))
    with pytest.raises(Usage, match="threads"):
        bulk.sm4_diversify(bytes(16), np.zeros((2, 8), dtype=np.uint8), threads=0)
    with pytest.raises(Usage, match="block"):
        bulk.purchase_messages(**columns(1), terminal_serial=np.zeros(1, dtype=np.uint32), block=12)
    with pytest.raises(Usage, match="terminal_serial"):
        bulk.purchase_messages(**columns(1), terminal_serial=np.zeros(1, dtype=np.int64), block=8)


def test_each_kernel_is_compiled_for_one_kind_of_array_only() -> None:
    bulk.warm_up()
    fresh, frozen = (
        noise(1, 700, 8),
        np.frombuffer(noise(2, 5601).tobytes()[1:], dtype=np.uint8).reshape(700, 8),
    )
    for factors in (fresh, frozen, fresh[::2], noise(1, 700, 11)[:, 1:9]):
        messages = noise(9, len(factors), 16)
        for algorithm in Algorithm:
            TACS[algorithm](bytes(16), factors, messages, threads=2)
            KEYS[algorithm](bytes(16), factors)
    kernels = (
        bulk_des.tdes_tacs_kernel,
        bulk_des.tdes_diversify_kernel,
        bulk_sm4.sm4_tacs_kernel,
        bulk_sm4.sm4_diversify_kernel,
        bulk_messages.pack_purchase,
        bulk_messages.pack_load,
    )
    assert [len(kernel.signatures) for kernel in kernels] == [1] * 6


def test_the_self_test_of_warm_up_notices_a_wrong_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "sm4_tacs_kernel", lambda root, factors, messages, out: out.fill(0))
    with pytest.raises(Exception, match="SM4 TAC is wrong"):
        bulk.warm_up()
