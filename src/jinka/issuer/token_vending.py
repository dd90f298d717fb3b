"""The vendor of keypad tokens: credit, and the change of a meter's key (IEC 62055-41; `jinka.codec.sts`).

Times count from the base date 2014.

It holds the vending key of a supply group, from which each meter's key is made. A minute is given once for each meter:
tokens of one minute would be one token to it, so the later takes the next minute that is free.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jinka.codec import sts as codec
from jinka.crypto import sts
from jinka.kit import Randomness

_KEY_TYPE, _REVISION = 2, 1  # a common vending key, its first revision


@dataclass(slots=True)
class _Sold:
    key: bytes
    last: int = -1


class TokenVendor:
    """Sells for the meters of one supply group."""

    def __init__(self, vending_key8: bytes, group: str, randomness: Randomness) -> None:
        self._vending_key, self._group, self._randomness = vending_key8, group, randomness
        self._meters: dict[str, _Sold] = {}

    def __repr__(self) -> str:
        return f"TokenVendor(group={self._group})"

    def enrol(self, pan: str, *, tariff: int = 1) -> bytes:
        """The decoder key that the maker puts into the meter of this 18-digit number."""
        key = self._key(pan, tariff)
        self._meters[pan] = _Sold(key)
        return key

    def credit(self, pan: str, commodity: int, tenths: int, at: dt.datetime) -> str:
        """A credit token; an amount that a token cannot say exactly is rounded up."""
        sold = self._meters[pan]
        sold.last = max(codec.identifier(at, codec.BASE_2014), sold.last + 1)
        said = codec.DataBlock(
            token_class=codec.CREDIT, subclass=commodity, rnd=self._randomness.token_bytes(1)[0] & 15, tid=sold.last,
            amount=codec.encode_amount(tenths),
        )  # fmt: skip
        return _token(sold.key, codec.CREDIT, said.body())

    def change_key(self, pan: str, tariff: int) -> tuple[str, str]:
        """Both sections under the old key; what is sold from now on is under the new one."""
        sold, new = self._meters[pan], self._key(pan, tariff)
        first, second = codec.key_change_bodies(new, key_type=_KEY_TYPE, revision=_REVISION, tariff=tariff)
        made = _token(sold.key, codec.MANAGEMENT, first), _token(sold.key, codec.MANAGEMENT, second)
        sold.key = new
        return made

    def _key(self, pan: str, tariff: int) -> bytes:
        return sts.decoder_key(
            self._vending_key, pan, key_type=_KEY_TYPE, group=self._group, tariff=tariff, revision=_REVISION
        )


def _token(key8: bytes, token_class: int, body: int) -> str:
    return codec.token_digits(token_class, sts.encipher(key8, codec.block_of(token_class, body)))
