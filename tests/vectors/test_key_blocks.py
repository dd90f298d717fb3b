"""Published key blocks of every version, and psec as an independent oracle of A to D.

Goal: keys go to and come from other people's HSMs. Method: blocks printed in the standards or made by an HSM are
opened; random keys and headers that psec must open, and psec's that must open here. For version E there is one
published block (ISO 20038:2017 B.2), opened and made again byte for byte; its example in B.3 misprints the key.
"""

from __future__ import annotations

import base64
import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from psec import tr31

from jinka.crypto.block_key import BlockCipher, BlockKey, CheckMethod
from jinka.crypto.key_block import open_block, unwrap, wrap
from jinka.crypto.key_block_header import (
    MODES,
    Exportability,
    KeyAlgorithm,
    KeyBlockHeader,
    KeyBlockVersion,
    KeyMode,
    KeyUsage,
    parse_header,
)
from jinka.kit import Refused

A, B, C, D, E = KeyBlockVersion
HSM = "made by a Thales payShield 10K: openemv/tr31, test/tr31_decrypt_test.c"
TR31 = "TR-31:2018, A.7"
X9_143 = "ANSI X9.143:2021, 8"
ISO = "ISO 20038:2017, annex B"
OLD_WARNING = "ignore::cryptography.utils.CryptographyDeprecationWarning"

_HSM_KEY, _HSM_OPEN = "EFE0853B256B583D868F251CE99EA1D9", "5DB50B454F8389ADCE573BE50861F2BF"
_STANDARD = "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6"
_AAAA = "41" * 32
_ISO_KEY = b"256-bit AES wrapping (ISO 20038)".hex().upper()
_C_KEY, _C_OPEN = "B8ED59E0A279A295E9F5ED7944FD06B9", "EDB380DD340BC2620247D445F5B8D678"
_B_KEY, _B_OPEN = "1D22BF32387C600AD97F9B97A51311AC", "E8BC63E5479455E26577F715D587FE68"
PUBLISHED = [
    (HSM, _HSM_KEY, "A0072K0TN00N0000F40D5672C6D0EC86F860BA88D44D00F0CA9A8CE8CD2F640287A9A9EB", _HSM_OPEN, "5C9405"),
    (
        HSM,
        _HSM_KEY,
        "B0080K0TN00N00001C414014375212C24995E405B5EE052CB92B67F455EA2680F6751088F9F1C228",
        _HSM_OPEN,
        "5C9405",
    ),
    (HSM, _HSM_KEY, "C0072K0TN00N0000C9B875FF7A5316BF221C09ED52080DE0B45632A4EA9CE87699CB565E", _HSM_OPEN, "5C9405"),
    (
        TR31,
        "89E88CF7931444F334BD7547FC3F380C",
        "A0072P0TE00E0000F5161ED902807AF26F1D62263644BD24192FDB3193C730301CEE8701",
        "F039121BEC83D26B169BDCD5B22AAF8F",
        "CB9DEA",
    ),
    (
        TR31,
        "DD7515F2BFC17F85CE48F3CA25CB21F6",
        "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E",
        "3F419E1CB7079442AA37474C2EFBF8B8",
        "57C409",
    ),
    (
        TR31,
        _C_KEY,
        "C0096B0TX12S0100KS1800604B120F9292800000BFB9B689CB567E66FC3FEE5AD5F52161FC6545B9D60989015D02155C",
        _C_OPEN,
        "F4B08D",
    ),
    (
        TR31,
        _B_KEY,
        "B0104B0TX12S0100KS1800604B120F9292800000BB68BE8680A400D9191AD4ECE45B6E6C0D21C4738A52190E248719E24B433627",
        _B_OPEN,
        "9A4212",
    ),
    (
        TR31,
        _STANDARD,
        "D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34",
        "3F419E1CB7079442AA37474C2EFBF8B8",
        "08793E",
    ),
    (
        HSM,
        _AAAA,
        "D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C",
        "1FA1F7CEC798D91545DA8AE0C7796BD9",
        "FF5087",
    ),
    (
        HSM,
        _AAAA,
        "D0144D0AN00N0000127862F945C2DED04530FAF7CDBC8B0BA10C7AA79BD5E0C2C5D6AC173BF588E4B19ACF1357178D50"
        "EA0AB193228E13958304FC6149632DFDCADF3A5B3D57E814",
        "BE19E6A07A760F10EF8E83A226B63AAD141F463FDDD4F47DB244B4023EC3CACC",
        "0A00E3",
    ),
    (
        ISO,
        _ISO_KEY,
        "E0084B0TV16N0000B2AE5E26BBA7F246E84D5EA24167E208A6B66EF2E27E55A52DB52F0AEACB94C57547",
        b"wrapped 3DES key".hex(),
        "B29D42",
    ),
    (
        ISO + " (the wrapped key as its MAC input shows it)",
        _ISO_KEY,
        "D0112M3TV16N000018462FA5903B8D2B82FEE26B29713C0BE7ED81601087F12252093D06FC0A012C1CF769AD0E3E9E4877166AB013FC22B4",
        "76736170706464203245455220" + "6B6479",
        "B29D42",
    ),
    (
        X9_143,
        _STANDARD,
        "D0144P0AE00E00002C77FA3F4A553BED6E88AE5C172A4166E3D4ACA8E2AC71C158A476FAC12C13C3829DE55D3AB54C48"
        "F4C4FEF7AC75E90FC47F1B77E7B19A73ED46E64410082557",
        "3F419E1CB7079442AA37474C2EFBF8B8",
        "08793E25AB",
    ),
    (
        X9_143,
        _C_KEY,
        "C0112B0TX12S0100KS1800604B120F929280000042B758A2400AB598AE37782823DAF0BA4BDB0DAFF34915345CA169AE1F976A429EB139E5",
        _C_OPEN,
        "F4B08D",
    ),
    (
        X9_143,
        _B_KEY,
        "B0120B0TX12S0100KS1800604B120F929280000015CEB14B76D551F21EC43A75390FA118A98C6CB049E3B9E864A5F4A8"
        "B9A5108A6DB5635C95B042D7",
        _B_OPEN,
        "9A4212",
    ),
]  # fmt: skip


