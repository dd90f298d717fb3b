"""What a key service has besides the keys of its ceremonies: working keys of key blocks, guards, and sources.

Working keys live for the service's process alone, in its provider as session objects, and are exchanged anew after a
restart, as centres do at sign-on. One `Working` belongs to one `Holding`, whoever calls.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.guards import BLOCK_LIMITS, PIN_LIMITS, VALUE_LIMITS, FailureGuard, SerialGuard
from jinka.keys.provider import Key
from jinka.kit import Clock, Randomness, Refused

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
        self.keys, self.serials = WorkingKeys(lock), SerialGuard(lock)
        self._randomness = randomness
        self._guards: tuple[FailureGuard, FailureGuard, FailureGuard] | None = None
        if clock is not None and randomness is not None:
            secret = randomness.token_bytes(32)
            self._guards = (
                FailureGuard(clock, secret, PIN_LIMITS, lock),
                FailureGuard(clock, secret, VALUE_LIMITS, lock),
                FailureGuard(clock, secret, BLOCK_LIMITS, lock),
            )

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
