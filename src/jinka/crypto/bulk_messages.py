"""What a TAC binds, packed row by row (JR/T 0025.1).

Shapes and ranges are checked by the caller, `jinka.crypto.bulk`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jinka.crypto.bulk_lanes import kernel


@kernel
def _put_number(out: Any, row: int, at: int, value: Any, width: int) -> None:
    for byte in range(width):
        out[row, at + byte] = np.uint8(value >> np.uint64(8 * (width - 1 - byte)) & np.uint64(255))


@kernel
def _put_bytes(out: Any, row: int, at: int, data: Any) -> None:
    for byte in range(data.shape[1]):
        out[row, at + byte] = data[row, byte]


@kernel
def pack_purchase(
    amount: Any, txn_type: Any, terminal_id: Any, terminal_serial: Any, date: Any, time: Any, out: Any
) -> None:
    """Fill ``out``, which holds zeros: amount, type, terminal, serial, date, time, 80."""
    for row in range(amount.shape[0]):
        _put_number(out, row, 0, np.uint64(amount[row]), 4)
        out[row, 4] = txn_type[row]
        _put_bytes(out, row, 5, terminal_id)
        _put_number(out, row, 11, np.uint64(terminal_serial[row]), 4)
        _put_bytes(out, row, 15, date)
        _put_bytes(out, row, 19, time)
        out[row, 22] = 0x80


@kernel
def pack_load(
    balance: Any, counter: Any, amount: Any, txn_type: Any, terminal_id: Any, date: Any, time: Any, out: Any
) -> None:
    """Fill ``out``, which holds zeros: new balance, counter, amount, type, terminal, date, time, 80."""
    for row in range(amount.shape[0]):
        _put_number(out, row, 0, np.uint64(balance[row]), 4)
        _put_number(out, row, 4, np.uint64(counter[row]), 2)
        _put_number(out, row, 6, np.uint64(amount[row]), 4)
        out[row, 10] = txn_type[row]
        _put_bytes(out, row, 11, terminal_id)
        _put_bytes(out, row, 17, date)
        _put_bytes(out, row, 21, time)
        out[row, 24] = 0x80
