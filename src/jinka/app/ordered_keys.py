"""Keys of cards that an issuer ordered, as a bureau opens them (`jinka issue --keys`).

The bureau has the transport key and what it seals its own files with, and none of the issuer's roots. ``order.json``
says which cards the order is for; it is not signed, and need not be: the header of each file of keys is authenticated,
and binds the name of the key and the numbers of all cards. For cards that are software, so a simulated service alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jinka.codec import Algorithm
from jinka.issuer.bank_production import bank_factors
from jinka.keys import KeyName, Purpose, card_factor
from jinka.keys.service import LocalKeyService
from jinka.kit import NotFound, Refused, Usage
from jinka.node import file_errors
from jinka.profile import ApplicationKind, ApplicationProfile
from jinka.registry.check_digits import luhn_digit

ABOUT = "order.json"
_FORMAT = "jinka.card-order/1"
_FILE_MAX = 64 << 20
_FILES_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CardKeyOrder:
    """What ``order.json`` says."""

    profile: str
    version: int
    algorithm: str
    first: str  # number of the first card, 16 digits
    count: int
    bureau: str
    files: tuple[str, ...]
    format: str = _FORMAT

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), indent=2).encode() + b"\n"


def order_factors(profile: ApplicationProfile, first: int, count: int) -> npt.NDArray[np.uint8]:
    """What the keys of cards in a row come down by, ``(N, 8)``: purses by their number, bank cards by theirs of 17."""
    numbers = [f"{first + row:016d}" for row in range(count)]
    if profile.application is ApplicationKind.EMV:
        return bank_factors([(number + luhn_digit(number), 0) for number in numbers])
    factors = b"".join(card_factor(bytes.fromhex(number.rjust(20, "0"))) for number in numbers)
    return np.frombuffer(factors, np.uint8).reshape(-1, 8)


class OrderedKeys:
    """Stands where a bureau would ask a key service for the keys of its chips."""

    def __init__(
        self, folder: Path, keys: LocalKeyService, profile: ApplicationProfile, algorithm: Algorithm
    ) -> None:
        self._folder, raw = folder, _read(folder / ABOUT)
        order = self.order = _parse(raw, folder)
        if (order.profile, order.version, order.algorithm) != (profile.name, profile.version, algorithm.name):
            raise Usage(
                f"an order for {order.profile} {order.version} with {order.algorithm}", where=str(folder),
                fix="name that application, and --sm4 for SM4",
            )  # fmt: skip
        factors = order_factors(profile, int(order.first), order.count)
        rows = factors.copy().view(">u8").reshape(-1)
        self._sorted = np.argsort(rows)
        self._rows = rows[self._sorted]
        self._keys: dict[KeyName, npt.NDArray[np.uint8]] = {}
        digest = hashlib.sha256(raw)
        for name in order.files:
            sealed = _read(folder / name)
            digest.update(hashlib.sha256(sealed).digest())
            values = keys.open_card_keys(sealed, factors8=factors)
            self._keys[KeyName.parse(str(json.loads(sealed)["key"]))] = values  # the header is authenticated
        self.digest = digest.hexdigest()

    def __repr__(self) -> str:
        return f"OrderedKeys({self.order.count} cards)"

    def require_numbers(self, numbers: Iterable[str]) -> None:
        """Raise `Refused` for a card number (16 digits) that the order has no keys for."""
        first = int(self.order.first)
        outside = next((n for n in numbers if not first <= int(n) < first + self.order.count), None)
        if outside is not None:
            raise Refused(
                "the next free numbers of the bureau are not those of the order", where=str(self._folder),
                fix=f"ask the issuer for keys from ************{outside[-4:]} on",
            )  # fmt: skip

    def chip_keys(
        self,
        purpose: Purpose,
        *,
        algorithm: Algorithm,
        version: int,
        factors8: npt.NDArray[np.uint8],
        owner: str = "",
    ) -> npt.NDArray[np.uint8]:
        """The keys of these chips, ``(N, 16)``; `Refused` for a key or a card that the order has not."""
        name = KeyName(purpose=purpose, algorithm=algorithm.name, version=version, owner=owner)
        values = self._keys.get(name)
        if values is None:
            raise Refused(f"no {name}", where=str(self._folder), fix="let the issuer order it")
        wanted = np.ascontiguousarray(factors8).view(">u8").reshape(-1)
        at = np.minimum(np.searchsorted(self._rows, wanted), len(self._rows) - 1)
        if (self._rows[at] != wanted).any():
            raise Refused("a card that it has no keys for", where=str(self._folder))
        return values[self._sorted[at]]


def _read(path: Path) -> bytes:
    with file_errors(path):
        if not path.is_file():
            raise NotFound("no such file of a card order", where=str(path), fix="bring the whole folder")
        if path.stat().st_size > _FILE_MAX:
            raise Refused(f"more than {_FILE_MAX} bytes", where=str(path))
        return path.read_bytes()


def _parse(raw: bytes, folder: Path) -> CardKeyOrder:
    try:
        found = json.loads(raw)
        order = CardKeyOrder(**found | {"files": tuple(found["files"])})
        first, files = order.first, order.files
        if (
            order.format != _FORMAT
            or not (len(first) == 16 and first.isascii() and first.isdigit())
            or not 1 <= order.count <= 10**16 - int(first)
            or type(order.count) is not int
            or order.count > 1_000_000
            or not 0 < len(files) <= _FILES_MAX
            or any(not isinstance(name, str) or name != Path(name).name or name == ".." for name in files)
        ):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Refused("not an order of card keys", where=str(folder / ABOUT), fix="send it again") from None
    return order
