"""The soft key service: TACs of whole batches, load MACs, seals, and keys bound to their purpose."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.codec import RECORD_SCHEMA, Algorithm
from jinka.crypto import diversify, load_session, mac4
from jinka.keys import KeyService, Purpose, SoftKeyService, TacStatus, card_factor, city_factor
from jinka.keys.hierarchy import LEVELS
from jinka.kit import Refused, Usage
from tests.keys.ground import REGION, batch_of, held, row, service, signed, store_of

STORE = store_of(held())
KEYS = SoftKeyService(STORE, region=REGION)
OK, WRONG, MALFORMED, NO_KEY, ABSENT = (int(status) for status in TacStatus)


def answers(rows: list[dict[str, Any]], keys: SoftKeyService = KEYS) -> list[int]:
    return keys.verify_tacs(batch_of(rows)).to_pylist()


def test_it_is_a_key_service() -> None:
    checked: KeyService = KEYS
    assert checked is KEYS


def test_right_tacs_of_all_kinds_in_one_batch() -> None:
    rows = [signed(STORE, seed) for seed in range(700)]
    kinds = {(r["algorithm"], r["key_version"], r["txn_type"] in (1, 2)) for r in rows}
    assert len(kinds) == 12
    assert answers(rows) == [OK] * 700
    assert answers(rows, service(threads=2)) == [OK] * 700


PURCHASE_BINDS = {
    "card_no": bytes.fromhex("00440300000000000099"),
    "txn_type": 0x05,
    "amount": 777,
    "terminal_id": b"other!",
    "terminal_serial": 4711,
    "local_date": bytes.fromhex("20180902"),
    "local_time": bytes.fromhex("235959"),
    "key_version": 2,
    "algorithm": 1,
}
LOAD_BINDS = PURCHASE_BINDS | {"balance": 4711, "counter": 99}
del LOAD_BINDS["terminal_serial"]
LOAD_BINDS["txn_type"] = 0x01


@pytest.mark.parametrize("name", PURCHASE_BINDS)
def test_each_field_that_a_purchase_binds(name: str) -> None:
    record = signed(STORE, 1, txn_type=6, key_version=1, algorithm=0)
    assert answers([record, record | {name: PURCHASE_BINDS[name]}]) == [OK, WRONG]


@pytest.mark.parametrize("name", LOAD_BINDS)
def test_each_field_that_a_load_binds(name: str) -> None:
    record = signed(STORE, 2, txn_type=2, key_version=1, algorithm=0, terminal_serial=0)
    assert answers([record, record | {name: LOAD_BINDS[name]}]) == [OK, WRONG]


def test_fields_that_a_purchase_does_not_bind() -> None:
    record = signed(STORE, 3, txn_type=9)
    free = {"balance": 1, "counter": 2, "gross_fare": 9, "operator": "op.x", "psam_id": b"0123456789"}
    assert answers([record | {name: value} for name, value in free.items()]) == [OK] * len(free)
    assert answers([record | {"balance": -1}]) == [OK]


@pytest.mark.parametrize("amount", [-1, 2**32, 2**32 + 250, -(2**63), 2**63 - 1])
@pytest.mark.parametrize("kind", [2, 6])
def test_an_amount_that_cannot_be_bound_is_wrong_not_wrapped(amount: int, kind: int) -> None:
    good = signed(STORE, 4, txn_type=kind, amount=amount % 2**32, algorithm=0, key_version=1)
    assert answers([good, good | {"amount": amount}, good]) == [OK, WRONG, OK]
    if kind == 2:
        loaded = signed(STORE, 5, txn_type=2, balance=amount % 2**32)
        assert answers([loaded | {"balance": amount}, loaded]) == [WRONG, OK]


@pytest.mark.parametrize("tac", [b"", b"\x00", b"123", b"12345", b"0" * 300])
def test_a_tac_of_another_length_is_malformed(tac: bytes) -> None:
    good = signed(STORE, 6)
    assert answers([good | {"tac": tac}, good, good | {"tac": good["tac"] + b"\x00"}]) == [
        MALFORMED,
        OK,
        MALFORMED,
    ]
    assert answers([good | {"tac": good["tac"][:3]}]) == [MALFORMED]


def test_every_flipped_bit_of_a_tac_is_found() -> None:
    good = signed(STORE, 7)
    number = int.from_bytes(good["tac"], "big")
    flipped = [good | {"tac": (number ^ 1 << bit).to_bytes(4, "big")} for bit in range(32)]
    assert answers([good, *flipped]) == [OK] + [WRONG] * 32


@pytest.mark.parametrize(
    "change", [{"key_version": 0}, {"key_version": 4}, {"key_version": 255}, {"algorithm": 2}, {"algorithm": 255},
               {"issuer": "issuer.other"}, {"issuer": ""}],
)  # fmt: skip
def test_no_key(change: dict[str, Any]) -> None:
    good = signed(STORE, 8)
    assert answers([good | change, good, good | change | {"tac": None}]) == [NO_KEY, OK, ABSENT]
    assert answers([good | change | {"tac": b"1"}]) == [MALFORMED]


@given(seed=st.integers(0, 10_000), size=st.integers(0, 40), cut=st.integers(0, 40))
def test_any_mixture_in_any_slice(seed: int, size: int, cut: int) -> None:
    dice = random.Random(seed)
    rows, wanted = [], []
    for i in range(size):
        record = signed(STORE, seed * 50 + i)
        kind = dice.randrange(6)
        if kind == 1:
            record["tac"] = bytes([record["tac"][0] ^ 1]) + record["tac"][1:]
        elif kind == 2:
            record["tac"] = dice.randbytes(dice.choice([0, 1, 3, 5, 9]))
        elif kind == 3:
            record["key_version"] = 9
        elif kind == 4:
            record["tac"] = None
        rows.append(record)
        wanted.append([OK, WRONG, MALFORMED, NO_KEY, ABSENT, OK][kind])
    batch = batch_of(rows)
    cut = min(cut, size)
    assert KEYS.verify_tacs(batch).to_pylist() == wanted
    assert KEYS.verify_tacs(batch.slice(cut)).to_pylist() == wanted[cut:]
    assert KEYS.verify_tacs(batch.slice(0, cut)).to_pylist() == wanted[:cut]


def test_an_empty_batch_and_extra_or_fewer_columns() -> None:
    assert answers([]) == []
    batch = batch_of([signed(STORE, 9)])
    assert KEYS.verify_tacs(batch).type == pa.uint8()
    wide = batch.append_column("record_id", pa.array([5], pa.int64()))
    assert KEYS.verify_tacs(wide).to_pylist() == [OK]
    assert KEYS.verify_tacs(batch.drop_columns(["zone", "psam_id", "line"])).to_pylist() == [OK]
    with pytest.raises(Usage, match="terminal_id"):
        KEYS.verify_tacs(batch.drop_columns(["terminal_id"]))


def test_nulls_and_foreign_types_are_refused() -> None:
    schema = pa.schema([field.with_nullable(True) for field in RECORD_SCHEMA])
    holed = pa.RecordBatch.from_pylist([signed(STORE, 1) | {"amount": None}], schema=schema)
    with pytest.raises(Usage, match="amount: 1 nulls"):
        KEYS.verify_tacs(holed)
    batch = batch_of([signed(STORE, 1)])
    at = batch.schema.get_field_index("amount")
    narrow = batch.set_column(at, "amount", batch.column("amount").cast(pa.int64()).cast(pa.float64()))
    with pytest.raises(Usage, match="double"):
        KEYS.verify_tacs(narrow)


def test_offsets_that_lie_are_refused() -> None:
    """An Arrow file from elsewhere may carry offsets beyond its data: no byte outside may be read."""
    batch = batch_of([signed(STORE, seed) for seed in range(3)])
    for start in (1 << 20, -8):  # Arrow itself looks at the first and last offset only
        offsets = np.array([0, start, start + 4, 12], dtype=np.int32)
        lying = pa.Array.from_buffers(
            pa.binary(), 3, [None, pa.py_buffer(offsets), pa.py_buffer(b"123456789abc")]
        )
        forged = batch.set_column(batch.schema.get_field_index("tac"), "tac", lying)
        with pytest.raises(Usage, match="offsets"):
            KEYS.verify_tacs(forged)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_load_macs(algorithm: Algorithm) -> None:
    factor, seed, data = bytes.fromhex("1122334455667788"), (b"\x11\x22\x33\x44", 7), b"bal4amt4\x02term06"
    key = diversify(algorithm, STORE.root(Purpose.LOAD, algorithm, 1), factor)
    right = mac4(algorithm, load_session(algorithm, key, *seed), data)
    asked: dict[str, Any] = {
        "algorithm": algorithm,
        "version": 1,
        "factor8": factor,
        "session_seed": seed,
        "data": data,
    }
    assert KEYS.make_load_mac2(**asked) == right
    KEYS.check_load_mac1(**asked, mac4=right)
    changed = [bytes([right[0] ^ 0x80]) + right[1:], right[:3], right + b"\x00", b"", bytes(4)]
    for bad in changed:
        with pytest.raises(Refused, match="MAC1"):
            KEYS.check_load_mac1(**asked, mac4=bad)
    for change in ({"session_seed": (seed[0], 8)}, {"data": data + b"\x00"}, {"factor8": bytes(8)}):
        with pytest.raises(Refused, match="MAC1"):
            KEYS.check_load_mac1(**(asked | change), mac4=right)
    with pytest.raises(Refused, match="no such key"):
        KEYS.make_load_mac2(**(asked | {"version": 2}))
    for senseless in (
        {"factor8": bytes(7)},
        {"session_seed": (b"123", 7)},
        {"session_seed": (seed[0], 2**16)},
    ):
        with pytest.raises(Usage):
            KEYS.make_load_mac2(**(asked | senseless))


def test_batch_seals() -> None:
    terminals, headers = [b"term%02d" % i for i in range(5)], [b"header%d" % i for i in range(5)]
    digests = [bytes([i]) * 32 for i in range(5)]
    seals = [
        KEYS.seal_batch(terminal_id=t, header=h, digest32=d)
        for t, h, d in zip(terminals, headers, digests, strict=True)
    ]
    assert len(set(seals)) == 5
    assert {len(seal) for seal in seals} == {32}
    assert KEYS.check_batch_seals(terminals, headers, digests, seals).tolist() == [True] * 5
    wrong = [seals[1], seals[0], seals[2][:31], seals[3] + b"\x00", b""]
    assert KEYS.check_batch_seals(terminals, headers, digests, wrong).tolist() == [False] * 5
    assert KEYS.check_batch_seals(terminals[::-1], headers, digests, seals).tolist() == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert KEYS.check_batch_seals([], [], [], []).tolist() == []
    assert service(1).check_batch_seals(terminals, headers, digests, seals).tolist() == [False] * 5
    with pytest.raises(Usage):
        KEYS.check_batch_seals(terminals, headers, digests, seals[:4])
    with pytest.raises(Usage):
        KEYS.seal_batch(terminal_id=b"short", header=b"", digest32=bytes(32))
    with pytest.raises(Usage):
        KEYS.seal_batch(terminal_id=b"term00", header=b"", digest32=bytes(31))


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("purpose", sorted({name.purpose for name in STORE.roots} & set(LEVELS), key=str))
def test_chip_keys_come_down_the_hierarchy(purpose: Purpose, algorithm: Algorithm) -> None:
    factors = np.random.default_rng(3).integers(0, 256, (70, 8), dtype=np.uint8)
    made = KEYS.chip_keys(purpose, algorithm=algorithm, version=1, factors8=factors)
    parent = STORE.root(purpose, algorithm, 1)
    if purpose in (Purpose.PURCHASE, Purpose.GREY_LOCK):
        assert KEYS.sam_key(purpose, algorithm=algorithm, version=1) == parent
        parent = diversify(algorithm, parent, bytes.fromhex("4403FF0000000000"))
    assert [key.tobytes() for key in made] == [diversify(algorithm, parent, f.tobytes()) for f in factors]


def test_keys_are_bound_to_their_purpose() -> None:
    factors = np.zeros((1, 8), dtype=np.uint8)
    for purpose in (Purpose.BATCH_SEAL, Purpose.RECORD_SEAL):
        with pytest.raises(Refused):
            KEYS.chip_keys(purpose, algorithm=Algorithm.TDES, version=1, factors8=factors)
    for purpose in set(Purpose) - {Purpose.PURCHASE, Purpose.GREY_LOCK}:
        with pytest.raises(Refused):
            KEYS.sam_key(purpose, algorithm=Algorithm.TDES, version=1)
    with pytest.raises(Refused):
        KEYS.chip_keys(Purpose.LOAD, algorithm=Algorithm.TDES, version=2, factors8=factors)


def test_a_service_that_is_not_simulated_gives_no_key_away() -> None:
    keys = service(simulated=False)
    assert not keys.simulated
    for purpose in Purpose:
        with pytest.raises(Refused, match="simulated"):
            keys.sam_key(purpose, algorithm=Algorithm.TDES, version=1)
        with pytest.raises(Refused, match="simulated"):
            keys.chip_keys(
                purpose, algorithm=Algorithm.TDES, version=1, factors8=np.zeros((1, 8), dtype=np.uint8)
            )


@given(plain=st.binary(max_size=300), other=st.binary(max_size=300), context=st.text(max_size=20))
def test_images_are_sealed_alike_each_time_and_open_for_their_context(
    plain: bytes, other: bytes, context: str
) -> None:
    blob = KEYS.seal_image(plain, context=context)
    assert service().seal_image(plain, context=context) == blob  # also after a restart
    assert KEYS.open_image(blob, context=context) == plain
    second = KEYS.seal_image(other, context=context)
    assert (second[4:16] == blob[4:16]) == (plain == other)  # a nonce comes again for the same text only
    assert KEYS.seal_image(plain, context=context + "'") != blob
    with pytest.raises(Refused):
        KEYS.open_image(blob, context=context + "'")
    with pytest.raises(Refused):
        KEYS.open_image(blob[:-1] + bytes([blob[-1] ^ 1]), context=context)
    with pytest.raises(Refused):
        service(1).open_image(blob, context=context)


def test_factors() -> None:
    assert city_factor("440300") == city_factor("4403") == bytes.fromhex("4403FF0000000000")
    assert city_factor("2000").hex() == "2000ff0000000000"
    assert KEYS.city_factor8 == city_factor(REGION)
    for bad in ("", "44", "44030", "44030x", "４４０３", "4403001"):
        with pytest.raises(Usage):
            city_factor(bad)
    assert card_factor(bytes(range(10))) == bytes(range(2, 10))
    with pytest.raises(Usage):
        card_factor(bytes(9))


def test_a_row_without_tac_is_absent_whatever_else() -> None:
    assert answers([row(1), row(2, amount=-5), row(3, issuer="x")]) == [ABSENT] * 3


@pytest.mark.parametrize("purpose", list(Purpose))
def test_online_verbs_serve_unload_and_overdraft_and_make_nothing_but_mac2(purpose: Purpose) -> None:
    keys = service(3)
    size = {Purpose.UNLOAD: 18, Purpose.OVERDRAFT: 17}.get(purpose)
    asked = {
        "algorithm": Algorithm.TDES,
        "version": 1,
        "factor8": bytes(8),
        "session_seed": (bytes(4), 0),
    }
    for length in range(40):
        if length == size:
            assert len(keys.make_online_mac2(purpose, data=bytes(length), **asked)) == 4
        else:  # the lengths of MAC1 and MAC3 among them
            with pytest.raises(Refused):
                keys.make_online_mac2(purpose, data=bytes(length), **asked)
    with pytest.raises(Refused):
        keys.check_online_mac(purpose, data=bytes(15), mac4=bytes(4), **asked)


def test_one_tac_is_checked_as_in_bulk() -> None:
    store = store_of(held(3))
    keys = service(3)
    record = signed(store, 1, txn_type=6, key_version=1, algorithm=0)
    data = (
        record["amount"].to_bytes(4, "big")
        + b"\x06"
        + record["terminal_id"]
        + record["terminal_serial"].to_bytes(4, "big")
        + record["local_date"]
        + record["local_time"]
    )
    asked = {"algorithm": Algorithm.TDES, "version": 1, "factor8": record["card_no"][2:]}
    keys.check_tac(data=data, mac4=record["tac"], **asked)
    for wrong in (bytes(4), b"", record["tac"][:3]):
        with pytest.raises(Refused, match="TAC is wrong"):
            keys.check_tac(data=data, mac4=wrong, **asked)
    with pytest.raises(Refused):
        keys.check_tac(data=data, mac4=record["tac"], **(asked | {"version": 99}))
