"""DUKPT against the standards' own test data, 3DES and AES.

Goal: the host finds the key that a terminal anywhere used. Method: the published sequences, with the PIN blocks
that belong to them, the published working keys of every use, and the counters at the roll-over and at the end.
"""

from __future__ import annotations

import pytest

from jinka.crypto import dukpt, dukpt_aes
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.dukpt import DukptUse
from jinka.crypto.dukpt_aes import AesDukptType, AesDukptUse, AesSerial
from jinka.kit import Refused, Usage

X9_24_1 = "ANSI X9.24-1:2009 A.4 (values as in openemv/dukpt, test/dukpt_tdes_test.c)"
X9_24_3 = "ANSI X9.24-3:2017, supplement of test vectors (openemv/dukpt test/, x9.org test vectors)"

BASE = BlockKey(cipher=BlockCipher.TDES, value=bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"))
PIN_BLOCK = bytes.fromhex("041274EDCBA9876F")
# Counter, transaction key, the PIN block under the key's PIN variant.
TDES_KEYS = """\
00001 042666B49184CFA368DE9628D0397BC9 1B9C1845EB993A7A
00002 C46551CEF9FD24B0AA9AD834130D3BC7 10A01C8D02C69107
00003 0DF3D9422ACA56E547676D07AD6BADFA 18DC07B94797B466
00004 279C0F6AEED0BE652B2C733E1383AE91 0BC79509D5645DF7
00005 5F8DC6D2C845C125508DDC048093B83F 5BC0AF22AD87B327
00006 5E415CB0BAF9F03CD0C14B63FB62FF43 A16DF70AE36158D8
00007 0C8F780B7C8B49D0AE84A9EB2A6CE660 27711C16CB257F8E
00008 27F66D5244FF62E1AA6F6120EDEB4280 50E55547A5027551
00009 27E31064FDC565698900E2057F658E7E 536CF7F678ACFC8D
0000A 6CF2500A22507C7CC776CEADC1E33014 EDABBA23221833FE
0000B 3E8260BA04B2D620C01482B3819A18B7 2328981C57B4BDBA
0000C B716E1E11CF53D80726CAEE75C3A624F 038D03CC926CF286
0000D E072EDF95340535FB6C581C58FBF2533 6C8AA97088B62C68
0000E A80046087F5B8F245AAD95E18429084F F17C9E1D72CD4950
0000F 93DD5B956C4878472E453AAEFD32A5AA B170F6E7F7F2F64A
00010 59598DCBD9BD94C094165CE453585F57 D5D9638559EF53D6
00011 2B5F01F4F0CC05EA639D523231BF1BA2 D544F8CDD292C863
00012 9CF640F279C2AEE615F725EEEAC2CBAF 7A21BD10F36DC41D
00013 C3DF489FDF1153B4F03DE97C27DC4C2F 78649BD17D0DFA60
00014 658488507721B3F14737FA93F923CBD2 7E7E16EA0C31AD56
00015 E161D1956A61F6D2F37AFD7F9CC3699A 72105C22EBC791E6
FF800 F9CDFEBF4F5B1D9EB3EC12454527E176 33365F5CC6F23C35
FF801 5BEE92627E97825C911BF619DF72CA3B 3A86BF003F835C9D
FF802 64CA2F8AB93F61B01620B00BF77C7301 3DB977D05C36DF3F
FF804 35A168695B3BA83307E871C42021DD37 BA83243305712099
FF808 12C380FCB72ED3C26FC6079AF63F4787 B0DA04AC90A36D85
FF810 D8007C833A1E3C49C6889B97A68C54FF 2CF02BD9C309EEDA
FF820 A9C9FF9B735FDD49591F296B0BF0FD70 9D1E2F77AEEE81C6
FF840 0E3E221062CB5E03A384602783A004FA 40870B0F8BA2011C
FF880 CA8225C587124DFBB87F279C0BE29727 22E340D6ABB40981
FF900 906AAC1751D4971A144D52C76C6E1F97 1A4C10AFBA03A430
FFA00 2B9E2CE7C2750337E10B54D2989EA6AF 849763B43E5F9CFF
FFC00 F9430DF975082491C77BE4EF4FDB91EE DEFC6F09F8927B71
100000 AA4D58DB653EC74A48C75F2F047DD2B5 73EC88AD0AC5830E
"""
TDES_ROWS = [row.split() for row in TDES_KEYS.splitlines()]


def _serial(counter: int) -> bytes:
    return (0xFFFF9876543210E00000 | counter).to_bytes(10, "big")


def test_tdes_initial_key() -> None:
    initial = dukpt.initial_key(BASE, _serial(0))
    assert initial.value.hex().upper() == "6AC292FAA1315B4D858AB3A3D7D5933A", X9_24_1
    assert dukpt.initial_key(BASE, _serial(0x1FFFFF)) == initial


@pytest.mark.parametrize(("counter", "key", "block"), TDES_ROWS)
def test_tdes_transaction_keys(counter: str, key: str, block: str) -> None:
    serial = _serial(int(counter, 16))
    found = dukpt.transaction_key(dukpt.initial_key(BASE, serial), serial)
    assert found.value.hex().upper() == key, X9_24_1
    pin_key = dukpt.working_key(BASE, serial, DukptUse.PIN)
    assert pin_key.encrypt(PIN_BLOCK).hex().upper() == block, X9_24_1


def test_tdes_serial_numbers_follow_one_another() -> None:
    for first, last in ((0, 21), (21, 34)):
        serial = _serial(int(TDES_ROWS[first][0], 16))
        for row in TDES_ROWS[first + 1 : last]:
            serial = dukpt.next_serial(serial)
            assert serial == _serial(int(row[0], 16)), X9_24_1
    assert dukpt.serial_counter(dukpt.next_serial(_serial(0))) == 1


@pytest.mark.parametrize(
    ("use", "key"),
    [
        (DukptUse.PIN, "042666B49184CF5C68DE9628D0397B36"),
        (DukptUse.MAC_REQUEST, "042666B4918430A368DE9628D03984C9"),
        (DukptUse.MAC_RESPONSE, "042666B46E84CFA368DE96282F397BC9"),
        (DukptUse.DATA_REQUEST, "448D3F076D8304036A55A3D7E0055A78"),
    ],
)
def test_tdes_working_keys(use: DukptUse, key: str) -> None:
    """The request keys are the standard's; for the MAC of a response it gives the variant only."""
    assert dukpt.working_key(BASE, _serial(1), use).value.hex().upper() == key, (
        X9_24_1 + ", table of the first key"
    )


def test_tdes_misuse() -> None:
    with pytest.raises(Refused):
        dukpt.working_key(BASE, _serial(0), DukptUse.PIN)
    with pytest.raises(Refused, match="no terminal"):
        dukpt.working_key(BASE, _serial(0x7FF), DukptUse.PIN)
    with pytest.raises(Refused, match="used up"):
        dukpt.next_serial(_serial(0x1FF800))
    for serial in (b"", bytes(9), bytes(12)):
        for ask in (dukpt.serial_counter, dukpt.next_serial, lambda s: dukpt.initial_key(BASE, s)):
            with pytest.raises(Usage):
                ask(serial)
    aes = BlockKey(cipher=BlockCipher.AES, value=bytes(16))
    with pytest.raises(Usage):
        dukpt.initial_key(aes, _serial(1))
    single = BlockKey(cipher=BlockCipher.TDES, value=bytes(8))
    with pytest.raises(Usage):
        dukpt.transaction_key(single, _serial(1))


ID = bytes.fromhex("1234567890123456")
AES_BASE = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")
INITIAL = {
    16: "1273671EA26AC29AFA4D1084127652A1",
    32: "CE9CE0C101D1138F97FB6CAD4DF045A7083D4EAE2D35A31789D01CCF0949550F",
}
AES_ROWS = [
    (16, 0x1, "4F21B565BAD9835E112B6465635EAE44"),
    (16, 0x2, "2F34D68DE10F68D38091A73B9E7C437C"),
    (16, 0x3, "031504E530365CF81264238540518318"),
    (16, 0x4, "0EEFC7ADA628BA68878DA9165A8A1887"),
    (16, 0x5, "C2A7AC328A5DA2D6002D62465BFC028B"),
    (16, 0x6, "D30F7D9351DA58448A2F5E92B4EE3B7D"),
    (16, 0x7, "A8253CEED9AC042C54F75D35C8352278"),
    (16, 0x8, "718EE6CF0B27E53D5F7AF99C4D8146A2"),
    (16, 0x1FFFE, "E21E8C8D347F8561A2BE752DAA85A111"),
    (16, 0x20000, "F7AE9025468A25D37B7249CFFED224C8"),
    (16, 0x20001, "692C8EA4013645135B36497131DF9D2C"),
    (16, 0xFFFE2000, "48E585B694EB0B18D5C35443E163C0BA"),
    (16, 0xFFFE4000, "396C2C7CA1EA701C03B86B7D41F0C562"),
    (16, 0xFFFE8000, "0387625F189B58AE03EF0E8CCA41105E"),
    (16, 0xFFFF0000, "F6BA59389BD14A9855BE9727E7C52E3C"),
    (32, 0x1, "54AC2B32B145EA4A554CB8BC44B17467063A799856B1CCC2A138D36E8DBF78B3"),
    (32, 0x2, "5DD5A0253842BBBE1D7C0DA27021412C6F1FAB53FB928DEAE56DA06090A9DE97"),
    (32, 0x8, "20A796D5077D51B8E7613893A4F095B134E02917DC84BD391F3661D0873FF308"),
    (32, 0x1FFFE, "A289508CBF1228452CD86AB77B15CB35577AC828C18BB66681E5A16D6C9CCED3"),
    (32, 0x20001, "44110A1102748D4A3AC326F53D8CAC650212590CA7126D54546DDE0F20E89CEE"),
    (32, 0xFFFE2000, "4625EB06E4886D4AFCC9AE37ED4F4E4E1653C9E60E3F24742A87A26AA96AB7A6"),
    (32, 0xFFFF0000, "6D6DB7AAAE8B3EA90E57A39E4BBA71E173B21B446B30A78D64BFC6A8806C55EE"),
]
A128, A256, T2, T3 = AesDukptType.AES_128, AesDukptType.AES_256, AesDukptType.TDES_2, AesDukptType.TDES_3
AES_WORKING = [
    (16, 1, AesDukptUse.PIN, A128, "AF8CB133A78F8DC2D1359F18527593FB"),
    (16, 1, AesDukptUse.MAC_GENERATE, A128, "A2DC23DE6FDE0824A2BC321E08E4B8B7"),
    (16, 1, AesDukptUse.MAC_VERIFY, A128, "DBB463945B286C07CD3AD82EE96FD9C9"),
    (16, 1, AesDukptUse.MAC_BOTH, A128, "85675439D18D7F1158BD8E3EAA3D502B"),
    (16, 1, AesDukptUse.DATA_ENCRYPT, A128, "A35C412EFD41FDB98B69797C02DCD08F"),
    (16, 1, AesDukptUse.DATA_DECRYPT, A128, "16292C6EA8F64C5420A0584BFBC577BE"),
    (16, 1, AesDukptUse.DATA_BOTH, A128, "A308E080DD15A1B741F1721BF67DE11C"),
    (16, 1, AesDukptUse.KEY_ENCRYPTION, A128, "36A724B7BEFA5A25F5E7B5782A4554A2"),
    (16, 2, AesDukptUse.PIN, A128, "D30BDC73EC9714B000BEC66BDB7B6D09"),
    (16, 8, AesDukptUse.PIN, A128, "4D9DF3FBEE3448FC3E676D04320A90F5"),
    (16, 8, AesDukptUse.MAC_GENERATE, A128, "6FD572E5D59E618875F193484F9178FB"),
    (32, 1, AesDukptUse.PIN, A256, "8C1AB7BEE973829E30242E0BBBDD4946D540C98FC1B5BDCF94790001A23FD502"),
    (
        32,
        1,
        AesDukptUse.MAC_GENERATE,
        A256,
        "61DABDF4B340CF461EE860B1D1AB55357142BD2D6977306859CF49AEFE8F1549",
    ),
    (16, 1, AesDukptUse.PIN, T2, "630C706D9546E47D4449313F61C4D4AB"),
    (16, 1, AesDukptUse.DATA_ENCRYPT, T2, "BD44121C223F831446A01EE3A4CB58D2"),
    (16, 1, AesDukptUse.PIN, T3, "EA8B3F37EB9B15831167EF2977FD8762D9B5913F35766F6A"),
    (16, 1, AesDukptUse.MAC_GENERATE, T3, "2A1061A6EAC2C14FAC3758EA07B3648A624B24E942785BF1"),
]


def _initial(size: int) -> BlockKey:
    base = BlockKey(cipher=BlockCipher.AES, value=AES_BASE * (size // 16))
    initial = dukpt_aes.initial_key(base, ID)
    assert initial.value.hex().upper() == INITIAL[size], X9_24_3
    return initial


@pytest.mark.parametrize(("size", "counter", "key"), AES_ROWS)
def test_aes_transaction_keys(size: int, counter: int, key: str) -> None:
    serial = AesSerial(initial_id=ID, counter=counter)
    assert AesSerial.parse(bytes(serial)) == serial
    assert dukpt_aes.transaction_key(_initial(size), serial).value.hex().upper() == key, X9_24_3


@pytest.mark.parametrize(("size", "counter", "use", "kind", "key"), AES_WORKING)
def test_aes_working_keys(size: int, counter: int, use: AesDukptUse, kind: AesDukptType, key: str) -> None:
    found = dukpt_aes.working_key(_initial(size), AesSerial(initial_id=ID, counter=counter), use, kind)
    assert found == BlockKey(cipher=kind.cipher, value=bytes.fromhex(key)), X9_24_3


@pytest.mark.parametrize(
    ("size", "kind", "key"),
    [
        (16, A128, "9A9770AEE1ACD1B13473D0463A1883B9"),
        (16, T2, "4744A5ECBC62B5C4BB76FBEAE1E244A3"),
        (16, T3, "AF82BE8533CFCA526DA71708667AD0BBC7A7517504C78C8A"),
        (32, A256, "AEFB210C136278A1279F7C8815F446DB8EBE2AA910B157AA4E6484D8DE9C4807"),
    ],
)
def test_aes_update_keys(size: int, kind: AesDukptType, key: str) -> None:
    assert dukpt_aes.update_key(_initial(size), ID, kind).value.hex().upper() == key, X9_24_3


def test_aes_serial_numbers_follow_one_another() -> None:
    for counters in (
        [1, 2, 3],
        [0x1FFFE, 0x20000, 0x20001],
        [0xFFFE2000, 0xFFFE4000, 0xFFFE8000, 0xFFFF0000],
    ):
        serial = AesSerial(initial_id=ID, counter=counters[0])
        for counter in counters[1:]:
            serial = serial.next()
            assert serial.counter == counter, X9_24_3
    with pytest.raises(Refused, match="used up"):
        serial.next()


def test_aes_misuse() -> None:
    for counter in (0, 0x1FFFF, 0xFFFFFFFF, 1 << 32, -1):
        with pytest.raises(Refused):
            AesSerial(initial_id=ID, counter=counter)
    for serial in (b"", bytes(10), bytes(13)):
        with pytest.raises(Usage):
            AesSerial.parse(serial)
    with pytest.raises(Usage):
        AesSerial(initial_id=bytes(7), counter=1)
    first = AesSerial(initial_id=ID, counter=1)
    for kind in (A256, AesDukptType.AES_192):
        with pytest.raises(Refused, match="no stronger"):
            dukpt_aes.working_key(_initial(16), first, AesDukptUse.PIN, kind)
    with pytest.raises(Usage):
        dukpt_aes.transaction_key(BASE, first)
    with pytest.raises(Usage):
        dukpt_aes.initial_key(_initial(16), bytes(12))
