"""Published MACs of payment messages, each with its source; psec as an independent oracle.

Goal: a MAC made here is the one that the other side makes. Method: tables of published values for every algorithm
and padding, then random messages that psec must answer alike.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psec import mac as psec_mac

from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.mac import CMAC, X9_19, MacAlgorithm, MacScheme, Padding, make_mac
from jinka.crypto.unionpay_mac import PosMacForm, interbank_mac, interbank_text, pos_mac

TDES, AES, SM4 = BlockCipher
ISO = "ISO/IEC 9797-1:1999 annex B (misprints of padding 2 corrected by two independent implementations)"
NIST = "NIST SP 800-38B, examples (AES-128, TDEA)"
OPENSSL = "openssl 3.0: mac -cipher SM4-CBC .. CMAC (no published vector was found)"
POS_SALE = "a terminal's message, q.cnblogs.com/q/128930"
POS_DEMO = "a terminal maker's demonstration, blog.csdn.net zhu244912654/80005341"
PBOC = "mynw.cn/netsecurity/12427.html"
PSEC = "psec 1.3.0, example of psec.mac"

TEXT_1 = b"Now is the time for all "
TEXT_2 = b"Now is the time for it"
ONE, TWO, THREE = Padding
ISO_KEY, ISO_PAIR = "0123456789ABCDEF", "0123456789ABCDEFFEDCBA9876543210"


def _key(text: str, cipher: BlockCipher = TDES) -> BlockKey:
    return BlockKey(cipher=cipher, value=bytes.fromhex(text))


_CBC, _EMAC, _RETAIL = MacAlgorithm.CBC_MAC, MacAlgorithm.EMAC, MacAlgorithm.RETAIL
ISO_MACS = [
    (_CBC, ISO_KEY, TEXT_1, ("70A30640", "10E1F0F1", "2C58FB8F")),
    (_CBC, ISO_KEY, TEXT_2, ("E45B3AD2", "A924C721", "B1ECD6FC")),
    (_EMAC, ISO_KEY, TEXT_1, ("10F9BC67A03CD5D8", "BE7C2AB7D36BF5B7", "8EFC8BC7C2726E5C")),
    (_EMAC, ISO_KEY, TEXT_2, ("215E9CE6D91BC7FB", "1736AC1A61630EFB", "05382696274FB4F0")),
    (_EMAC, ISO_KEY + "F1D3B597795B3D1F", TEXT_2, ("215E9CE6D91BC7FB", "1736AC1A61630EFB", "05382696274FB4F0")),
    (_RETAIL, ISO_PAIR, TEXT_1, ("A1C72E74EA3FA9B6", "E9086230CA3BE796", "AB059463D7A7D170")),
    (_RETAIL, ISO_PAIR, TEXT_2, ("2E2B1428CC78254F", "5A692CE64F404145", "C59F7EED328DDD69")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("algorithm", "key", "text", "macs"), ISO_MACS, ids=lambda v: getattr(v, "name", None)
)
def test_iso_9797(algorithm: MacAlgorithm, key: str, text: bytes, macs: tuple[str, ...]) -> None:
    for padding, wanted in zip(Padding, macs, strict=True):
        scheme = MacScheme(algorithm=algorithm, padding=padding, size=len(wanted) // 2)
        assert make_mac(scheme, _key(key), text).hex().upper() == wanted, (ISO, padding)


_NIST_TEXT = "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411"
CMACS = [
    (NIST, AES, "2B7E151628AED2A6ABF7158809CF4F3C", "", "BB1D6929E95937287FA37D129B756746"),
    (NIST, AES, "2B7E151628AED2A6ABF7158809CF4F3C", _NIST_TEXT[:32], "070A16B46B4D4144F79BDD9DD04A287C"),
    (NIST, AES, "2B7E151628AED2A6ABF7158809CF4F3C", _NIST_TEXT, "DFA66747DE9AE63030CA32611497C827"),
    (NIST, TDES, "8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5", "", "B7A688E122FFAF95"),
    (NIST, TDES, "8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5", _NIST_TEXT[:16], "8E8F293136283797"),
    (NIST, TDES, "8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5", _NIST_TEXT[:40], "743DDBE0CE2DC2ED"),
    (NIST, TDES, "4CF15134A2850DD58A3D10BA80570D384CF15134A2850DD5", "", "BD2EBF9A3BA00361"),
    (OPENSSL, SM4, "0123456789ABCDEFFEDCBA9876543210", "", "29E154322E5C7BD8EE6A25BA549B24BC"),
    (OPENSSL, SM4, "0123456789ABCDEFFEDCBA9876543210", TEXT_2.hex(), "4C20191996FCB4DECC29233734309750"),
]


@pytest.mark.parametrize(("source", "cipher", "key", "text", "mac"), CMACS, ids=lambda v: str(v)[:12])
def test_cmac(source: str, cipher: BlockCipher, key: str, text: str, mac: str) -> None:
    scheme = MacScheme(algorithm=MacAlgorithm.CMAC, size=cipher.block)
    assert make_mac(scheme, _key(key, cipher), bytes.fromhex(text)).hex().upper() == mac, source
    assert make_mac(CMAC, _key(key, cipher), bytes.fromhex(text)).hex().upper() == mac[:16]


def test_pboc_and_psec_examples() -> None:
    text = bytes.fromhex(
        "4348454E48414F2D50437C424645424642464630303033303643337E39425030504432434E37303136333636"
        "49303034337C32303234303131317C32303235303130317C383139317C30"
    )
    two = MacScheme(algorithm=MacAlgorithm.RETAIL, padding=TWO)
    assert (
        make_mac(two, _key("5775204D69616F6A756E404726444311"), text).hex().upper() == "4089819D3D991CC7"
    ), PBOC
    pair = BlockKey(cipher=TDES, value=b"AAAAAAAABBBBBBBB")
    assert make_mac(X9_19, pair, b"hello world").hex().upper() == "3DDE5C5511661CBF", PSEC


def test_a_terminals_mac() -> None:
    wire = bytes.fromhex(
        "007f600003000060321032007202003020048000c0801500000000000000123400000203009930303030303030"
        "3139353237313831383232313738373531353600192600000100060000000000435f0112323834343132333435"
        "3637383930313233345f03063136303033365f04063230303832365c0230314233413039324145"
    )
    key = _key("0723C80DB5F4CD3D0723C80DB5F4CD3D")
    assert pos_mac(key, wire[13:-8]) == wire[-8:] == b"B3A092AE", POS_SALE
    assert pos_mac(_key("0723C80DB5F4CD3D"), wire[13:-8]) == b"B3A092AE", "equal halves are single DES"
    assert pos_mac(key, wire[13:-8], PosMacForm.BINARY)[:4].hex().upper() == "B3A092AE"


def test_a_terminals_mac_key_comes_under_its_master_key() -> None:
    master = _key("70F2A84CCBC2AE8625CBB0F2C22AB923")
    assert master.decrypt(bytes.fromhex("96D605EA176B7E9E")).hex().upper() == "C24A8FB57AA20123", POS_DEMO


def test_the_sm4_form_of_a_terminals_mac_step_by_step() -> None:
    """The published steps by hand: XOR of blocks, hex text, two blocks in CBC. No published result is complete."""
    key = _key("12345678901234567890123456789012", SM4)
    message = b"6000112018111411003020170930101010120171025000755000000005553"
    folded = bytes.fromhex("02000202030004060106020403343734")
    text = folded.hex().upper().encode()
    first = key.encrypt(text[:16])
    last = key.encrypt(bytes(a ^ b for a, b in zip(first, text[16:], strict=True)))
    assert pos_mac(key, message) == last.hex().upper().encode()[:8]
    assert pos_mac(key, message, PosMacForm.BINARY) == last[:8]


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_a_members_mac_covers_cleansed_text() -> None:
    fields = ["0200", " 19 622588  123 ", "000000", "abc*d", "x,.y"]
    assert interbank_text(fields) == b"0200 19 622588 123 000000 ABCD X,.Y"
    single, double, sm4 = _key(ISO_KEY), _key(ISO_PAIR), _key(ISO_PAIR, SM4)
    text = interbank_text(fields)
    for key, wanted in (
        (single, psec_mac.generate_cbc_mac(single.value, text, 1, 8)),
        (double, psec_mac.generate_retail_mac(double.value[:8], double.value[8:], text, 1, 8)),
        (sm4, sm4.cbc_encrypt(text + bytes(-len(text) % 16))[-16:]),
    ):
        assert interbank_mac(key, fields) == wanted[:4].hex().upper().encode()


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(
    st.binary(min_size=1, max_size=80), st.binary(min_size=16, max_size=16), st.sampled_from(list(Padding))
)
def test_psec_agrees(text: bytes, key: bytes, padding: Padding) -> None:
    retail = MacScheme(algorithm=MacAlgorithm.RETAIL, padding=padding)
    chain = MacScheme(algorithm=MacAlgorithm.CBC_MAC, padding=padding)
    double = BlockKey(cipher=TDES, value=key)
    wanted = psec_mac.generate_retail_mac(key[:8], key[8:], text, padding.value, 8)
    assert make_mac(retail, double, text) == wanted
    assert make_mac(chain, double, text) == psec_mac.generate_cbc_mac(key, text, padding.value, 8)
    aes = BlockKey(cipher=AES, value=key)
    wanted = psec_mac.generate_cbc_mac(key, text, padding.value, 16, algorithm=psec_mac.Algorithm.AES)
    assert make_mac(MacScheme(algorithm=MacAlgorithm.CBC_MAC, padding=padding, size=16), aes, text) == wanted
