"""Published vectors and logs of the purse, each with its source; the card and the PSAM themselves give the answers.

Each case names its source. Trace cases have no keys: they pin layouts and flow.
"""

from __future__ import annotations

import pytest

from jinka.card import CardOs, SamKey
from jinka.codec import Algorithm, find
from jinka.crypto import diversify, load_session, mac4, purchase_session, tac_key
from jinka.crypto.block import message_mac4, tdes_encrypt
from tests.card.rig import Scripted, application, module, select

NCUISINE = "ncuisine.com/xingyexinwen/379.html = cnblogs ttss/4280376"
FMCOS_LOG = "fmcos-python, 'CPU card e-wallet circle consumption debugging record' (a real FM1208)"
FMCOS_MANUAL = "FMCOS 2.0 user manual, examples"
CODETD = "codetd.com/article/219619 = iteye scjava-2309584"

KEY_A = "11223344556677888877665544332211"
KEY_B = "00112233445566778899AABBCCDDEEFF"


def _h(text: str) -> bytes:
    return bytes.fromhex(text)


CALCULATIONS = [
    (
        NCUISINE,
        "load session",
        load_session(Algorithm.TDES, _h(KEY_A), _h("11223344"), 0),
        "9B1D924E05595603",
    ),
    (
        NCUISINE,
        "MAC1",
        mac4(Algorithm.TDES, _h("9B1D924E05595603"), _h("000000000000100001001122334455")),
        "2988AE5A",
    ),
    (
        NCUISINE,
        "MAC2",
        mac4(Algorithm.TDES, _h("9B1D924E05595603"), _h("000010000100112233445520111221214822")),
        "3A845BF0",
    ),
    (
        NCUISINE + " (its key; this session is not in the publication)",
        "purchase session",
        purchase_session(Algorithm.TDES, _h(KEY_A), _h("11223344"), 0, _h("00000001")),
        "003238ABC57659DD",
    ),
    (FMCOS_LOG, "TAC key", tac_key(Algorithm.TDES, _h(KEY_B)), "8888888888888888"),
    (
        FMCOS_LOG,
        "load session",
        load_session(Algorithm.TDES, _h(KEY_B), _h("C903814D"), 0),
        "11FDF264E8AEEFA3",
    ),
    (
        FMCOS_LOG,
        "second session",
        load_session(Algorithm.TDES, _h(KEY_B), _h("E0B84748"), 0),
        "7C45FBFB5B3A68F5",
    ),
    (
        FMCOS_LOG,
        "purchase session",
        purchase_session(Algorithm.TDES, _h(KEY_B), _h("584633C9"), 0, bytes(4)),
        "C08346DF9F1D457A",
    ),
    (
        FMCOS_LOG,
        "diversification",
        diversify(Algorithm.TDES, _h(KEY_B), _h("1122334455667788")),
        "496BD7A3513644533100B54E71196528",
    ),
    (
        FMCOS_LOG,
        "secure WRITE KEY, cipher",
        tdes_encrypt(_h(KEY_B), _h("13220000" + KEY_B + "80000000")),
        "DCC0BB5793ABFCA2CA8C1624822F6E01A86A0B5CBED191DD",
    ),
    (
        FMCOS_LOG,
        "secure WRITE KEY, MAC",
        message_mac4(
            Algorithm.TDES,
            _h(KEY_B),
            _h("5D72B3FD"),
            _h("84D400001C" + "DCC0BB5793ABFCA2CA8C1624822F6E01A86A0B5CBED191DD"),
        ),
        "8A9D4ADB",
    ),
    (
        CODETD,
        "SM4 diversification",
        diversify(Algorithm.SM4, _h("F23BF4AE92B554C116139D4F67322667"), _h("8866010000030400")),
        "016F6E76BD8E6FB4A17C28C4B05E03A8",
    ),
]


def _card_a() -> CardOs:
    return application(
        Scripted("11223344"), ["01 3F F0 EF 02 00" + KEY_A, "00 34 F0 EF 00 00" + KEY_A], passbook="F0"
    )