class Dice:
    """Seeded randomness."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = random.Random(seed)

    def token_bytes(self, count: int) -> bytes:
        return self.rng.randbytes(count)


def protection(version: KeyBlockVersion, value: str) -> BlockKey:
    cipher = BlockCipher.AES if version in (D, E) else BlockCipher.TDES
    return BlockKey(cipher=cipher, value=bytes.fromhex(value))


def header(version: KeyBlockVersion, **changes: Any) -> KeyBlockHeader:
    values: dict[str, Any] = {
        "version": version,
        "usage": KeyUsage.PIN,
        "algorithm": KeyAlgorithm.TDES,
        "mode": KeyMode.ENCRYPT,
        "exportability": Exportability.TRUSTED,
    }
    return KeyBlockHeader(**(values | changes))


@pytest.mark.parametrize(("source", "key", "block", "wanted", "check"), PUBLISHED, ids=lambda v: str(v)[:16])
def test_published_blocks(source: str, key: str, block: str, wanted: str, check: str) -> None:
    opened = open_block(protection(KeyBlockVersion(block[0]), key), block)
    assert opened.value.hex().upper() == wanted.upper(), source
    method = CheckMethod.CMAC if opened.header.algorithm is KeyAlgorithm.AES else CheckMethod.ZEROS
    opened.block_key().expect(bytes.fromhex(check), method)
    if block[5:7] == "B0" and opened.header.optional:
        assert opened.header.optional == (("KS", "00604B120F9292800000"),)
    body = len(block[parse_header(block)[1] :]) // 2
    assert block.startswith(opened.header.text(body)), "the header is written as the standard writes it"


def test_a_key_pair_with_its_certificates() -> None:
    """ANSI X9.143:2021, 8.6: long optional blocks, the check value of the protection key, padding, a private key."""
    text = (Path(__file__).parent / "x9_143_ecc_key_block.txt").read_text().replace("\n", "")
    opened = unwrap(protection(D, _STANDARD), text, [KeyUsage.SIGN_PAIR])
    assert opened.header.text(len(text[parse_header(text)[1] :]) // 2) == text[: parse_header(text)[1]]
    blocks = dict(opened.header.optional)
    assert (blocks["KP"], blocks["TS"], len(blocks["CT"])) == ("012331550BC9", "20200818004100Z", 0x5CC - 10)
    secret = serialization.load_der_private_key(opened.value, None)
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    certificate = x509.load_der_x509_certificate(base64.b64decode(blocks["CT"][8 : 8 + 0x2F0]))
    assert certificate.public_key() == secret.public_key()
    with pytest.raises(Refused):
        opened.block_key()


def test_version_e_makes_the_published_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """B.2 uses a mode that does not go with its usage, so the rule gives way here."""
    _, key, block, wanted, _ = next(row for row in PUBLISHED if row[2][0] == "E")
    opened = open_block(protection(E, key), block)
    with pytest.raises(Refused, match="mode V of usage B0"):
        unwrap(protection(E, key), block, [KeyUsage.BDK])
    monkeypatch.setitem(MODES, KeyUsage.BDK, MODES[KeyUsage.BDK] | {KeyMode.VERIFY})
    assert wrap(protection(E, key), opened.header, bytes.fromhex(wanted), Dice()) == block


def _odd_enough(key: bytes) -> bool:
    parts = [bytes(byte & 0xFE for byte in key[at : at + 8]) for at in range(0, len(key), 8)]
    return all(left != right for left, right in itertools.pairwise(parts))


_sizes = st.sampled_from([16, 24])
_tdes = _sizes.flatmap(lambda size: st.binary(min_size=size, max_size=size)).filter(_odd_enough)
_long_aes = st.binary(min_size=32, max_size=32)
_texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
_optional = st.lists(
    st.tuples(st.sampled_from(["KS", "TS", "LB", "DA", "10"]), _texts), max_size=4, unique_by=lambda p: p[0]
)


@pytest.mark.filterwarnings(OLD_WARNING)
@settings(max_examples=60)
@given(st.sampled_from([A, B, C, D]), st.data(), _tdes, _optional, st.integers(0))
def test_psec_agrees(
    version: KeyBlockVersion, data: Any, key: bytes, optional: list[tuple[str, str]], seed: int
) -> None:
    if version is D:
        guard = BlockKey(cipher=BlockCipher.AES, value=data.draw(_long_aes))
    else:
        triple = st.binary(min_size=24, max_size=24).filter(_odd_enough)
        guard = BlockKey(cipher=BlockCipher.TDES, value=data.draw(triple))
    mine = header(version, optional=tuple(optional))
    block = wrap(guard, mine, key, Dice(seed))
    theirs, opened = tr31.unwrap(guard.value, block)
    assert opened == key
    assert str(theirs)[5:16] == block[5:16]
    assert [(name, text) for name, text in theirs.blocks.items() if name != "PB"] == optional
    back = unwrap(guard, tr31.wrap(guard.value, theirs, key), [KeyUsage.PIN])
    assert (back.value, back.header) == (key, mine)


@pytest.mark.filterwarnings(OLD_WARNING)
def test_long_optional_blocks() -> None:
    guard = BlockKey(cipher=BlockCipher.AES, value=bytes(range(32)))
    long = header(D, optional=(("CT", "00" + "M" * 2000), ("KS", "1" * 251), ("LB", "2" * 252)))
    block = wrap(guard, long, bytes(range(16)), Dice())
    assert block[16:26] == "CT000407DC", "announced as in ANSI X9.143, 8.5"
    assert unwrap(guard, block, [KeyUsage.PIN]).header == long
    theirs = tr31.Header("D", "P0", "T", "E", "00", "E")
    theirs.blocks["CT"] = "00" + "M" * 2000
    assert (
        open_block(guard, tr31.wrap(guard.value, theirs, bytes(range(16)))).header.optional
        == long.optional[:1]
    )


@pytest.mark.parametrize("version", list(KeyBlockVersion))
def test_lengths_of_keys_do_not_show(version: KeyBlockVersion) -> None:
    guard = protection(version, "0123456789ABCDEFFEDCBA98765432101122334455667788")
    sizes = {len(wrap(guard, header(version), bytes(range(size)), Dice())) for size in (16, 24)}
    assert len(sizes) == (2 if version is E else 1), "ISO 20038 E fills nothing"


@given(st.binary(min_size=1, max_size=300), st.integers(0), st.sampled_from(list(KeyBlockVersion)))
def test_keys_of_other_algorithms(key: bytes, seed: int, version: KeyBlockVersion) -> None:
    guard = protection(version, "0123456789ABCDEFFEDCBA98765432101122334455667788")
    mac = header(version, usage=KeyUsage.HMAC, algorithm=KeyAlgorithm.HMAC, mode=KeyMode.CALCULATE)
    opened = unwrap(guard, wrap(guard, mac, key, Dice(seed)), [KeyUsage.HMAC])
    assert (opened.value, opened.header) == (key, mac)
    assert key.hex() not in repr(opened) or len(key) < 4
