"""The key service beside whoever runs this: a handle that may be pickled, and connects where it is used.

A job's functions travel to executors; what checks TACs there is a service of that machine (`jinka keys serve-job`). The
environment of the executor names its socket; the handle holds no key and no connection until it is asked.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from jinka.kit import Usage
from jinka.node.key_socket import connect_unix

VARIABLE = "JINKA_JOB_KEYS"  # the socket of the service beside an executor
CALLER = "job"
_connected: dict[str, Any] = {}
_connecting = threading.Lock()


class KeysBeside:
    """`verify_tacs` of the service that `VARIABLE` names in the process where it is called."""

    def verify_tacs(self, records: pa.RecordBatch) -> pa.UInt8Array:
        """See `jinka.keys.KeyService.verify_tacs`; nothing is asked about no records."""
        if not records.num_rows:
            return pa.array([], pa.uint8())
        return cast(pa.UInt8Array, _beside().verify_tacs(records))


def _beside() -> Any:
    path = os.environ.get(VARIABLE, "")
    if not path:
        raise Usage(
            "no key service is named here", where=VARIABLE, fix="start jinka keys serve-job on this machine"
        )
    with _connecting:
        if path not in _connected:
            _connected[path] = connect_unix(Path(path), caller=CALLER)
        return _connected[path]