def _card_b() -> CardOs:
    keys = ["01 3F F0 EF 01 00" + KEY_B, "00 3E F0 EF 00 00" + KEY_B, "00 34 F0 EF 00 01" + KEY_B]
    return application(Scripted("C903814D", "E0B84748", "584633C9"), keys)


def _card_auth() -> CardOs:
    keys = [
        "00 39 F0 EF 01 33 0102030405060708",
        "00 30 F0 EF 00 00 1122334455667788",
        "00 32 F0 EF 00 00 1122334455667788",
    ]
    return application(Scripted("BB83BFF3"), keys)


def _psam() -> CardOs:
    psam = module([], transport_key=_h(KEY_B), randomness=Scripted("5D72B3FD"))
    select(psam, "DF01")
    return psam


TRANSCRIPTS = [
    (
        NCUISINE,
        _card_a,
        [
            ("805000010B0100001000001122334455", "00000000 0000 02 00 11223344 2988AE5A 9000"),
            ("805200000B201112212148223A845BF0", None),
            ("805C000104", "00001000 9000"),
        ],
    ),
    (
        FMCOS_LOG,
        _card_b,
        [
            ("805000020B0100002000001122334455 10", "00000000 0000 01 00 C903814D 03976C22 9000"),
            ("805200000B201612161058008AFA5718", "FA00066D 9000"),
        ],
    ),
    (
        FMCOS_LOG + ", second load begun and dropped, then the purchase",
        _card_b,
        [
            ("805000020B0100002000001122334455 10", "00000000 0000 01 00 C903814D 03976C22 9000"),
            ("805000020B0100002000001122334455 10", "00000000 0000 01 00 E0B84748 EA411F90 9000"),
        ],
    ),
    (
        FMCOS_MANUAL + ": EXTERNAL and INTERNAL AUTHENTICATE",
        _card_auth,
        [
            ("0084000004", "BB83BFF3 9000"),
            ("008200000874B0047DD681D96C", "9000"),
            ("00880000080102030405060708", "178F59F8578E0D3F 9000"),
            ("00880200080102030405060708", "A82A8CEB 9000"),
        ],
    ),
    (
        FMCOS_LOG + ": WRITE KEY under the transport key of a PSAM",
        _psam,
        [
            ("0084000004", "5D72B3FD 9000"),
            ("84D400001CDCC0BB5793ABFCA2CA8C1624822F6E01A86A0B5CBED191DD8A9D4ADB", "9000"),
        ],
    ),
]


@pytest.mark.parametrize(
    ("source", "what", "found", "wanted"), CALCULATIONS, ids=[f"{c[1]}" for c in CALCULATIONS]
)
def test_calculation(source: str, what: str, found: bytes, wanted: str) -> None:
    assert found == _h(wanted), f"{what} of {source}"


@pytest.mark.parametrize(("source", "make", "steps"), TRANSCRIPTS, ids=[t[0][:30] for t in TRANSCRIPTS])
def test_transcript(source: str, make, steps) -> None:
    chip = make()
    for command, answer in steps:
        found = chip.transmit(_h(command))
        if answer is None:
            assert found[-2:] == b"\x90\x00", source
        else:
            assert found == _h(answer), f"{command} in {source}: {found.hex()}"


def test_the_published_load_and_purchase_of_a_real_card() -> None:
    """FMCOS log, the purchase after the load, with the key index 00 and one minor unit."""
    keys = ["01 3F F0 EF 01 00" + KEY_B, "00 3E F0 EF 00 00" + KEY_B, "00 34 F0 EF 00 01" + KEY_B]
    card = application(Scripted("C903814D", "584633C9"), keys)
    assert card.transmit(_h("805000020B010000200000112233445510"))[-6:-2] == _h("03976C22")
    assert card.transmit(_h("805200000B201612161058008AFA5718")) == _h("FA00066D9000")
    begun = card.transmit(_h("805001020B0000000001001122334455"))
    assert begun == _h("00002000 0000 000000 00 00 584633C9 9000")
    paid = card.transmit(_h("805401000F0000000020161216134600D45737C508"))
    assert paid == _h("8AF270DC 66B54A6B 9000")
    assert card.transmit(_h("805C000204")) == _h("00001FFF 9000")
    assert card.transmit(_h("805A000602000108")) == _h("66B54A6B 8AF270DC 9000")


