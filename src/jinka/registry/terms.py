"""What a grant covers: makes and versions, uses and regions, how many, and which fees were approved with it.

A scope names facts of an order (``chip_version``) and the values that they may have; what a scope does not name it does
not cover, and ``*`` covers any value. Who granted it, until when, and whether
its fees are within their rule: `jinka.registry.registration`.
The text is canonical JSON, so that a digest of it stands for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinka.kit import Refused, Usage
from jinka.registry.card_fees import Fees

ANY = "*"
FACTS = (
    "item", "chip", "chip_version", "os", "os_version", "model", "model_version", "use", "region", "purse",
)  # fmt: skip
QUANTITY_MAX = 10**12
_VALUES_MAX = 200
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The scope by facts in their order, each with its values sorted; ``quantity`` None: no limit."""

    scope: tuple[tuple[str, tuple[str, ...]], ...]
    quantity: int | None = None
    fees: Fees | None = None

    def __post_init__(self) -> None:
        names = [name for name, _ in self.scope]
        if not names or names != sorted(set(names)):
            raise Usage("no scope, or not in its order", where="scope", fix="say what it covers")
        for name, values in self.scope:
            if not 0 < len(values) <= _VALUES_MAX or list(values) != sorted(set(values)):
                raise Usage(
                    "not a list of values", where=f"scope {name}", fix=f"1 to {_VALUES_MAX}, each once"
                )
            for value in values:
                check_fact(name, value, any_value=True)
        if self.quantity is not None and not 0 < self.quantity <= QUANTITY_MAX:
            raise Usage(f"a quantity of {self.quantity}", where="quantity", fix=f"1 to {QUANTITY_MAX}")

    def covers(self, name: str, value: str) -> bool:
        """Whether an order may have this fact."""
        allowed = dict(self.scope).get(name, ())
        return value in allowed or ANY in allowed

    def to_text(self) -> str:
        """The canonical text."""
        body: dict[str, Any] = {"scope": {name: list(values) for name, values in self.scope}}
        if self.quantity is not None:
            body["quantity"] = self.quantity
        if self.fees is not None:
            body["fees"] = self.fees.as_dict()
        return json.dumps(body, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Terms:
        """Read the canonical text back; raises `Refused` when it is not."""
        try:
            body = json.loads(text)
            fees = body.get("fees")
            found = cls.of(body["scope"], quantity=body.get("quantity"), fees=Fees(**fees) if fees else None)
        except (ValueError, KeyError, TypeError, AttributeError, Usage):
            raise Refused(
                "not the terms of a grant", where="register", fix="the database was damaged"
            ) from None
        if found.to_text() != text:
            raise Refused(
                "not the canonical terms of a grant", where="register", fix="the database was damaged"
            )
        return found

    @classmethod
    def of(
        cls,
        scope: Mapping[str, Iterable[str]],
        *,
        quantity: int | None = None,
        fees: Fees | None = None,
    ) -> Terms:
        """Terms from a scope in any order."""
        found = tuple((name, tuple(sorted(set(scope[name])))) for name in sorted(scope))
        return cls(scope=found, quantity=quantity, fees=fees)


def check_fact(name: str, value: str, *, any_value: bool = False) -> None:
    """Raise `Usage` for a fact that the rules do not know, or a value that is none."""
    if name not in FACTS:
        raise Usage(f"no fact {name!r}", where="scope", fix="one of " + ", ".join(FACTS))
    if not (_VALUE.fullmatch(value) or (any_value and value == ANY)):
        raise Usage(
            "not a value",
            where=f"scope {name}",
            fix="letters, digits and ._/+-, at most 40; * for any of them",
        )
