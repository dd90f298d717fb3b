"""What every verb of the key service passes: who calls, which key, whether its state and date allow it, and audit.

A caller has the verbs and the keys that it was given and no others (PCI PIN v3.1, requirement 19;
NIST SP 800-57 part 1, 5.2). Every call, also a refused one, becomes an entry of the audit log before its answer
leaves, without any argument that could be secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from jinka.codec import Algorithm
from jinka.keys.audit import AuditEvent, Outcome
from jinka.keys.catalogue import KeyName, KeyRecord, Use
from jinka.keys.port import Purpose
from jinka.keys.provider import Key, Provider
from jinka.keys.working import Working
from jinka.kit import Refused, Usage

VERBS: set[str] = set()  # the names that a caller may be given and that a socket serves
# Who was given the one may do it many times at once.
_MANY = {"verify_pins": "verify_pin", "verify_card_values": "verify_card_value"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls. ``verbs`` and ``keys`` are patterns with ``*``; keys go by ``purpose/algorithm/version@owner``."""

    name: str
    verbs: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def require_verb(self, verb: str) -> None:
        """Raise `Refused` unless the caller was given the verb."""
        names = {verb, _MANY.get(verb, verb)}
        if not any(fnmatchcase(name, pattern) for pattern in self.verbs for name in names):
            raise Refused(f"{self.name} was not given the verb {verb}", where="keys", fix="ask for the right")

    def require_key(self, name: KeyName) -> None:
        """Raise `Refused` unless the caller was given the key."""
        if not any(fnmatchcase(str(name), pattern) for pattern in self.keys):
            raise Refused(
                f"{self.name} was not given this key", where=f"keys.{name}", fix="ask for the right"
            )


EMBEDDED = Caller(name="embedded", verbs=("*",), keys=("*",))  # the program that has the service in process


class Audit(Protocol):
    """Where the entries go (`jinka.node.AuditLog`): who serves a caller commits them before it answers."""

    def append(self, event: AuditEvent) -> int:
        """Chain an entry; returns its number."""
        ...

    def commit(self) -> None:
        """Make all entries durable."""
        ...

    def close(self) -> None:
        """Make all entries durable and end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a service holds: the keys where they live, and what is known of each."""

    issuer: str
    simulated: bool
    provider: Provider
    records: Mapping[KeyName, KeyRecord]
    working: Working = field(default_factory=Working)

    def find(self, name: KeyName) -> tuple[KeyRecord, Key] | None:
        """A key with its line of the catalogue; one of a key block where no ceremony made it."""
        record = self.records.get(name)
        if record is None:
            return self.working.keys.find(name)
        key = self.provider.key(name)
        return None if key is None else (record, key)


_touched: ContextVar[list[str] | None] = ContextVar("touched", default=None)

Self = TypeVar("Self", bound="Border")
P = ParamSpec("P")
R = TypeVar("R")


def verb(method: Callable[Concatenate[Self, P], R]) -> Callable[Concatenate[Self, P], R]:
    """Mark a public verb: the caller must have been given it, and each call is noted."""
    name = method.__name__
    VERBS.add(name)

    @wraps(method)
    def called(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        touched: list[str] = []
        token, outcome = _touched.set(touched), Outcome.FAILED
        try:
            self.caller.require_verb(name)
            result = method(self, *args, **kwargs)
            outcome = Outcome.OK
            return result
        except (Refused, Usage):
            outcome = Outcome.REFUSED
            raise
        finally:
            _touched.reset(token)
            if self.audit is not None:
                subject = " ".join(dict.fromkeys(touched))
                self.audit.append(
                    AuditEvent(actor=self.caller.name, act=f"keys.{name}", subject=subject, outcome=outcome)
                )

    return called


class Border:
    """A service as one caller sees it. ``today`` gives the date YYYY-MM-DD, or an empty text where no date counts."""

    def __init__(
        self,
        holding: Holding,
        *,
        caller: Caller = EMBEDDED,
        audit: Audit | None = None,
        today: Callable[[], str] = str,
    ) -> None:
        self.holding, self.caller, self.audit, self._today = holding, caller, audit, today

    def __reduce__(self) -> Any:
        raise Refused("a key service is not pickled", where="keys", fix="open the store in the new process")

    def commit(self) -> None:
        """Make the entries of the audit log durable: before what was made with the verbs takes effect."""
        if self.audit is not None:
            self.audit.commit()

    def close(self) -> None:
        """Wipe the keys; no verb works afterwards, for no caller."""
        self.holding.working.keys.close()
        self.holding.provider.close()
        if self.audit is not None:
            self.audit.close()

    @property
    def issuer(self) -> str:
        """Whose load and TAC roots these are: the `issuer` that records have to name."""
        return self.holding.issuer

    @property
    def simulated(self) -> bool:
        """Whether the ceremony was marked as simulated."""
        return self.holding.simulated

    def _root(self, purpose: Purpose, algorithm: Algorithm | str, version: int, use: Use) -> Key:
        kind = algorithm.name if isinstance(algorithm, Algorithm) else algorithm
        return self._key(KeyName(purpose=purpose, algorithm=kind, version=version), use)

    def _key(self, name: KeyName, use: Use) -> Key:
        """The key of that name, if this caller may use it so today; raises `Refused`."""
        self._touch(name)
        self.caller.require_key(name)
        found = self.holding.find(name)
        if found is None:
            raise Refused("no such key", where=f"keys.{name}", fix="see the record of the ceremony")
        record, key = found
        record.require(use, self._today())
        return key

    def _touch(self, name: KeyName) -> None:
        """Note in the verb's entry of the audit log which key it was about."""
        touched = _touched.get()
        if touched is not None:
            touched.append(str(name))

    def _named(self, text: str, use: Use, *purposes: Purpose) -> Key:
        """The key that a caller names, if it is for one of the verb's purposes; raises `Refused`."""
        name = KeyName.parse(text)
        if name.purpose not in purposes:
            wanted = " or ".join(purpose.value for purpose in purposes)
            raise Refused(f"the key is for {name.purpose.value}, not {wanted}", where=f"keys.{name}")
        return self._key(name, use)
