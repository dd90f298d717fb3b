"""Components of one key: N values of its full length that are added by XOR, one for each custodian. ISO 11568-2.

A key from another party, or one that both parties have to type in, comes so: nobody alone sees it. Each component has
the check value of the key's own algorithm, and so has the sum; both are compared before the key is taken. What adds
up to a weak key is refused: all zero, or a 3DES key with equal halves, which is single DES.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from typing import Any

from jinka.crypto.block import xor
from jinka.keys.catalogue import KeyName
from jinka.keys.ceremony import key_bytes
from jinka.keys.provider import SIZES, KeyKind
from jinka.keys.shares import Sharing, require_custodians
from jinka.keys.store import root_check
from jinka.kit import Randomness, Refused

_FORMAT = "jinka.component/1"
_TYPED = re.compile(r"([0-9]{1,2})/([0-9]{1,2})-((?:[0-9A-F]{2})+)-([0-9A-F]{6})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One custodian's part of one key. ``key_check`` is the check value of the sum, empty where it is not known."""

    key: KeyName
    custodian: str
    number: int
    of: int
    secret: bytes = field(repr=False)
    key_check: str = ""

    @property
    def own_check(self) -> str:
        """The check value of this component, 3 bytes in hex, made as that of a key."""
        return root_check(self.key, self.secret)

    def as_dict(self) -> dict[str, Any]:
        """The form for a file. This and `typed` are the acts that write a component out."""
        return {
            "format": _FORMAT,
            "key": str(self.key),
            "custodian": self.custodian,
            "number": self.number,
            "of": self.of,
            "secret": self.secret.hex(),
            "own_check": self.own_check,
            "key_check": self.key_check,
        }

    def typed(self) -> str:
        """The line of the paper form: number of how many, secret in groups of four, own check value."""
        digits = self.secret.hex().upper()
        groups = " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
        return f"{self.number}/{self.of}-{groups}-{self.own_check.upper()}"

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Component:
        """Read `as_dict`'s form; `Refused` when it is anything else or its check value is wrong."""
        try:
            if raw["format"] != _FORMAT:
                raise ValueError
            found = cls(
                key=KeyName.parse(str(raw["key"])),
                custodian=str(raw["custodian"]),
                number=int(raw["number"]),
                of=int(raw["of"]),
                secret=bytes.fromhex(raw["secret"]),
                key_check=str(raw["key_check"]),
            )
            claimed = str(raw["own_check"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Refused("not a component of a key", where="component", fix="bring the file") from None
        found._check(claimed)
        return found

    @classmethod
    def from_typed(cls, line: str, *, key: KeyName, custodian: str, key_check: str = "") -> Component:
        """Read the line of a paper form; `Refused` when the check value does not fit what was typed."""
        found = _TYPED.fullmatch(re.sub(r"\s", "", line).upper())
        if found is None:
            raise Refused(
                "not the line of a form", where=f"component of {custodian}", fix="type NUMBER/OF-SECRET-CHECK"
            )
        component = cls(
            key=key,
            custodian=custodian,
            number=int(found[1]),
            of=int(found[2]),
            secret=bytes.fromhex(found[3]),
            key_check=key_check,
        )
        component._check(found[4].lower())
        return component

    def _check(self, claimed: str) -> None:
        where = f"component of {self.custodian}"
        try:
            sizes = SIZES[KeyKind(self.key.algorithm)]
        except (KeyError, ValueError):
            raise Refused(f"no components of {self.key.algorithm}", where=where) from None
        if len(self.secret) not in sizes:
            raise Refused(f"{len(self.secret)} bytes", where=where, fix=f"one of {sizes}")
        if not hmac.compare_digest(self.own_check.encode(), claimed.lower().encode()):
            raise Refused(
                "the check value of the component is wrong", where=where, fix="compare it with the form"
            )


def draw_components(key: KeyName, custodians: tuple[str, ...], randomness: Randomness) -> list[Component]:
    """A new key that never was whole: a component for each custodian, and the check value of their sum."""
    require_custodians(custodians, len(custodians), Sharing.COMPONENTS)
    secrets = [randomness.token_bytes(key_bytes(key)) for _ in custodians]
    check = root_check(key, reduce(xor, secrets))
    return [
        Component(key=key, custodian=who, number=number, of=len(secrets), secret=secret, key_check=check)
        for number, (who, secret) in enumerate(zip(custodians, secrets, strict=True), 1)
    ]


def combine(components: list[Component], *, key: KeyName, check: str) -> bytes:
    """The key that all components add up to; ``check`` is what its sender or the form says. Raises `Refused`."""
    where = f"keys.{key}"
    wrong = next((part.custodian for part in components if part.key != key), None)
    if wrong is not None:
        raise Refused(f"the component of {wrong} is of another key", where=where)
    if len({part.custodian.casefold() for part in components}) != len(components):
        raise Refused("one custodian brings two components", where=where, fix="each custodian brings one")
    counts = {part.of for part in components}
    if len(components) < 2 or counts != {len(components)}:
        raise Refused(f"{len(components)} of {max(counts, default=2)} components", where=where)
    if sorted(part.number for part in components) != list(range(1, len(components) + 1)):
        raise Refused("a component is there twice", where=where, fix="bring each number once")
    secrets = [part.secret for part in components]
    if len(set(secrets)) != len(secrets) or len({len(secret) for secret in secrets}) != 1:
        raise Refused("two components are equal, or of different lengths", where=where, fix="draw them anew")
    value = reduce(xor, secrets)
    claims = {check.lower(), *(part.key_check.lower() for part in components if part.key_check)}
    if not all(hmac.compare_digest(root_check(key, value).encode(), claim.encode()) for claim in claims):
        raise Refused(
            "the check value of the key is wrong", where=where, fix="a component is wrong, or another"
        )
    require_strong(key, value)
    return value


def require_strong(key: KeyName, value: bytes) -> None:
    """Raise `Refused` for a key that is no key: one byte all over, or a 3DES key whose halves are equal."""
    parts = [value[at : at + 8] for at in range(0, len(value), 8)]
    plain = [bytes(byte & 0xFE for byte in part) for part in parts]  # DES passes over the parity bits
    shrunk = key.algorithm == KeyKind.TDES.value and any(a == b for a, b in pairwise(plain))
    if len(set(value)) == 1 or shrunk:
        raise Refused("the key is weak: constant, or single DES", where=f"keys.{key}", fix="draw another")
