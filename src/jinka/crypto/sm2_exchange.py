"""SM2 key agreement (GM/T 0003.3): two parties with key pairs and ephemeral pairs derive one key and confirm it.

`agree` is one side's whole computation; what it sends is its ephemeral public key and `Agreement.confirm_out`. The key
must not be used before `Agreement.check` has accepted the other side's confirmation. Reference code, not constant-time.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from jinka.crypto import sm2_curve as curve
from jinka.crypto.sm2 import DEFAULT_ID, Sm2PrivateKey, Sm2PublicKey
from jinka.crypto.sm2_curve import SIZE, derive_bytes, sm3
from jinka.kit import Refused

_HALF = 1 << 127  # 2^w with w = ceil(ceil(log2 n) / 2) - 1
_RESPONDER, _INITIATOR = b"\x02", b"\x03"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The shared key and both confirmations of 32 bytes: the one to send and the one to expect."""

    key: bytes
    confirm_out: bytes
    confirm_in: bytes

    def __repr__(self) -> str:
        return f"Agreement({len(self.key)} bytes)"

    def check(self, confirmation: bytes) -> None:
        """Accept the other side's confirmation; raises `Refused`."""
        if not hmac.compare_digest(self.confirm_in, confirmation):
            raise Refused("the other side derived another key", where="SM2 key agreement")


def agree(
    own: Sm2PrivateKey,
    own_ephemeral: Sm2PrivateKey,
    peer: Sm2PublicKey,
    peer_ephemeral: Sm2PublicKey,
    *,
    initiator: bool,
    size: int,
    own_id: bytes = DEFAULT_ID,
    peer_id: bytes = DEFAULT_ID,
) -> Agreement:
    """Derive a key of ``size`` bytes; the initiator is the one whose ephemeral key was sent first."""
    mine, mine_ephemeral = own.public_key(), own_ephemeral.public_key()
    t = (own.secret + _short(mine_ephemeral.x) * own_ephemeral.secret) % curve.N
    share = curve.multiply(_short(peer_ephemeral.x), (peer_ephemeral.x, peer_ephemeral.y))
    total = None if share is None else curve.add(share, (peer.x, peer.y))
    point = None if total is None else curve.multiply(t, total)
    if point is None:
        raise Refused("the keys agree on nothing", where="SM2 key agreement")
    x, y = (number.to_bytes(SIZE, "big") for number in point)
    identities = [mine.identity_digest(own_id), peer.identity_digest(peer_id)]
    ephemerals = [mine_ephemeral.coordinates(), peer_ephemeral.coordinates()]
    if not initiator:
        identities.reverse()
        ephemerals.reverse()
    inner = sm3(x, *identities, *ephemerals)
    by_responder, by_initiator = sm3(_RESPONDER, y, inner), sm3(_INITIATOR, y, inner)
    return Agreement(
        key=derive_bytes(x + y + b"".join(identities), size),
        confirm_out=by_initiator if initiator else by_responder,
        confirm_in=by_responder if initiator else by_initiator,
    )


def _short(x: int) -> int:
    """The lower half of a coordinate with its top bit set (GM/T 0003.3, 6.1)."""
    return _HALF + (x & (_HALF - 1))
