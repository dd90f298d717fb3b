"""Bulk derivation of card keys and bulk TACs over numpy arrays: what `jinka.crypto.block` does for one card.

JR/T 0025.1 (diversification, TAC); the SM4 form is Jinka's profile. A check is: derive the card's TAC key
from the issuer's root at one level, then MAC the padded message. Kernels are compiled on first use and kept on
disk; they release the GIL. Little-endian machines only. Nothing here compares a TAC or keeps a key.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from jinka.codec import Algorithm
from jinka.crypto.block import des_mac4, diversify, sm4_mac4
from jinka.crypto.bulk_des import des_macs_kernel, tdes_diversify_kernel, tdes_tacs_kernel
from jinka.crypto.bulk_messages import pack_load, pack_purchase
from jinka.crypto.bulk_sha256 import prefixed_sha256
from jinka.crypto.bulk_sm4 import sm4_diversify_kernel, sm4_macs_kernel, sm4_tacs_kernel
from jinka.crypto.purse import tac_key
from jinka.kit import JinkaError, Usage

Bytes = npt.NDArray[np.uint8]

MAX_BOUND = 2**32 - 1  # amounts and balances are 4 bytes inside a TAC
_MAX_BLOCKS = 8
_KINDS: dict[str, tuple[Any, ...]] = {
    "amount": ("int64",),
    "balance": ("int64",),
    "counter": ("uint16",),
    "date": ("uint8", 4),
    "terminal_id": ("uint8", 6),
    "terminal_serial": ("uint32",),
    "time": ("uint8", 3),
    "txn_type": ("uint8",),
}
_SLICE = 512  # rows that the DES kernel takes at a time: slices for threads are multiples of it


def tdes_tacs(root16: bytes, factors: Bytes, messages: Bytes, *, threads: int = 1) -> Bytes:
    """Return (N, 4) TACs of padded ``messages`` (N, 8b), b from 1 to 8, by 3DES roots and DES CBC-MACs.

    ``factors`` (N, 8) make each card's key from ``root16``; the TAC key is left XOR right half of it.
    """
    root = _root(root16)
    _check(factors, messages, block=8)
    seeds, texts = _blocks(factors), _blocks(messages)
    out = np.empty((len(seeds), 1), dtype=np.uint64)
    _in_slices(lambda part: tdes_tacs_kernel(root, seeds[part], texts[part], out[part]), len(seeds), threads)
    return out.view(np.uint8)[:, :4]


def sm4_tacs(root16: bytes, factors: Bytes, messages: Bytes, *, threads: int = 1) -> Bytes:
    """Return (N, 4) TACs of padded ``messages`` (N, 16b), b from 1 to 8, by SM4 CBC-MAC under card keys."""
    root = _root(root16)[None]
    _check(factors, messages, block=16)
    seeds, texts = _frozen(factors), _frozen(messages)
    out = np.empty((len(seeds), 4), dtype=np.uint8)
    _in_slices(lambda part: sm4_tacs_kernel(root, seeds[part], texts[part], out[part]), len(seeds), threads)
    return out


def tdes_tacs_of_keys(keys: Bytes, messages: Bytes, *, threads: int = 1) -> Bytes:
    """As `tdes_tacs`, with the cards' keys (N, 16) given: what a root that stays elsewhere derived."""
    _check_keys(keys)
    _check(keys[:, :8], messages, block=8)
    seeds, texts = _blocks(keys[:, :8] ^ keys[:, 8:]), _blocks(messages)
    out = np.empty((len(seeds), 1), dtype=np.uint64)
    _in_slices(lambda part: des_macs_kernel(seeds[part], texts[part], out[part]), len(seeds), threads)
    return out.view(np.uint8)[:, :4]


def sm4_tacs_of_keys(keys: Bytes, messages: Bytes, *, threads: int = 1) -> Bytes:
    """As `sm4_tacs`, with the cards' keys (N, 16) given."""
    _check_keys(keys)
    _check(keys[:, :8], messages, block=16)
    given, texts = _frozen(keys), _frozen(messages)
    out = np.empty((len(given), 4), dtype=np.uint8)
    _in_slices(lambda part: sm4_macs_kernel(given[part], texts[part], out[part]), len(given), threads)
    return out


