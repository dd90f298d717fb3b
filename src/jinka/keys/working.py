"""What a key service has besides the keys of its ceremonies: working keys of key blocks, guards, jobs, and sources.

Working keys live for the service's process alone, in its provider as session objects, and are exchanged anew after a
restart, as centres do at sign-on. One `Working` belongs to one `Holding`, whoever calls.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.guards import (
    BLOCK_LIMITS,
    PIN_LIMITS,
    VALUE_LIMITS,
    FailureGuard,
    Note,
    Notes,
    SerialGuard,
)
from jinka.keys.jobs import Jobs
from jinka.keys.provider import Key
from jinka.kit import Clock, Randomness, Refused

_NOTES_MOST = 1 << 20  # after so many they are written together
_KEYS_MAX = 1 << 16  # two for each of a centre's terminals


class WorkingKeys:
    """Keys that came in or were drawn while the service runs."""

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._held: dict[KeyName, tuple[KeyRecord, Key]] = {}
        self._lock = lock

    def find(self, name: KeyName) -> tuple[KeyRecord, Key] | None:
        """A key with its line."""
        return self._held.get(name)

    def add(self, record: KeyRecord, key: Key) -> None:
        """Take a key in; `Refused` for a name that is taken: who replaces a key drops the old one by name."""
        with self._lock:
            if record.name in self._held:
                raise Refused("there is a key of that name", where=f"keys.{record.name}", fix="drop it first")
            if len(self._held) >= _KEYS_MAX:
                raise Refused(f"{_KEYS_MAX} working keys", where="keys", fix="drop those no longer used")
            self._held[record.name] = (record, key)

    def drop(self, name: KeyName) -> None:
        """Forget a key; `Refused` when it is not held."""
        with self._lock:
            if name not in self._held:
                raise Refused("no such working key", where=f"keys.{name}")
            self._held.pop(name)[1].close()

    def close(self) -> None:
        """Forget all."""
        with self._lock:
            for _, key in self._held.values():
                key.close()
            self._held.clear()


class Working:
    """Keys, guards, and the sources that verbs of payments need. Without sources those verbs are refused.

    ``lock`` keeps threads apart (one that its holder may take again); a service with one thread needs none.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        lock = lock or nullcontext()
        self.keys, self.serials, self.jobs = WorkingKeys(lock), SerialGuard(lock), Jobs(clock, lock)
        self._randomness = randomness
        self._guards: tuple[FailureGuard, FailureGuard, FailureGuard] | None = None
        if clock is not None and randomness is not None:
            secret = randomness.token_bytes(32)
            self._guards = (
                FailureGuard(clock, secret, PIN_LIMITS, lock, name="pin"),
                FailureGuard(clock, secret, VALUE_LIMITS, lock, name="value"),
                FailureGuard(clock, secret, BLOCK_LIMITS, lock, name="block"),
            )
        self._lock = lock
        self._notes: Notes | None = None

    def keep(self, notes: Notes, secret32: bytes) -> int:
        """Take up what an earlier process wrote down, and write down from now on; return how much that was.

        ``secret32`` hides the account numbers in the notes, and is the same for all processes. Raises `Refused` for
        notes that are none.
        """
        guards = {guard.name: guard for guard in self._guards or ()}
        count = 0
        for count, note in enumerate(notes.read(), 1):
            try:
                kind, name, subject, *more = note
                if kind == "failed":
                    at, failures = map(int, more)
                    if failures < 1:
                        raise ValueError
                    guards[name].take_up(bytes.fromhex(subject), at, failures)
                elif kind == "used":
                    use, counter = more
                    self.serials.take_up(name, bytes.fromhex(subject), use, int(counter))
                else:
                    raise ValueError
            except (ValueError, KeyError):
                raise Refused(
                    f"line {count + 1} is no note", where="guards' notes", fix="restore the file"
                ) from None
        for guard in guards.values():
            guard.settle()
            guard.keep(hmac.digest(secret32, guard.name.encode(), "sha256"), notes)
        self.serials.keep(notes)
        self._notes = notes
        notes.replace(self._all_notes())
        return count

    def commit(self) -> None:
        """Make what guards wrote down durable: before an answer that follows from it."""
        if self._notes is None or self._notes.commit() <= _NOTES_MOST:
            return
        with self._lock:  # so that no note comes between
            self._notes.replace(self._all_notes())

    def _all_notes(self) -> Iterator[Note]:
        yield from self.serials.notes()
        for guard in self._guards or ():
            yield from guard.notes()

    @property
    def randomness(self) -> Randomness:
        """For fillers and new keys; `Refused` where there is none."""
        if self._randomness is None:
            raise _bare()
        return self._randomness

    @property
    def pins(self) -> FailureGuard:
        """Wrong PINs, for each PIN key and account number."""
        return self._guard(0)

    @property
    def values(self) -> FailureGuard:
        """Wrong card values, for each key and account number."""
        return self._guard(1)

    @property
    def blocks(self) -> FailureGuard:
        """PIN blocks that are none, for each zone key."""
        return self._guard(2)

    def _guard(self, at: int) -> FailureGuard:
        if self._guards is None:
            raise _bare()
        return self._guards[at]


def _bare() -> Refused:
    return Refused(
        "this key service was given no clock and no randomness", where="keys", fix="serve it with them"
    )