def test_the_key_written_under_the_transport_key_is_the_published_one() -> None:
    """Level 1, version 00: MAC1 of the PSAM with that key is MAC1 of the same key used by hand."""
    psam = _psam()
    psam.transmit(_h("0084000004"))
    assert psam.transmit(_h("84D400001CDCC0BB5793ABFCA2CA8C1624822F6E01A86A0B5CBED191DD8A9D4ADB")) == _h(
        "9000"
    )
    asked = "8070 0000 1C 584633C9 0000 00000001 06 20161216 134600 00 00 1122334455667788"
    answer = psam.transmit(_h(asked))
    session = purchase_session(
        Algorithm.TDES, _h("496BD7A3513644533100B54E71196528"), _h("584633C9"), 0, answer[:4]
    )
    bound = _h("00000001 06 440300000001 20161216 134600")
    assert answer == _h("00000001") + mac4(Algorithm.TDES, session, bound) + _h("9000")


def test_a_log_record_of_a_real_card() -> None:
    """T-Union_Master, card data format: a composite purchase of 5.00 yuan as record 01 of file 0018."""
    keys = ["01 3E F0 EF 01 00" + KEY_B, "00 34 F0 EF 00 00" + KEY_B]
    opening = ["00D6820008 000003E8 0000 042D"]
    card = application(Scripted("00000000"), keys, content=opening)
    begun = card.transmit(_h("805003020B 01 000001F4 300089000340 0F"))
    assert begun[4:6] == _h("042D")
    session = purchase_session(Algorithm.TDES, _h(KEY_B), begun[11:15], 0x042D, _h("00000007"))
    moment = "20241229141740"
    mac1 = mac4(Algorithm.TDES, session, _h("000001F4 09 300089000340" + moment))
    assert card.transmit(_h("805401000F00000007" + moment) + mac1)[-2:] == b"\x90\x00"
    assert card.transmit(_h("00B201C417")) == _h("042d 000000 000001f4 09 300089000340 20241229 141740 9000")


METRO_GATE = [("000162AF", "0036", "84176AD7"), ("00015A17", "0041", "F8ADA62B")]


@pytest.mark.parametrize(("balance", "counter", "rand"), METRO_GATE)
def test_the_begin_of_a_metro_gate_transaction(balance: str, counter: str, rand: str) -> None:
    """NFCGate relay of a metro gate (prefix 2000), two runs: the same answer, with the overdraft limit of 8.00."""
    keys = ["01 3E F0 EF 01 00" + KEY_B, "00 34 F0 EF 00 00" + KEY_B]
    card = application(Scripted(rand), keys, content=[f"00D682000B {balance} 0000 {counter} 000320"])
    begun = card.transmit(_h("805003020B 01 000000C8 200041599997"))
    assert begun == _h(f"{balance} {counter} 000320 01 00 {rand} 9000")


def test_the_fci_of_a_real_card_reads_as_ours() -> None:
    """HCE application, Beijing T-Union: tags 84, 9F08 and 9F0C with the 30 bytes of 0015."""
    fci = _h(
        "6F318408A000000632010105A5259F0801029F0C1E01011000FFFFFFFF0201031051700101709079842019080620401231 0000"
    )
    public = find(fci, 0x6F, 0xA5, 0x9F0C)
    assert public is not None
    assert public[10:20].hex() == "03105170010170907984"
    files = ["0015 28 001E F0 EF FFFF"]
    card = application(Scripted(), [], files=files, content=["00D6950000"[:8] + "1E" + public.hex()])
    ours = card.transmit(_h("00A4000002") + _h("3F01"))
    assert find(ours[:-2], 0x6F, 0xA5, 0x9F0C) == public
    assert find(ours[:-2], 0x6F, 0xA5, 0x9F08) == find(fci, 0x6F, 0xA5, 0x9F08)


def test_a_sam_key_hides_itself() -> None:
    key = SamKey(version=1, algorithm=Algorithm.TDES, level=2, key=_h(KEY_B))
    assert KEY_B.lower() not in repr(key).lower()
