"""Stage verify: the issuer's answer to each TAC, and the card's BCD date and time as a number.

Both are computed over Arrow batches with numpy, because the records pass through Arrow anyway on their way to
the key service. No key is seen here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jinka.codec import RECORD_SCHEMA
from jinka.codec.canonical import fixed_bytes
from jinka.keys.port import KeyService

# What the TAC binds and what names its key; the key service needs no more.
TAC_COLUMNS = (
    "card_no", "txn_type", "amount", "balance", "counter", "terminal_id", "terminal_serial", "local_date",
    "local_time", "issuer", "key_version", "algorithm", "tac",
)  # fmt: skip
LIKE = pa.schema([RECORD_SCHEMA.field(name) for name in TAC_COLUMNS])

_INVALID = 255
_BCD = np.array(
    [(b >> 4) * 10 + (b & 15) if b >> 4 < 10 and b & 15 < 10 else _INVALID for b in range(256)], np.uint8
)
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] + [0] * 243, np.int64)
# What a byte of hours, minutes or seconds adds to hhmmss; far below zero if it is none.
_HOURS, _MINUTES, _SECONDS = (
    np.where(most > _BCD, _BCD.astype(np.int32) * weight, -(10**8)).astype(np.int32)
    for most, weight in ((24, 10_000), (60, 100), (60, 1))
)


def verify(keys: KeyService) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    """The function that `classify` maps over the batches of records; engines may run it in threads or on workers.

    It adds the columns ``tac_status`` and ``at``: YYYYMMDDhhmmss, or 0 if it is no such time.
    """

    def facts(batch: pa.RecordBatch) -> pa.RecordBatch:
        status = keys.verify_tacs(batch)
        return moments(batch).append_column("tac_status", status)

    return facts


def moments(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with the column ``at`` as `verify` adds it."""
    at = local_numbers(fixed_bytes(batch.column("local_date")), fixed_bytes(batch.column("local_time")))
    return batch.append_column("at", pa.array(at))


def local_numbers(date: npt.NDArray[np.uint8], time: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """``(N, 4)`` and ``(N, 3)`` BCD bytes to N numbers YYYYMMDDhhmmss, 0 where they are no calendar time."""
    dates = np.ascontiguousarray(date).view(np.uint32).ravel()
    if len(dates) and (dates == dates[0]).all():  # as good as all batches are of one day
        days = _calendar_days(date[:1])
    else:
        distinct, place = np.unique(dates, return_inverse=True)
        days = _calendar_days(distinct.view(np.uint8).reshape(-1, 4))[place]
    clock = _HOURS[time[:, 0]] + _MINUTES[time[:, 1]] + _SECONDS[time[:, 2]]
    return np.where((clock >= 0) & (days > 0), days * 1_000_000 + clock, 0)


def _calendar_days(date: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """``(N, 4)`` BCD bytes to N numbers YYYYMMDD, 0 where they are no day."""
    century, year2, month, day = (_BCD[date[:, i]].astype(np.int64) for i in range(4))
    year = century * 100 + year2
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    good = (century != _INVALID) & (year2 != _INVALID) & (year > 0)
    good &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= _DAYS[month] + (leap & (month == 2)))
    return np.where(good, (year * 100 + month) * 100 + day, 0)
