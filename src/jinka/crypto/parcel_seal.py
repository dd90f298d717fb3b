"""Signatures of manifests and receipts between centres, and why one is believed.

The signer's certificate travels in the envelope. It must carry the centre's code as its common name, be meant for
commitment (RFC 5280, 4.2.1.3: contentCommitment, which the TLS certificate of a centre has not) and lead to an anchor
of the line (5280, 6). The key decides the algorithm: SM2 over SM3, ECDSA or RSA over SHA-256. What is signed is the
one form of the body behind a prefix, so that nothing else that the key signs can be taken for it.

Not here: what the body says (`jinka.codec.parcel`), which centre may send to which.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from jinka.codec.parcel import Envelope, Manifest, Receipt
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_fields import KeyUsage
from jinka.crypto.x509_keys import Signer, check_signature, key_kind
from jinka.crypto.x509_path import Trust, check_path
from jinka.kit import Refused

_PREFIX = b"jinka parcel signature 1\0"


def seal_parcel(body: Manifest | Receipt, signer: Signer, certificates: Sequence[bytes]) -> Envelope:
    """Sign; ``certificates`` are the signer's own (DER) and those above it, without the anchor."""
    raw = body.to_bytes()
    return Envelope(body=raw, certificates=tuple(certificates), signature=signer.sign(_PREFIX + raw))


def check_seal(envelope: Envelope, centre: str, trust: Trust, at: dt.datetime) -> None:
    """Believe an envelope as the word of ``centre``; raises `Refused`."""
    leaf, *above = (read_certificate(der) for der in envelope.certificates)
    where = f"signature of {centre}"
    if leaf.common_name != centre:
        raise Refused(f"signed by {leaf.common_name!r}", where=where, fix="the centre itself must sign")
    check_path(leaf, above, trust, at, usage=KeyUsage.COMMITMENT)
    kind = key_kind(leaf.public_der)
    try:
        check_signature(leaf.public_der, kind.value, _PREFIX + envelope.body, envelope.signature)
    except Refused as error:
        raise Refused(error.what, where=where, fix="send what the centre signed") from None
