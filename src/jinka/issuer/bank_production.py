"""Bank cards in bulk: symmetric keys derived for all at once, RSA keys from a pool, images cloned from a template.

EMV Book 2, 5.1, 6.1 and A1.4. A key pair for each card takes a hundred times as long as the rest of its making, so the
pairs are drawn beforehand, in a step of their own, and each is given out once. Per card there remain the issuer's two
signatures, over the card's key and over its static data; the issuer's own certificate is made once for all. SM2 keys
are quick to draw and need no pool.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from jinka.card import CardImage
from jinka.card.emv_issue import Authority, EmvHolder, Sm2Authority, contents
from jinka.card.emv_template import EmvTemplate
from jinka.codec import Algorithm
from jinka.crypto import emv
from jinka.crypto.emv_oda import PrivateKey
from jinka.crypto.sm2 import Sm2PrivateKey
from jinka.keys import Purpose
from jinka.keys.port import ChipKeys
from jinka.kit import Refused, Usage
from jinka.profile import EmvSpec

_PURPOSES = (Purpose.CRYPTOGRAM, Purpose.SCRIPT_MAC, Purpose.SCRIPT_DATA)  # in the profile's order
_VERSION = 1


class KeyPool:
    """Private keys waiting for cards. Each leaves once; no key is in twice. It holds them in memory, in the clear."""

    __slots__ = ("_keys", "_seen")

    def __init__(self, keys: Iterable[PrivateKey] = ()) -> None:
        self._keys: deque[PrivateKey] = deque()
        self._seen: set[int] = set()
        for key in keys:
            self.add(key)

    def add(self, key: PrivateKey) -> None:
        """Put a fresh key in; `Refused` for one that was ever in the pool."""
        if key.public.modulus in self._seen:
            raise Refused("a key twice", where="key pool", fix="draw another")
        self._seen.add(key.public.modulus)
        self._keys.append(key)

    def take(self) -> PrivateKey:
        """The oldest key; `Usage` when there is none."""
        if not self._keys:
            raise Usage("no keys left", where="key pool", fix="draw more before making cards")
        return self._keys.popleft()

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"KeyPool({len(self._keys)} keys)"


@dataclass(frozen=True, slots=True, kw_only=True)
class BankCardData:
    """What makes one bank card its own: its keys in the profile's order, and the contents of its files."""

    keys: tuple[bytes, ...] = field(repr=False)
    contents: Mapping[tuple[int, int], bytes] = field(repr=False)


def make_bank_cards(
    holders: Sequence[EmvHolder],
    *,
    spec: EmvSpec,
    template: EmvTemplate,
    masters: ChipKeys,
    algorithm: Algorithm = Algorithm.TDES,
    authority: Authority | None = None,
    pool: KeyPool | None = None,
    sm2: Sm2Authority | None = None,
) -> list[CardImage]:
    """An image for each holder. Without an authority no offline authentication, without a pool only the static one.

    With ``sm2`` each card has an SM2 key and chain too, drawn and signed with that authority's randomness.
    """
    everyone = bank_card_data(
        holders, spec=spec, masters=masters, algorithm=algorithm, authority=authority, pool=pool, sm2=sm2
    )
    return [template.clone(one.keys, one.contents) for one in everyone]


def bank_card_data(
    holders: Sequence[EmvHolder],
    *,
    spec: EmvSpec,
    masters: ChipKeys,
    algorithm: Algorithm = Algorithm.TDES,
    authority: Authority | None = None,
    pool: KeyPool | None = None,
    sm2: Sm2Authority | None = None,
) -> list[BankCardData]:
    """The data of `make_bank_cards` without the images, for cards that are made by APDUs."""
    names = [(holder.pan, holder.sequence) for holder in holders]
    if len(set(names)) != len(names):
        raise Refused("a card number is ordered twice", where="card order", fix="order each card once")
    if not holders:
        return []
    if pool is not None and len(pool) < len(holders):
        raise Usage(f"{len(pool)} keys for {len(holders)} cards", where="key pool", fix="draw more first")
    found = []
    for holder, keys in zip(holders, _derived(holders, masters, algorithm), strict=True):
        key = pool.take() if pool is not None else None
        chain = (sm2, Sm2PrivateKey.generate(sm2.randomness)) if sm2 is not None else None
        files = contents(spec, holder, authority, key, sm2=chain)
        found.append(BankCardData(keys=(*keys, holder.pin_bytes), contents=files))
    return found


def bank_factors(cards: Iterable[tuple[str, int]]) -> npt.NDArray[np.uint8]:
    """What a bank card's keys come down by (EMV Book 2, A1.4.1), ``(N, 8)``; of number and sequence."""
    blocks = b"".join(emv.card_block(pan, f"{sequence:02d}") for pan, sequence in cards)
    return np.frombuffer(blocks, np.uint8).reshape(-1, 8)


def _derived(
    holders: Sequence[EmvHolder], masters: ChipKeys, algorithm: Algorithm
) -> list[tuple[bytes, bytes, bytes]]:
    factors = bank_factors([(holder.pan, holder.sequence) for holder in holders])
    columns = [
        masters.chip_keys(purpose, algorithm=algorithm, version=_VERSION, factors8=factors)
        for purpose in _PURPOSES
    ]
    return [(a.tobytes(), b.tobytes(), c.tobytes()) for a, b, c in zip(*columns, strict=True)]
