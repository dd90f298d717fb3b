"""The key service beside one executor: checks TACs of its partition's cards, and knows no key but theirs.

It makes its own key pair, is enrolled with the issuer's service (`jinka.keys.job`), orders the keys of cards as it
meets them, and forgets them all when the job ends or its time is over. Its one verb is `verify_tacs`; the check is
that of `jinka.keys.tac`. No I/O: the issuer's service and the clock are given.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jinka.codec import Algorithm
from jinka.crypto import bulk
from jinka.crypto.job_seal import Recipient
from jinka.keys.catalogue import KeyName
from jinka.keys.job import ORDER_MAX, order_context
from jinka.keys.provider import Key
from jinka.keys.tac import TacKeys, check_tacs
from jinka.kit import Clock, JinkaError, Refused

Bytes = npt.NDArray[np.uint8]
_MICROS = 1_000_000


class IssuerSide(Protocol):
    """The verbs that a job's service asks of the issuer's."""

    def job_terms(self, *, job: str, recipient: bytes) -> dict[str, Any]: ...
    def order_job_keys(
        self, *, job: str, recipient: bytes, algorithm: Algorithm, version: int, factors8: Bytes
    ) -> bytes: ...


class JobKeyService:
    """Checks TACs for one job. Its ``public`` key must be enrolled before the first check.

    ``lock`` keeps threads apart; a service with one thread needs none.
    """

    def __init__(
        self,
        issuer_side: IssuerSide,
        *,
        job: str,
        clock: Clock,
        threads: int = 1,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self._side, self._job, self._clock, self._threads = issuer_side, job, clock, threads
        self._pair = Recipient()
        self._checking = lock or nullcontext()
        self._keys: TacKeys | None = None
        self._until_s = 0

    @property
    def public(self) -> bytes:
        """What has to be enrolled."""
        return self._pair.public

    @property
    def issuer(self) -> str:
        """Whose TACs these are."""
        return self._terms().issuer

    @property
    def simulated(self) -> bool:
        """It gives no key to anybody."""
        return False

    @property
    def city_factor8(self) -> bytes:
        """It knows no city."""
        return bytes(8)

    @property
    def cards(self) -> int:
        """How many keys it holds."""
        return sum(len(cast(_Cards, held).factors) for held in self._keys.roots.values()) if self._keys else 0

    def verify_tacs(self, records: pa.RecordBatch) -> pa.UInt8Array:
        """See `jinka.keys.KeyService.verify_tacs`; raises `Refused` once the job is over."""
        with self._checking:
            status = check_tacs(records, self._terms(), threads=self._threads)
        return pa.array(status, type=pa.uint8())

    def close(self) -> None:
        """Overwrite the keys and let the pair go; no check works afterwards."""
        with self._checking:
            self._forget()
            self._pair.close()
            self._side = cast(IssuerSide, _Gone())

    def _terms(self) -> TacKeys:
        if self._keys is None:
            terms = self._side.job_terms(job=self._job, recipient=self.public)
            issuer, roots = str(terms["issuer"]), {}
            for text in terms["keys"]:
                name = KeyName.parse(str(text))
                if name.algorithm in Algorithm.__members__:
                    algorithm = Algorithm[name.algorithm]
                    held = _Cards(self._side, self._job, self._pair, issuer, algorithm, name.version)
                    roots[algorithm, name.version] = cast(Key, held)
            self._keys, self._until_s = TacKeys(issuer=issuer, roots=roots), int(terms["until_s"])
        if self._clock.now_micros() // _MICROS >= self._until_s:
            self._forget()
            raise Refused("the job's time is over", where=f"job {self._job}", fix="enrol it anew")
        return self._keys

    def _forget(self) -> None:
        if self._keys is not None:
            for held in self._keys.roots.values():
                cast(_Cards, held).wipe()
        self._keys = None


class _Gone:
    def job_terms(self, **_: object) -> dict[str, Any]:
        raise Refused("the service was closed", where="job", fix="start another one")


class _Cards:
    """The cards' keys of one algorithm and version, in the order of their factors; stands where a root would."""

    def __init__(
        self, side: IssuerSide, job: str, pair: Recipient, issuer: str, algorithm: Algorithm, version: int
    ) -> None:
        self._side, self._job, self._pair, self._issuer = side, job, pair, issuer
        self._algorithm, self._version = algorithm, version
        self.factors: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._values: Bytes = np.empty((0, 16), np.uint8)

    def tacs(self, factors8: Bytes, messages: Bytes, *, threads: int) -> npt.NDArray[np.uint32]:
        """See `jinka.keys.provider.Key.tacs`."""
        wanted = np.ascontiguousarray(factors8).view(np.uint64).ravel()
        self._order(np.setdiff1d(wanted, self.factors))
        keys = self._values[np.searchsorted(self.factors, wanted)]
        make = bulk.tdes_tacs_of_keys if self._algorithm is Algorithm.TDES else bulk.sm4_tacs_of_keys
        made = np.ascontiguousarray(make(keys, messages, threads=threads)).view(np.uint32).ravel()
        keys.fill(0)
        return made

    def wipe(self) -> None:
        self._values.fill(0)
        self.factors, self._values = np.empty(0, np.uint64), np.empty((0, 16), np.uint8)

    def _order(self, missing: npt.NDArray[np.uint64]) -> None:
        for start in range(0, len(missing), ORDER_MAX):
            part = missing[start : start + ORDER_MAX]
            raw = part.view(np.uint8).reshape(-1, 8)
            blob = self._side.order_job_keys(
                job=self._job, recipient=self._pair.public, algorithm=self._algorithm, version=self._version,
                factors8=raw,
            )  # fmt: skip
            context = order_context(self._issuer, self._job, self._algorithm, self._version, raw.tobytes())
            plain = self._pair.open(blob, context=context)
            if len(plain) != 16 * len(part):
                raise JinkaError(f"{len(plain)} bytes of keys for {len(part)} cards", where="job")
            values = np.concatenate([self._values, np.frombuffer(plain, np.uint8).reshape(-1, 16)])
            self._values.fill(0)
            factors = np.concatenate([self.factors, part])
            order = np.argsort(factors)
            self.factors, self._values = factors[order], values[order]
            values.fill(0)


__all__ = ["IssuerSide", "JobKeyService"]
