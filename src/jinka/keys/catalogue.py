"""What is known of a key besides its value: name, purpose, state and validity; and which use that allows.

A name says all that binds a key: ``purpose/algorithm/version``, and ``@owner`` for keys that are shared with another
party, or for what an access key opens. States follow NIST SP 800-57 part 1, 7: what is retired still checks, what is
compromised only checks when the caller asks for what is at risk, what is destroyed has no value any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

from jinka.keys.port import Purpose
from jinka.kit import Refused, Usage

# export: trusted, where the key may leave in a key block. method: pvv or ibm3624, for a PIN verification key, and then
# table, start, length and filler of IBM 3624: they are the issuer's, so no caller of a verb brings them.
TERMS = {
    "export": re.compile("trusted"),
    "method": re.compile("pvv|ibm3624"),
    "table": re.compile("[0-9]{16}"),
    "start": re.compile("[0-9]|1[0-8]"),
    "length": re.compile("[1-9]|1[0-6]"),
    "filler": re.compile("[0-9A-F]"),
}


class KeyState(Enum):
    """Where a key stands in its life."""

    ACTIVE = "active"
    RETIRED = "retired"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"


class Use(Enum):
    """Whether a verb makes something new under a key or checks and opens what was made before."""

    MAKE = "make"
    CHECK = "check"


# Which states a key may go to. Destruction is final.
NEXT_STATES: dict[KeyState, frozenset[KeyState]] = {
    KeyState.ACTIVE: frozenset({KeyState.RETIRED, KeyState.COMPROMISED}),
    KeyState.RETIRED: frozenset({KeyState.ACTIVE, KeyState.COMPROMISED, KeyState.DESTROYED}),
    KeyState.COMPROMISED: frozenset({KeyState.DESTROYED}),
    KeyState.DESTROYED: frozenset(),
}

_ALLOWED = {
    KeyState.ACTIVE: frozenset({Use.MAKE, Use.CHECK}),
    KeyState.RETIRED: frozenset({Use.CHECK}),
    KeyState.COMPROMISED: frozenset(),
    KeyState.DESTROYED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyName:
    """What a key is for. ``algorithm`` is a `KeyKind`'s name, ``owner`` empty for the store's own issuer."""

    purpose: Purpose
    algorithm: str
    version: int
    owner: str = ""

    def __str__(self) -> str:
        return f"{self.purpose.value}/{self.algorithm}/{self.version}" + f"@{self.owner}" * bool(self.owner)

    @classmethod
    def parse(cls, text: str) -> KeyName:
        """Read ``purpose/algorithm/version[@owner]``; raises `Usage`."""
        body, _, owner = text.partition("@")
        try:
            purpose, algorithm, version = body.split("/")
            return cls(purpose=Purpose(purpose), algorithm=algorithm, version=int(version), owner=owner)
        except ValueError:
            raise Usage(
                "not the name of a key", where="key", fix="purpose/algorithm/version, such as tac/TDES/1"
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """One line of the catalogue. Dates are YYYY-MM-DD, both inclusive; empty means without limit."""

    name: KeyName
    check: str  # the check value in hex
    state: KeyState = KeyState.ACTIVE
    valid_from: str = ""
    valid_to: str = ""
    terms: tuple[tuple[str, str], ...] = ()  # what else binds the key, by the names in `TERMS`

    def __post_init__(self) -> None:
        names = [name for name, _ in self.terms]
        allowed = TERMS if self.name.purpose is Purpose.PIN_VERIFY else {"export": TERMS["export"]}
        plain = all(name in allowed and allowed[name].fullmatch(text) for name, text in self.terms)
        if not plain or len(set(names)) != len(names):
            raise Usage("unknown terms", where=f"keys.{self.name}", fix=f"some of {', '.join(allowed)}")

    def term(self, name: str, otherwise: str = "") -> str:
        """What was agreed under that name."""
        return dict(self.terms).get(name, otherwise)

    @property
    def terms_text(self) -> str:
        """The terms as records and stores write them: ``name=value,name=value``, or nothing."""
        return ",".join(f"{name}={text}" for name, text in self.terms)

    def require(self, use: Use, today: str) -> None:
        """Raise `Refused` unless the key may be used so today; an empty ``today`` asks for the state alone."""
        if use not in _ALLOWED[self.state]:
            raise Refused(
                f"the key is {self.state.value}", where=f"keys.{self.name}", fix="use another version"
            )
        if not today:
            return
        if self.valid_from and today < self.valid_from:
            raise Refused(f"the key is valid from {self.valid_from}", where=f"keys.{self.name}")
        if use is Use.MAKE and self.valid_to and today > self.valid_to:
            raise Refused(
                f"the key expired on {self.valid_to}", where=f"keys.{self.name}", fix="use a newer version"
            )

    def moved(self, state: KeyState) -> KeyRecord:
        """The record in its next state; raises `Refused` for a step that the table does not have."""
        if state not in NEXT_STATES[self.state]:
            raise Refused(f"no step from {self.state.value} to {state.value}", where=f"keys.{self.name}")
        return replace(self, state=state)


def parse_terms(text: str) -> tuple[tuple[str, str], ...]:
    """The inverse of `KeyRecord.terms_text`; raises `Usage`. Which terms there are is the record's to say."""
    pairs = [item.partition("=") for item in text.split(",")] if text else []
    if not all(between for _, between, _ in pairs):
        raise Usage("not terms", where="key", fix="name=value, such as export=trusted")
    return tuple((name, value) for name, _, value in pairs)
