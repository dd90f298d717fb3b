"""The parts of a wrapping key that custodians hold: any M of N by Shamir, or N components that are added by XOR.

Shamir's sharing over GF(256) (`jinka.crypto.shamir`); components of full length as in ISO 11568-2, clause on manual
key management. Every part has a check value of its own, so that a slip in typing shows before it is joined, and names
the check value of the key that it belongs to. One person alone never has the key; two parts of one person are refused.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from enum import Enum
from functools import reduce
from itertools import groupby
from typing import Any

from jinka.crypto import join_shares, split_secret
from jinka.crypto.block import xor
from jinka.kit import Randomness, Refused, Usage

SHARE_VERSION = 3
WRAPPING_BYTES = 32
CUSTODIANS_MAX = 32
_NAME = re.compile(r"[^\W_](?:[\w.-]{0,62}\w)?")
_TYPED = re.compile(r"([0-9]{1,3})-([0-9A-F]{64})-([0-9A-F]{8})")


class Sharing(Enum):
    """How a wrapping key is parted."""

    SHAMIR = "shamir-gf256-11b"  # any M of N open
    COMPONENTS = "xor-components"  # all N are needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One custodian's part of the wrapping key. It says nothing of the key without the others that are needed."""

    issuer: str
    custodian: str
    x: int
    secret: bytes = field(repr=False)
    check: str  # of the wrapping key: hex, no secret
    simulated: bool
    sharing: Sharing = Sharing.SHAMIR

    @property
    def own_check(self) -> str:
        """The check value of this part alone, 4 bytes in hex."""
        return hmac.digest(self.secret, b"jinka.share check value %d" % self.x, "sha256")[:4].hex()

    def as_dict(self) -> dict[str, Any]:
        """The form for a file. This and `typed` are the acts that write a share out."""
        return {
            "format": "jinka.share",
            "version": SHARE_VERSION,
            "sharing": self.sharing.value,
            "issuer": self.issuer,
            "custodian": self.custodian,
            "x": self.x,
            "secret": self.secret.hex(),
            "own_check": self.own_check,
            "check": self.check,
            "simulated": self.simulated,
        }

    def typed(self) -> str:
        """The line of the paper form: number, secret in groups of four, own check value."""
        digits = self.secret.hex().upper()
        groups = " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
        return f"{self.x}-{groups}-{self.own_check.upper()}"

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Share:
        """Read `as_dict`'s form; `Refused` when it is anything else."""
        kind, sharing = (raw.get("format"), raw.get("version")), raw.get("sharing")
        if kind != ("jinka.share", SHARE_VERSION) or sharing not in [way.value for way in Sharing]:
            raise Refused(
                f"not a key share of version {SHARE_VERSION}", where="share", fix="bring the custodian's file"
            )
        try:
            share = cls(
                issuer=str(raw["issuer"]),
                custodian=str(raw["custodian"]),
                x=int(raw["x"]),
                secret=bytes.fromhex(raw["secret"]),
                check=str(raw["check"]),
                simulated=bool(raw["simulated"]),
                sharing=Sharing(sharing),
            )
            claimed = str(raw["own_check"])
        except (KeyError, TypeError, ValueError):
            raise Refused("a damaged key share", where="share", fix="bring the custodian's file") from None
        share._check(claimed)
        return share

    @classmethod
    def from_typed(
        cls, line: str, *, issuer: str, custodian: str, check: str, simulated: bool, sharing: Sharing
    ) -> Share:
        """Read the line of a paper form; `Refused` when the check value does not fit what was typed."""
        found = _TYPED.fullmatch(re.sub(r"\s", "", line).upper())
        if found is None:
            raise Refused(
                "not the line of a form", where=f"share of {custodian}", fix="type NUMBER-SECRET-CHECK"
            )
        share = cls(
            issuer=issuer,
            custodian=custodian,
            x=int(found[1]),
            secret=bytes.fromhex(found[2]),
            check=check,
            simulated=simulated,
            sharing=sharing,
        )
        share._check(found[3].lower())
        return share

    def _check(self, claimed: str) -> None:
        where = f"share of {self.custodian}"
        if not 1 <= self.x <= 255 or len(self.secret) != WRAPPING_BYTES:
            raise Refused("a damaged key share", where=where, fix="bring the custodian's file")
        if not hmac.compare_digest(self.own_check.encode(), claimed.encode()):
            raise Refused(
                "the check value of the share is wrong", where=where, fix="compare it with the form"
            )


def require_custodians(names: tuple[str, ...], needed: int, sharing: Sharing) -> None:
    """Raise `Usage` unless they are different people, and as many as the sharing asks for."""
    wrong = next((name for name in names if not _NAME.fullmatch(name)), None)
    if wrong is not None:
        raise Usage(
            f"{wrong!r} names no custodian", where="custodians", fix="letters, digits, . and -, at most 64"
        )
    if len({name.casefold() for name in names}) != len(names):
        raise Usage("a custodian is named twice", where="custodians", fix="name different people")
    if not 2 <= needed <= len(names) <= CUSTODIANS_MAX:
        raise Usage(
            f"{needed} of {len(names)} custodians", where="custodians", fix=f"2 <= M <= N <= {CUSTODIANS_MAX}"
        )
    if sharing is Sharing.COMPONENTS and needed != len(names):
        raise Usage(f"{needed} of {len(names)} components", where="custodians", fix="all are needed")


def part_key(key: bytes, *, needed: int, made: int, sharing: Sharing, randomness: Randomness) -> list[bytes]:
    """The parts of a wrapping key, number 1 first."""
    if sharing is Sharing.SHAMIR:
        return [raw for _, raw in split_secret(key, needed=needed, made=made, randomness=randomness)]
    drawn = [randomness.token_bytes(len(key)) for _ in range(made - 1)]
    return [*drawn, reduce(xor, drawn, key)]


def join_parts(shares: list[Share], *, check: str, issuer: str, needed: int, sharing: Sharing) -> bytes:
    """The wrapping key; every share has to take part in a join that gives the check value. Raises `Refused`."""
    where = "key store"
    wrong = [
        share.custodian
        for share in shares
        if (share.issuer, share.check, share.sharing) != (issuer, check, sharing)
    ]
    if wrong:
        raise Refused(f"a share of another ceremony: {', '.join(wrong)}", where=where)
    points = list({share.x: share for share in shares}.values())
    if len(points) < needed:
        raise Refused(f"{len(points)} of {needed} shares", where=where, fix="bring more custodians")
    for name, theirs in groupby(sorted(share.custodian.casefold() for share in points)):
        if len(list(theirs)) > 1:
            raise Refused(f"{name} brings two shares", where=where, fix="each custodian brings one")
    if sharing is Sharing.COMPONENTS:
        keys = [reduce(xor, (share.secret for share in points), bytes(WRAPPING_BYTES))]
    else:
        raw = [(share.x, share.secret) for share in points]
        keys = [join_shares([*raw[: needed - 1], other], needed=needed) for other in raw[needed - 1 :]]
    if any(not hmac.compare_digest(wrapping_check(key), check) for key in keys):
        raise Refused("the shares do not give the key", where=where, fix="a share is wrong: try others")
    return keys[0]


def wrapping_check(key: bytes) -> str:
    """The check value of a wrapping key, 4 bytes in hex: the left of HMAC-SHA256(key, a text of this format)."""
    return hmac.digest(key, b"jinka.keystore wrapping key check value", "sha256")[:4].hex()
