"""A key service for clearing tests: TAC roots in the open, TACs recomputed one by one by the scalar code."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from jinka.codec import Algorithm
from jinka.crypto import diversify, mac4, tac_key
from jinka.keys.port import TacStatus

ROOTS: Mapping[tuple[Algorithm, int], bytes] = {
    (algorithm, version): hashlib.sha256(f"{algorithm.name} {version}".encode()).digest()[:16]
    for algorithm in Algorithm
    for version in (1, 2, 3)
}


def tac(row: Mapping[str, object], roots: Mapping[tuple[Algorithm, int], bytes] = ROOTS) -> bytes:
    algorithm = Algorithm(row["algorithm"])
    key = tac_key(algorithm, diversify(algorithm, roots[algorithm, row["key_version"]], row["card_no"][2:]))
    tail = row["terminal_id"]
    when = row["local_date"] + row["local_time"]
    head = row["amount"].to_bytes(4, "big") + bytes([row["txn_type"]]) + tail
    if row["txn_type"] in (1, 2):
        head = row["balance"].to_bytes(4, "big") + row["counter"].to_bytes(2, "big") + head
        return mac4(algorithm, key, head + when)
    return mac4(algorithm, key, head + row["terminal_serial"].to_bytes(4, "big") + when)


class OpenKeys:
    """`verify_tacs` and the batch seals of the KeyService port."""

    def verify_tacs(self, records: pa.RecordBatch) -> pa.Array:
        return pa.array([int(self._status(row)) for row in records.to_pylist()], pa.uint8())

    def _status(self, row: dict[str, object]) -> TacStatus:
        if row["tac"] is None:
            return TacStatus.ABSENT
        if len(row["tac"]) != 4:
            return TacStatus.MALFORMED
        try:
            return TacStatus.OK if tac(row) == row["tac"] else TacStatus.WRONG
        except (KeyError, ValueError):
            return TacStatus.NO_KEY
        except OverflowError:
            return TacStatus.WRONG

    def seal_batch(self, *, terminal_id: bytes, header: bytes, digest32: bytes) -> bytes:
        return hmac.digest(b"terminal" + terminal_id, header + digest32, "sha256")

    def check_batch_seals(self, terminal_ids, headers, digests32, seals):
        made = [
            self.seal_batch(terminal_id=t, header=h, digest32=d)
            for t, h, d in zip(terminal_ids, headers, digests32, strict=True)
        ]
        return np.array([m == s for m, s in zip(made, seals, strict=True)], np.bool_)
