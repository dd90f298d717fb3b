"""Who is enrolled for which job, until when, and for how many cards. Memory of one process; see `jinka.keys.job`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from jinka.kit import Clock, Refused

RECIPIENTS_MAX = 4_096
LIFE_MAX_S = 48 * 3600
_MICROS = 1_000_000


@dataclass(slots=True)
class Enrolment:
    """Of one public key for one job."""

    until_s: int
    cards_left: int


class Jobs:
    """Who is enrolled for which job. One for each `jinka.keys.Working`."""

    def __init__(self, clock: Clock | None, lock: AbstractContextManager[object]) -> None:
        self._clock, self._lock = clock, lock
        self._enrolled: dict[tuple[str, bytes], Enrolment] = {}

    def add(self, job: str, recipient: bytes, *, until_s: int, cards: int) -> None:
        """Enrol; again with the same terms changes nothing, with others it is `Refused`."""
        with self._lock:
            now = self._now_s()
            self._enrolled = {key: held for key, held in self._enrolled.items() if held.until_s > now}
            if not now < until_s <= now + LIFE_MAX_S:
                raise Refused(
                    f"a job ends within {LIFE_MAX_S // 3600} hours from now", where="enrol_job.until_s"
                )
            if (job, recipient) in self._enrolled:
                raise Refused("that key is enrolled for the job", where="enrol_job", fix="make a new pair")
            if len(self._enrolled) >= RECIPIENTS_MAX:
                raise Refused(f"{RECIPIENTS_MAX} are enrolled", where="enrol_job", fix="wait until jobs end")
            self._enrolled[job, recipient] = Enrolment(until_s, cards)

    def end(self, job: str) -> int:
        """Forget all that are enrolled for a job; returns how many they were."""
        with self._lock:
            gone = [key for key in self._enrolled if key[0] == job]
            for key in gone:
                del self._enrolled[key]
            return len(gone)

    def find(self, job: str, recipient: bytes) -> Enrolment:
        """The enrolment, if it has not ended; raises `Refused`."""
        with self._lock:
            found = self._enrolled.get((job, recipient))
            if found is None or found.until_s <= self._now_s():
                raise Refused("not enrolled for this job, or it has ended", where="job", fix="enrol the key")
            return found

    def spend(self, found: Enrolment, cards: int) -> None:
        """Count the cards of an order; `Refused` beyond what the enrolment allows."""
        with self._lock:
            if cards > found.cards_left:
                raise Refused(
                    "more cards than the job was enrolled for", where="job", fix="enrol it for more"
                )
            found.cards_left -= cards

    def _now_s(self) -> int:
        if self._clock is None:
            raise Refused("this key service was given no clock", where="job", fix="serve it with one")
        return self._clock.now_micros() // _MICROS