def tdes_diversify(root16: bytes, factors: Bytes, *, threads: int = 1) -> Bytes:
    """Return (N, 16) keys one level down: ``E3(root, f) | E3(root, ~f)`` for ``factors`` (N, 8)."""
    root = _root(root16)
    _check(factors, None, block=8)
    seeds = _blocks(factors)
    out = np.empty((len(seeds), 2), dtype=np.uint64)
    _in_slices(lambda part: tdes_diversify_kernel(root, seeds[part], out[part]), len(seeds), threads)
    return out.view(np.uint8)


def sm4_diversify(root16: bytes, factors: Bytes, *, threads: int = 1) -> Bytes:
    """Return (N, 16) keys one level down: ``SM4(root, f | ~f)`` for ``factors`` (N, 8)."""
    root = _root(root16)[None]
    _check(factors, None, block=16)
    seeds = _frozen(factors)
    out = np.empty((len(seeds), 16), dtype=np.uint8)
    _in_slices(lambda part: sm4_diversify_kernel(root, seeds[part], out[part]), len(seeds), threads)
    return out


def purchase_messages(
    *,
    amount: npt.NDArray[np.int64],
    txn_type: Bytes,
    terminal_id: Bytes,
    terminal_serial: npt.NDArray[np.uint32],
    date: Bytes,
    time: Bytes,
    block: int,
) -> Bytes:
    """Return what a purchase's TAC binds, padded: (N, 24) for ``block`` 8, (N, 32) for 16.

    ``amt4 | type1 | term6 | termSN4 | date4 | time3``; terminal_id (N, 6), date (N, 4), time (N, 3) are bytes.
    Raises `Usage` if an amount does not fit 4 bytes: the caller sets such rows aside first.
    """
    rows = len(amount)
    columns = _columns(
        rows,
        block,
        amount=amount,
        txn_type=txn_type,
        terminal_id=terminal_id,
        terminal_serial=terminal_serial,
        date=date,
        time=time,
    )
    out = np.zeros((rows, 24 if block == 8 else 32), dtype=np.uint8)
    pack_purchase(*columns, out)
    return out


def load_messages(
    *,
    balance: npt.NDArray[np.int64],
    counter: npt.NDArray[np.uint16],
    amount: npt.NDArray[np.int64],
    txn_type: Bytes,
    terminal_id: Bytes,
    date: Bytes,
    time: Bytes,
    block: int,
) -> Bytes:
    """Return what a load's TAC binds, padded: (N, 32) for either ``block``, 8 or 16.

    ``newbal4 | onlineATC2 | amt4 | type1 | term6 | date4 | time3``; ``counter`` is the one before the load.
    Raises `Usage` if an amount or a balance does not fit 4 bytes.
    """
    rows = len(amount)
    columns = _columns(
        rows,
        block,
        balance=balance,
        counter=counter,
        amount=amount,
        txn_type=txn_type,
        terminal_id=terminal_id,
        date=date,
        time=time,
    )
    out = np.zeros((rows, 32), dtype=np.uint8)
    pack_load(*columns, out)
    return out


def warm_up() -> None:
    """Compile every kernel, or fetch it from the cache on disk, and test each against `jinka.crypto.block`.

    Call it before processes are spawned. Raises `JinkaError` if a kernel gives a wrong answer.
    """
    root, factor = bytes(range(16)), bytes(range(8, 16))
    one: dict[str, Any] = {
        "amount": np.array([1], dtype=np.int64),
        "txn_type": np.array([6], dtype=np.uint8),
        "terminal_id": np.array([[0, 0x11, 0x22, 0x33, 0x44, 0x55]], dtype=np.uint8),
        "date": np.array([[0x20, 0x18, 9, 1]], dtype=np.uint8),
        "time": np.array([[0x13, 0x46, 0]], dtype=np.uint8),
    }
    seeds = np.frombuffer(factor, dtype=np.uint8)[None]
    bought = purchase_messages(**one, terminal_serial=np.array([2], dtype=np.uint32), block=8)
    counter = np.array([3], dtype=np.uint16)
    loaded = load_messages(**one, balance=one["amount"], counter=counter, block=16)
    key, sm4_key = diversify(Algorithm.TDES, root, factor), diversify(Algorithm.SM4, root, factor)
    answers = {
        "3DES key": (tdes_diversify(root, seeds), key),
        "SM4 key": (sm4_diversify(root, seeds), sm4_key),
        "3DES TAC": (
            tdes_tacs(root, seeds, bought),
            des_mac4(
                tac_key(Algorithm.TDES, key), bytes.fromhex("00000001060011223344550000000220180901134600")
            ),
        ),
        "SM4 TAC": (
            sm4_tacs(root, seeds, loaded),
            sm4_mac4(sm4_key, bytes.fromhex("000000010003000000010600112233445520180901134600")),
        ),
        "3DES TAC of a key": (
            tdes_tacs_of_keys(np.frombuffer(key, np.uint8)[None], bought),
            tdes_tacs(root, seeds, bought).tobytes(),
        ),
        "SM4 TAC of a key": (
            sm4_tacs_of_keys(np.frombuffer(sm4_key, np.uint8)[None], loaded),
            sm4_tacs(root, seeds, loaded).tobytes(),
        ),
        "SHA-256": (prefixed_sha256(0, bought), hashlib.sha256(b"\0" + bought.tobytes()).digest()),
    }
    for name, (found, wanted) in answers.items():
        if found.tobytes() != wanted:
            raise JinkaError(f"the kernel's {name} is wrong", where="bulk", fix="empty numba's cache")


