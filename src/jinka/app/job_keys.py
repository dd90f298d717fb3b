"""`jinka keys serve-job`, `enrol-job`, `end-job`: the key services beside the executors of a job on many machines.

Each is a process that nothing can dump. It shows its public key, whoever runs the job enrols it at the issuer's
service, and it then checks TACs of the cards it meets until the job ends.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.crypto.bulk import warm_up
from jinka.keys.border import Caller
from jinka.keys.job_service import JobKeyService
from jinka.kit import Usage
from jinka.node.hardening import Hardening, harden
from jinka.node.key_server import Admission, KeyServer
from jinka.node.key_socket import connect_unix
from jinka.node.keys_beside import CALLER
from jinka.node.system import SystemClock

_MICROS, _HOUR_S = 1_000_000, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class JobServing:
    """A service beside an executor: `start` listens, `stop` hangs up and forgets the keys."""

    job: str
    socket: Path
    service: JobKeyService
    server: KeyServer
    hardening: Hardening

    def start(self) -> dict[str, Any]:
        """Listen; returns what whoever started it should know."""
        warm_up()
        self.server.listen_unix(self.socket)
        return {
            "job": self.job,
            "socket": str(self.socket),
            "public": self.service.public.hex(),
            "undumpable": self.hardening.undumpable,
            "memory_locked": self.hardening.locked,
        }

    def stop(self) -> None:
        """Hang up and overwrite the keys."""
        self.server.stop()
        self.service.close()
        self.socket.unlink(missing_ok=True)


def job_serving(issuer_socket: Path, *, caller: str, job: str, socket: Path) -> JobServing:
    """A service for one job of this user's executors. Raises `NotFound` where no issuer's service listens."""
    hardening = harden()
    side: Any = connect_unix(issuer_socket, caller=caller)
    service = JobKeyService(side, job=job, clock=SystemClock(), lock=threading.Lock())
    admitted = Admission(caller=Caller(name=CALLER, verbs=("verify_tacs",)), uid=os.getuid())
    server = KeyServer({CALLER: admitted}, lambda _: service)
    return JobServing(job=job, socket=socket, service=service, server=server, hardening=hardening)


def enrol(
    issuer_socket: Path, *, caller: str, job: str, publics: list[str], hours: int, cards: int
) -> dict[str, Any]:
    """Enrol public keys for a job; returns until when (Unix seconds)."""
    until_s = SystemClock().now_micros() // _MICROS + hours * _HOUR_S
    try:
        recipients = [bytes.fromhex(text) for text in publics]
    except ValueError:
        raise Usage("not hex", where="--public", fix="as jinka keys serve-job shows it") from None
    side: Any = connect_unix(issuer_socket, caller=caller)
    try:
        for recipient in recipients:
            side.enrol_job(job=job, recipient=recipient, until_s=until_s, cards=cards)
    finally:
        side.close()
    return {"job": job, "enrolled": len(recipients), "cards_each": cards, "until_s": until_s}


def end(issuer_socket: Path, *, caller: str, job: str) -> dict[str, Any]:
    """Let the issuer's service give out no more keys for a job."""
    side: Any = connect_unix(issuer_socket, caller=caller)
    try:
        return {"job": job, "ended": side.end_job(job=job)}
    finally:
        side.close()
