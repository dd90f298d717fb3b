"""Verbs for a job on many machines: the key services beside its executors get TAC keys of cards, never a root.

Who runs the job enrols each of these services by its public key, for so long and for so many cards; the service then
orders the keys of the cards that it meets, and they leave sealed for that key (HPKE, RFC 9180), bound to issuer, job,
key and cards. Nothing of this outlives the process. The other side is `jinka.keys.job_service`; the files that a
bureau gets are `jinka.keys.orders`.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
import numpy.typing as npt

from jinka.codec import Algorithm
from jinka.crypto.job_seal import PUBLIC_SIZE, seal_for
from jinka.keys.border import Border, verb
from jinka.keys.catalogue import Use
from jinka.keys.port import Purpose
from jinka.kit import Usage

CARDS_MAX = 1 << 30
ORDER_MAX = 1 << 20  # cards in one order: 16 MB of keys


def order_context(issuer: str, job: str, algorithm: Algorithm, version: int, factors8: bytes) -> bytes:
    """What a sealed order is bound to; both sides make it for themselves."""
    said = {
        "format": "jinka.job-keys/1", "issuer": issuer, "job": job, "key": f"tac/{algorithm.name}/{version}",
        "factors": hashlib.sha256(factors8).hexdigest(),
    }  # fmt: skip
    return json.dumps(said, sort_keys=True).encode()


class JobVerbs(Border):
    """The verbs: two for who runs a job, two for the services beside its executors."""

    @verb
    def enrol_job(self, *, job: str, recipient: bytes, until_s: int, cards: int) -> None:
        """Let the holder of a public key order the TAC keys of at most ``cards`` cards until a time (Unix seconds)."""
        if not 0 < len(job) <= 64 or not job.isprintable():
            raise Usage("1 to 64 letters that can be read", where="enrol_job.job")
        if len(recipient) != PUBLIC_SIZE:
            raise Usage(f"{len(recipient)} bytes", where="enrol_job.recipient", fix=f"{PUBLIC_SIZE} bytes")
        if not 0 < cards <= CARDS_MAX:
            raise Usage(f"{cards} cards", where="enrol_job.cards", fix=f"1 to {CARDS_MAX}")
        self.holding.working.jobs.add(job, recipient, until_s=until_s, cards=cards)

    @verb
    def end_job(self, *, job: str) -> int:
        """Give out no more keys for a job; returns how many were enrolled for it."""
        return self.holding.working.jobs.end(job)

    @verb
    def job_terms(self, *, job: str, recipient: bytes) -> dict[str, object]:
        """What an enrolled service has to know: the issuer, the end, and which TAC keys there are."""
        found = self.holding.working.jobs.find(job, recipient)
        names = [name for name in self.holding.records if name.purpose is Purpose.TAC and not name.owner]
        return {"issuer": self.issuer, "until_s": found.until_s, "keys": sorted(map(str, names))}

    @verb
    def order_job_keys(
        self,
        *,
        job: str,
        recipient: bytes,
        algorithm: Algorithm,
        version: int,
        factors8: npt.NDArray[np.uint8],
    ) -> bytes:
        """The TAC keys of N cards, 16 bytes each, sealed for an enrolled key; ``factors8`` is ``(N, 8)``."""
        if factors8.dtype != np.uint8 or factors8.ndim != 2 or factors8.shape[1] != 8:
            raise Usage(f"shape {factors8.shape}", where="order_job_keys.factors8", fix="uint8 (N, 8)")
        if not 0 < len(factors8) <= ORDER_MAX:
            raise Usage(f"{len(factors8)} cards", where="order_job_keys.factors8", fix=f"1 to {ORDER_MAX}")
        jobs = self.holding.working.jobs
        found = jobs.find(job, recipient)
        root = self._root(Purpose.TAC, algorithm, version, Use.CHECK)
        jobs.spend(found, len(factors8))
        factors = np.ascontiguousarray(factors8)
        context = order_context(self.issuer, job, algorithm, version, factors.tobytes())
        return seal_for(recipient, root.diversify(factors).tobytes(), context=context)


__all__ = ["ORDER_MAX", "JobVerbs", "order_context"]