def _root(root16: bytes) -> Bytes:
    if len(root16) != 16:
        raise Usage("not 16 bytes", where="bulk.root16", fix="pass a double-length key")
    if sys.byteorder != "little":
        raise Usage("a big-endian machine", where="bulk", fix="use jinka.crypto.block")
    return np.frombuffer(root16, dtype=np.uint8)


def _check_keys(keys: Bytes) -> None:
    if keys.dtype != np.uint8 or keys.ndim != 2 or keys.shape[1] != 16:
        raise Usage(f"{keys.dtype} of shape {keys.shape}", where="bulk.keys", fix="uint8 (N, 16)")


def _check(factors: Bytes, messages: Bytes | None, *, block: int) -> None:
    if factors.dtype != np.uint8 or factors.ndim != 2 or factors.shape[1] != 8:
        raise Usage(f"{factors.dtype} of shape {factors.shape}", where="bulk.factors", fix="uint8 (N, 8)")
    if messages is None:
        return
    widths = range(block, _MAX_BLOCKS * block + 1, block)
    if messages.dtype != np.uint8 or messages.ndim != 2 or messages.shape[1] not in widths:
        raise Usage(
            f"{messages.dtype} of shape {messages.shape}",
            where="bulk.messages",
            fix=f"uint8 (N, {block} to {_MAX_BLOCKS * block}), padded",
        )
    if len(messages) != len(factors):
        raise Usage(
            f"{len(messages)} messages, {len(factors)} factors", where="bulk", fix="one of each a row"
        )


def _columns(rows: int, block: int, **columns: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Check the columns of a message against `_KINDS` and return them in the order given, frozen."""
    if block not in (8, 16):
        raise Usage(f"a block of {block} bytes", where="bulk.block", fix="8 for DES, 16 for SM4")
    for name, column in columns.items():
        dtype, *tail = _KINDS[name]
        if column.shape != (rows, *tail) or column.dtype != dtype:
            raise Usage(
                f"{column.dtype} of shape {column.shape}",
                where=f"bulk.{name}",
                fix=f"{dtype} {(rows, *tail)}",
            )
        if dtype == "int64" and rows and not (column.min() >= 0 and column.max() <= MAX_BOUND):
            raise Usage("a value that 4 bytes do not hold", where=f"bulk.{name}", fix="set such rows aside")
    return [_frozen(column) for column in columns.values()]


def _frozen(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A contiguous read-only view: kernels are compiled for that one kind of array, and never for another."""
    view = np.require(column, requirements=["C", "A"]).view()
    view.flags.writeable = False
    return view


def _blocks(data: Bytes) -> npt.NDArray[np.uint64]:
    """Contiguous bytes (N, 8B) as uint64 (N, B) in the machine's order."""
    return _frozen(np.ascontiguousarray(data).view(np.uint64))


def _in_slices(work: Callable[[slice], object], rows: int, threads: int) -> None:
    """Run ``work`` over slices of the rows, one for each thread."""
    if threads < 1:
        raise Usage(f"{threads} threads", where="bulk.threads", fix="1 or more")
    size = max(1, -(-rows // (threads * _SLICE))) * _SLICE
    parts = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    if len(parts) == 1 or threads == 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(work, parts))
