"""Files of travel documents (ICAO Doc 9303-10): EF.COM, DG1, DG2, DG14, DG15 and the security object.

Each file is one BER-TLV object. DG2 carries one face as ISO/IEC 19794-5 records it. The signature around the security
object is made in `jinka.crypto.signed_data`; biometric matching, DG3 and DG4 are not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinka.codec.tlv import TlvError, find, parse, tlv
from jinka.kit import Refused

AID = bytes.fromhex("A0000002471001")
COM, SOD = 0x011E, 0x011D
COM_TAG, SOD_TAG = 0x60, 0x77
GROUP_TAGS = {1: 0x61, 2: 0x75, 3: 0x63, 4: 0x76, 11: 0x6B, 12: 0x6C, 14: 0x6E, 15: 0x6F}
_GROUPS = {tag: number for number, tag in GROUP_TAGS.items()}
SECURITY_OBJECT = bytes.fromhex("678108010101")  # id-icao-mrtd-security-ldsSecurityObject
ACTIVE_AUTHENTICATION = bytes.fromhex("678108010105")
ECDSA_PLAIN_SHA256 = bytes.fromhex("04007F00070101040103")  # BSI TR-03111
LDS_VERSION, UNICODE_VERSION = b"0107", b"040000"
FILE_MAX = 0x7FFF  # an offset in READ BINARY has 15 bits
_SEQUENCE, _SET, _INTEGER, _OCTETS, _OID = 0x30, 0x31, 0x02, 0x04, 0x06
_SHA256 = tlv(_SEQUENCE, tlv(_OID, bytes.fromhex("608648016503040201")))
_FACE_HEAD, _FACE_BLOCK, _IMAGE_BLOCK = 14, 20, 12


def group_fid(number: int) -> int:
    """The file identifier of a data group."""
    return 0x0100 | number


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """EF.COM: which data groups the chip says that it holds."""

    lds_version: bytes = LDS_VERSION
    unicode_version: bytes = UNICODE_VERSION
    groups: tuple[int, ...]

    def encode(self) -> bytes:
        """``60 {5F01, 5F36, 5C}``."""
        tags = bytes(GROUP_TAGS[number] for number in self.groups)
        return tlv(COM_TAG, tlv(0x5F01, self.lds_version), tlv(0x5F36, self.unicode_version), tlv(0x5C, tags))


def decode_common(raw: bytes) -> Common:
    """Read EF.COM; `Refused` when an object is missing or a tag is unknown."""
    lds, unicode_version, tags = (_at(raw, "EF.COM", COM_TAG, tag) for tag in (0x5F01, 0x5F36, 0x5C))
    unknown = [tag for tag in tags if tag not in _GROUPS]
    if unknown:
        raise Refused(f"unknown data group tag {unknown[0]:02X}", where="EF.COM")
    return Common(
        lds_version=lds, unicode_version=unicode_version, groups=tuple(_GROUPS[tag] for tag in tags)
    )


def encode_zone(lines: tuple[str, ...]) -> bytes:
    """DG1."""
    return tlv(GROUP_TAGS[1], tlv(0x5F1F, "".join(lines).encode("ascii")))


def decode_zone(raw: bytes) -> str:
    """The machine readable zone of DG1 without line breaks."""
    zone = _at(raw, "DG1", GROUP_TAGS[1], 0x5F1F)
    if not zone.isascii():
        raise Refused("the zone is not ASCII", where="DG1")
    return zone.decode("ascii")


def encode_face(image: bytes, *, width: int, height: int, jpeg2000: bool = False) -> bytes:
    """DG2 with one full frontal image, its features unspecified (ISO/IEC 19794-5, 5.4 to 5.8)."""
    block = (_FACE_BLOCK + _IMAGE_BLOCK + len(image)).to_bytes(4, "big") + bytes(16)
    about = bytes((0x01, int(jpeg2000))) + width.to_bytes(2, "big") + height.to_bytes(2, "big") + bytes(6)
    body = block + about + image
    record = b"FAC\x00010\x00" + (_FACE_HEAD + len(body)).to_bytes(4, "big") + b"\x00\x01" + body
    header = tlv(0xA1, tlv(0x81, b"\x02"), tlv(0x87, b"\x01\x01"), tlv(0x88, b"\x00\x08"))
    group = tlv(0x7F61, tlv(0x02, b"\x01"), tlv(0x7F60, header, tlv(0x5F2E, record)))
    return tlv(GROUP_TAGS[2], group)


def decode_face(raw: bytes) -> bytes:
    """The image bytes of DG2's first face."""
    record = _at(raw, "DG2", GROUP_TAGS[2], 0x7F61, 0x7F60, 0x5F2E)
    start = _FACE_HEAD + _FACE_BLOCK + _IMAGE_BLOCK
    length = int.from_bytes(record[8:12], "big")
    if record[:4] != b"FAC\x00" or length != len(record) or len(record) < start:
        raise Refused("not a face record", where="DG2")
    block = int.from_bytes(record[_FACE_HEAD : _FACE_HEAD + 4], "big")
    start += 8 * int.from_bytes(record[_FACE_HEAD + 4 : _FACE_HEAD + 6], "big")  # feature points
    if not start <= _FACE_HEAD + block <= len(record):
        raise Refused("the face's length is false", where="DG2")
    return record[start : _FACE_HEAD + block]


