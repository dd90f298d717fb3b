"""From a holder's zone and photograph to the data of a travel document's chip (ICAO Doc 9303-10 and -11).

The access keys follow from the zone; the hashes of all data groups are signed by a document signer. Which files a
document has is the profile's business.
"""

from __future__ import annotations

import hashlib

from jinka.card.personalise import Personal
from jinka.card.travel import PRIVATE_FID
from jinka.codec import lds
from jinka.codec.mrz import Mrz
from jinka.crypto.bac import document_keys
from jinka.crypto.certificates import Authority
from jinka.crypto.rsa_sign import ChipKeyKind, generate_pair, public_info
from jinka.crypto.signed_data import sign_content


def document_data(
    zone: Mrz,
    photo: bytes,
    *,
    width: int,
    height: int,
    signer: Authority,
    chip_key: ChipKeyKind | None = ChipKeyKind.P256,
) -> Personal:
    """Everything personal of one document; without ``chip_key`` it has no active authentication."""
    groups = {
        1: lds.encode_zone(zone.lines()),
        2: lds.encode_face(photo, width=width, height=height),
    }
    contents: dict[tuple[int, int], bytes] = {}
    if chip_key is not None:
        private, public = generate_pair(chip_key)
        contents[0, PRIVATE_FID] = bytes((chip_key,)) + private
        if chip_key is ChipKeyKind.P256:
            groups[14] = lds.encode_elliptic_authentication()
        groups[15] = lds.encode_authentication_key(public_info(chip_key, public))
    contents |= {(0, lds.group_fid(number)): raw for number, raw in groups.items()}
    contents[0, lds.COM] = lds.Common(groups=tuple(groups)).encode()
    contents[0, lds.SOD] = security_object(groups, signer)
    keys = document_keys(zone.information)
    return Personal(card_no=bytes(10), keys=(keys.enc, keys.mac), contents=contents)


def security_object(groups: dict[int, bytes], signer: Authority) -> bytes:
    """EF.SOD over these data groups."""
    hashes = {number: hashlib.sha256(raw).digest() for number, raw in groups.items()}
    return lds.encode_security(sign_content(lds.SECURITY_OBJECT, lds.encode_hashes(hashes), signer))
