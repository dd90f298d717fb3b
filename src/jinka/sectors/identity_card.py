"""Identity with a certificate: a signing key that never leaves the card, its certificate, a PIN.

Standards: ISO/IEC 7816-8 (commands), RFC 5280 (certificate). No public file map exists for such cards, so this one is
Jinka's own: AID of the proprietary class, three files, and a register that tells the holder (1) from the issuer (2).
"""

from __future__ import annotations

from jinka.codec import Algorithm
from jinka.profile import (
    FREE,
    NEVER,
    ApplicationKind,
    ApplicationProfile,
    FileKind,
    FileSpec,
    KeySpec,
    KeyUse,
    PersonalDatum,
)

HOLDER_ALONE, ISSUER_ALONE = 0x11, 0x22
PIN_KID, ISSUER_KID = 1, 2

_KEYS = (
    KeySpec(use=KeyUse.PIN, kid=PIN_KID, version=1, algorithm=Algorithm.TDES, tries=3, state_after=1),
    KeySpec(
        use=KeyUse.EXTERNAL_AUTHENTICATE,
        kid=ISSUER_KID,
        version=1,
        algorithm=Algorithm.TDES,
        service_purpose="access",
        tries=5,
        state_after=2,
    ),
    KeySpec(
        use=KeyUse.MAINTENANCE, kid=0, version=1, algorithm=Algorithm.TDES, service_purpose="maintenance"
    ),
)

PROFILE = ApplicationProfile(
    name="jinka.identity",
    version=1,
    aid=bytes.fromhex("F04A494E4B414944"),
    fid=0x3F07,
    title_en="Identity with certificate",
    title_zh="身份证书应用",
    authority="Certification authority 电子认证机构",
    standards=("ISO/IEC 7816-8", "RFC 5280"),
    application=ApplicationKind.IDENTITY,
    files=(
        FileSpec(
            fid=0x0000,
            kind=FileKind.KEY,
            size=3 * 24,
            read_right=NEVER,
            title_en="PIN and issuer's keys",
            title_zh="密钥文件",
        ),
        FileSpec(
            fid=0x0011,
            kind=FileKind.BINARY,
            size=1536,
            read_right=FREE,
            write_right=FREE,
            mac_required=True,
            title_en="Certificate (X.509, DER)",
            title_zh="数字证书",
        ),
        FileSpec(
            fid=0x0012,
            kind=FileKind.BINARY,
            size=257,
            title_en="Public key",
            title_zh="公钥",
            example=b"\x02\x04" + bytes(64),
        ),
        FileSpec(
            fid=0x0013,
            kind=FileKind.SECRET,
            size=257,
            read_right=HOLDER_ALONE,
            write_right=ISSUER_ALONE,
            title_en="Private key; the rights are those to sign and to generate",
            title_zh="私钥（权限为签名与生成）",
        ),
    ),
    keys=_KEYS,
    personal=((0x0011, PersonalDatum.NAME),),
)