def encode_elliptic_authentication() -> bytes:
    """DG14 saying that active authentication is ECDSA with SHA-256 (Doc 9303-11, 9.2.5)."""
    info = tlv(
        _SEQUENCE,
        tlv(_OID, ACTIVE_AUTHENTICATION),
        tlv(_INTEGER, b"\x01"),
        tlv(_OID, ECDSA_PLAIN_SHA256),
    )
    return tlv(GROUP_TAGS[14], tlv(_SET, info))


def authentication_algorithm(raw: bytes) -> bytes | None:
    """The signature algorithm that DG14 names for active authentication; None when it names none."""
    for tag, info, _ in _parsed(_at(raw, "DG14", GROUP_TAGS[14], _SET), "DG14"):
        parts = [(kind, value) for kind, value, _ in _parsed(info, "DG14")]
        if tag == _SEQUENCE and len(parts) == 3 and parts[0] == (_OID, ACTIVE_AUTHENTICATION):
            return parts[2][1]
    return None


def encode_authentication_key(public_der: bytes) -> bytes:
    """DG15."""
    return tlv(GROUP_TAGS[15], public_der)


def decode_authentication_key(raw: bytes) -> bytes:
    """The SubjectPublicKeyInfo of DG15."""
    return _at(raw, "DG15", GROUP_TAGS[15])


def encode_hashes(hashes: Mapping[int, bytes]) -> bytes:
    """LDSSecurityObject, version 0: the SHA-256 of each data group (Doc 9303-10, 4.6.2.3)."""
    rows = (tlv(_SEQUENCE, tlv(_INTEGER, bytes((n,))), tlv(_OCTETS, digest)) for n, digest in hashes.items())
    return tlv(_SEQUENCE, tlv(_INTEGER, b"\x00"), _SHA256, tlv(_SEQUENCE, *rows))


def decode_hashes(raw: bytes) -> dict[int, bytes]:
    """Data group number -> hash; `Refused` for another algorithm, a number that comes twice, or a malformed row."""
    parts = [(tag, value) for tag, value, _ in _parsed(_at(raw, "EF.SOD", _SEQUENCE), "EF.SOD")]
    if len(parts) < 3 or parts[2][0] != _SEQUENCE:
        raise Refused("not a security object", where="EF.SOD")
    if find(parts[1][1], _OID) != find(_SHA256, _SEQUENCE, _OID):
        raise Refused("a hash other than SHA-256", where="EF.SOD")
    found: dict[int, bytes] = {}
    for tag, row, _ in _parsed(parts[2][1], "EF.SOD"):
        pair = [(kind, value) for kind, value, _ in _parsed(row, "EF.SOD")]
        if tag != _SEQUENCE or [kind for kind, _ in pair] != [_INTEGER, _OCTETS] or len(pair[0][1]) != 1:
            raise Refused("a malformed row of hashes", where="EF.SOD")
        if pair[0][1][0] in found:
            raise Refused(f"data group {pair[0][1][0]} stands twice", where="EF.SOD")
        found[pair[0][1][0]] = pair[1][1]
    return found


def encode_security(signed: bytes) -> bytes:
    """EF.SOD around the signed object."""
    return tlv(SOD_TAG, signed)


def decode_security(raw: bytes) -> bytes:
    """The signed object inside EF.SOD."""
    return _at(raw, "EF.SOD", SOD_TAG)


def _at(raw: bytes, where: str, *path: int) -> bytes:
    try:
        found = find(raw, *path)
    except TlvError as error:
        raise Refused(error.what, where=where) from None
    if found is None:
        raise Refused(f"no object {'/'.join(f'{tag:02X}' for tag in path)}", where=where)
    return found


def _parsed(raw: bytes, where: str) -> list[tuple[int, bytes, int]]:
    try:
        return list(parse(raw))
    except TlvError as error:
        raise Refused(error.what, where=where) from None
