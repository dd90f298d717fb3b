"""Published vectors of GlobalPlatform: key check values, session keys, whole SCP02 and SCP03 transcripts.

One walker for each kind; every case names its source. Host and card side both run over the same transcripts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from jinka.codec import Command
from jinka.crypto import scp02, scp03
from jinka.crypto.scp import ChannelBroken, Diversification, KeyFamily, KeySet, Level, check_value
from jinka.crypto.scp02 import Scp02
from jinka.crypto.scp03 import Scp03

GPPRO = "GlobalPlatformPro, TestPlaintextKeys.java"
PYSIM = "pySim, tests/unittests/test_globalplatform.py"


def _h(text: str) -> bytes:
    return bytes.fromhex(text)


MASTER = _h("404142434445464748494A4B4C4D4E4F")
KDD = _h("00010203040506070809")
AES192 = bytes(range(0x40, 0x58))
AES256 = bytes(range(0x40, 0x60))

DIVERSIFIED = [
    (GPPRO, Diversification.EMV, KeyFamily.TDES, MASTER, "C33013 6F4CA6 BB8179"),
    (GPPRO, Diversification.VISA2, KeyFamily.TDES, MASTER, "2BE598 58DA38 3C328E"),
    (GPPRO, Diversification.KDF3, KeyFamily.AES, MASTER, "E79C05 D1BD77 3FDE8C"),
    (GPPRO, Diversification.KDF3, KeyFamily.AES, AES192, "1DE8EA 47C00C C04D76"),
    (GPPRO, Diversification.KDF3, KeyFamily.AES, AES256, "2972D2 036F94 5D57B8"),
]


@pytest.mark.parametrize(("source", "how", "family", "master", "wanted"), DIVERSIFIED)
def test_diversified_keys(
    source: str, how: Diversification, family: KeyFamily, master: bytes, wanted: str
) -> None:
    keys = KeySet(version=1, family=family, enc=master, mac=master, dek=master).for_card(KDD, how)
    assert [value.hex().upper() for value in keys.check_values] == wanted.split(), source


def test_session_keys_of_scp02() -> None:
    """GPPRO: session key check values of the master key without diversification, sequence counter 0000."""
    keys = KeySet(version=1, family=KeyFamily.TDES, enc=MASTER, mac=MASTER, dek=MASTER)
    session = Scp02(keys, counter2=bytes(2), host8=bytes(8), card6=bytes(6))
    found = [check_value(KeyFamily.TDES, key).hex().upper() for key in session.session_keys]
    assert found == ["F2DCDD", "5FCC69", "85272E"]
    rmac = scp02.session_key(MASTER, b"\x01\x02", bytes(2))
    assert check_value(KeyFamily.TDES, rmac).hex().upper() == "9F749A"


def test_check_values_of_aes_keys() -> None:
    """PYSIM: SCP03_KCV_Test."""
    assert [value.hex().upper() for value in _aes(16).check_values] == ["C35280", "013808", "840DE5"]


def _aes(size: int) -> KeySet:
    def _key(start: int) -> bytes:
        block = bytes(range(start, start + 16))
        return (block + block)[:size]

    return KeySet(
        version=0x30 + (size - 16) // 8, family=KeyFamily.AES, enc=_key(0x00), mac=_key(0x10), dek=_key(0x20)
    )


PLAIN = ["80F22002", "80ca006600", "80F220020a4f0212345c054f9f70c5", "80f28002024f0000"]
GET_EID, EID = "80E2910006BF3E035C015A00", "bf3e125a1089882119900000000000000000000005"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One session as it went over the wire."""

    size: int
    level: int
    update: str
    answer: str
    authenticate: str
    eid: tuple[str, str]
    wrapped: tuple[str, ...] = field(default=())


TRANSCRIPTS = [
    Transcript(
        size=16,
        level=0x11,
        update="8050300008b13e5f938fc108c400",
        answer="000000000000000000003003703eb51047495b249f66c484c1d2ef1948000002",
        authenticate="84821100107d5f5826a993ebc89eea24957fa0b3ce",
        eid=(
            "84e291000ebf3e035c015a558d036518a2829700",
            "bf3e125a1089882119900000000000000000000005971be68992dbbdfa",
        ),
        wrapped=(
            "84f220020863a63f8959827fb2",
            "84ca006608a0c6a4a74166f7ce00",
            "84f22002124f0212345c054f9f70c52249b50272656536",
            "84f280020a4f00e91443f6dce6b8ed00",
        ),
    ),
    Transcript(
        size=16,
        level=0x03,
        update="80503000088e1552d0513c60f300",
        answer="0000000000000000000030037030760cd2c47c1dd395065fe5ead8a9d7000001",
        authenticate="8482030010fd4721a14d9b07003c451d2f8ae6bb21",
        eid=("84e2910018ca9c00f6713d79bc8baa642bdff51c3f6a4082d3bd9ad26c00", EID),
        wrapped=(
            "84f2200208c9811b11f1264cf1",
            "84ca006608e10ab60b3054798800",
            "84f22002184e2908bdb48b2315a55482e9e936ca122d6ecfae7d17416e",
            "84f28002180dd10a6b6193e5340b9e77d32d5a179cd710ac2773aefb2800",
        ),
    ),
    Transcript(
        size=16,
        level=0x33,
        update="8050300008fdf38259a1e0de4400",
        answer="000000000000000000003003703b1aca81e821f219081cdc01c26b372d000003",
        authenticate="84823300108c36f96bcc00724a4e13ad591d7da3f0",
        eid=(
            "84e2910018267a85dfe4a98fca6fb0527e0dfecce4914e40401433c87f00",
            "f3ba2b1013aa6224f5e1c138d71805c569e5439b47576260b75fc021b25097cb2e68f8a0144975b9",
        ),
        wrapped=(
            "84f2200208ac6a59024bed84cc",
            "84ca006608409912ad8fb7aed000",
            "84f22002185f3dafc3ac14c381536a488bf44e06d056df9d74dbd21e5a",
            "84f280021865165105be3373347d0424d4400af2ac393f569ec779389e00",
        ),
    ),
    Transcript(
        size=24,
        level=0x11,
        update="80503100087396430b768b085b00",
        answer="000000000000000000003103708cfc23522ffdbf1e5df5542cac8fd866000003",
        authenticate="84821100102145ed30b146f5db252fb7e624cec244",
        eid=(
            "84e291000ebf3e035c015aff42cf801d14394400",
            "bf3e125a1089882119900000000000000000000005162fbd33e04940a9",
        ),
        wrapped=(
            "84f22002084584e4f6784811ee",
            "84ca006608937776ebe190fa3000",
            "84f22002124f0212345c054f9f70c59a52bddf3040368c",
            "84f280020a4f009804b11411f7393d00",
        ),
    ),
    Transcript(
        size=24,
        level=0x03,
        update="805031000869c65da8202bf19f00",
        answer="00000000000000000000310370b570a67be38446717729d6dd3d2ec5b1000001",
        authenticate="848203001065df4f1a356a887905466516d9e5b7c1",
        eid=("84e2910018d2c6fb477c5d4afe4fd4d21f17eff10d3578ec1774a12a2d00", EID),
        wrapped=(
            "84f2200208964e188f0b1bb697",
            "84ca006608f0820035a41d3e1800",
            "84f220021806b076ed452cd1fa84f77f5c08a146aa77a9286757dea791",
            "84f2800218d06527e39222dce091fabdb8e9b898417a67a6852d3577db00",
        ),
    ),
    Transcript(
        size=24,
        level=0x33,
        update="80503100089b3f2eef0e8c937400",
        answer="00000000000000000000310370f6bb305a15bae1a68f79fb08212fbed7000002",
        authenticate="84823300109100bc22d58b45b86a26365ce39ff3cf",
        eid=(
            "84e29100188f7f946c84f70d17994bc6e8791251bb1bb1bf02cf8de58900",
            "c05176c1b6f72aae50c32cbee63b0e95998928fd4dfb2be9f27ffde8c8476f5909b4805cc4039599",
        ),
        wrapped=(
            "84f2200208d5d97754b6b3d2ba",
            "84ca006608516c82b8e30adbeb00",
            "84f2200218cc247f4761e6944277a4e0d6e32e44025b1e31537e2fc668",
            "84f2800218ba22b63d509bef5d093b43e5eaed03ed23144ab2d9cb51de00",
        ),
    ),
    Transcript(
        size=32,
        level=0x11,
        update="805032000811666d57866c6f5400",
        answer="0000000000000000000032037053ea8847efa7674e41498a4d66cf0dee000003",
        authenticate="84821100102f2ad190eff2fafc4908996d1cebd310",
        eid=(
            "84e291000ebf3e035c015af4b680372542b59d00",
            "bf3e125a10898821199000000000000000000000058012dd7f01f1c4c1",
        ),
        wrapped=(
            "84f2200208d618b7da68d5fe52",
            "84ca0066088f3e055db23ad5e500",
            "84f22002124f0212345c054f9f70c5b6e15cc42404915e",
            "84f280020a4f00aa124aa74afe7f7500",
        ),
    ),
    Transcript(
        size=32,
        level=0x03,
        update="8050320008c6066990fc426e1d00",
        answer="000000000000000000003203708682cd81bbd8919f2de3f2664581f118000001",
        authenticate="848203001077c493b632edadaf865a1e64acc07ce9",
        eid=("84e29100183ddaa60594963befaada3525b492ede23c2ab2c1ce3afe4400", EID),
        wrapped=(
            "84f2200208480ddc8e419da38d",
            "84ca0066083e9d6a6c0b2d732000",
            "84f22002183ebfef2da8b04af2a85f491f299b76973df76ff08a4031be",
            "84f2800218783fff80990f5585b1055010ea95094a26e4a8f1ef4b18e100",
        ),
    ),
    Transcript(
        size=32,
        level=0x33,
        update="805032000897b2055fe58599fd00",
        answer="00000000000000000000320370a8439a22cedf045fa9f1903b2834f26e000002",
        authenticate="8482330010508a0fd959d2e547c6b33154a6be2057",
        eid=(
            "84e29100187a5ef717eaf1e135ae92fe54429d0e465decda65f5fe5aea00",
            "ea90dbfa648a67c5eb6abc57f8530b97d0cd5647c5e8732016b55203b078dd2ace7f8bc5d1c1cd99",
        ),
        wrapped=(
            "84f2200208bcc5c17275545d93",
            "84ca00660804806aba9d543bb600",
            "84f2200218717222491556ec81a45f49ce48be33320024801a1c4cb0e0",
            "84f2800218561f105bccd3a1642904b251ccc1228beb80a82370a8637000",
        ),
    ),
]


def _name(case: Transcript) -> str:
    return f"AES-{8 * case.size}, level {case.level:02X}"


@pytest.mark.parametrize("case", TRANSCRIPTS, ids=_name)
def test_transcripts_of_scp03(case: Transcript) -> None:
    """PYSIM: real eUICC sessions (SCP03_Test_AES...), i=70. The host makes the commands, the card takes them apart."""
    answer = _h(case.answer)
    challenges = {"host8": _h(case.update)[5:13], "card8": answer[13:21]}
    keys = _aes(case.size)
    assert keys.version == answer[10] == _h(case.update)[2]
    host, card = Scp03(keys, **challenges), Scp03(keys, **challenges)
    assert host.card_cryptogram == answer[21:29], PYSIM
    assert host.external_authenticate(Level(case.level)).build() == _h(case.authenticate)
    card.accept(Command.parse(_h(case.authenticate)))
    assert card.level == host.level
    sent, came = case.eid
    assert host.wrap(Command.parse(_h(GET_EID))).build() == _h(sent)
    assert card.unwrap(Command.parse(_h(sent))) == Command.parse(_h(GET_EID))
    assert card.respond(_h(EID), 0x9000) == _h(came) + b"\x90\x00"
    assert host.read(_h(came) + b"\x90\x00") == _h(EID) + b"\x90\x00"
    for plain, wrapped in zip(PLAIN, case.wrapped, strict=True):
        assert host.wrap(Command.parse(_h(plain))).build() == _h(wrapped), plain
        assert card.unwrap(Command.parse(_h(wrapped))) == Command.parse(_h(plain))


def test_the_pseudo_random_challenge_of_scp03() -> None:
    """PYSIM: the challenges of the transcripts, whose counter is known, come from the issuer domain's name."""
    for case in TRANSCRIPTS:
        answer = _h(case.answer)
        found = scp03.card_challenge(_aes(case.size), answer[29:32], _h("A0000005591010FFFFFFFF8900000100"))
        assert found == answer[13:21]


SCP02_ANSWER = _h("00000000000000000000700200016B4524ABEE7CF32EA3838BC148F3")
SCP02_WRAPPED = [
    "84F220020814DB34FA4341DCA8",
    "84CA00660855ED7C5FF069512B00",
    "84F22002124F0212345C054F9F70C58FC1B380C4228AF8",
    "84F280020A4F003B95F09317DE6A4E00",
]


def _scp02() -> Scp02:
    static = [_h(f"{first}02030405060708090a0b0c0d0e0f") for first in ("1001", "1011", "1021")]
    keys = KeySet(version=0x20, family=KeyFamily.TDES, enc=static[0], mac=static[1], dek=static[2])
    return Scp02(keys, counter2=SCP02_ANSWER[12:14], host8=_h("40A62C37FA6304F8"), card6=SCP02_ANSWER[14:20])


def test_transcript_of_scp02() -> None:
    """PYSIM: SCP02_Auth_Test and SCP02_Test, key version 70, level 01."""
    host, card = _scp02(), _scp02()
    assert host.card_cryptogram == SCP02_ANSWER[20:28]
    sent = host.external_authenticate(Level.C_MAC).build()
    assert sent == _h("8482010010BA6961667737C5BCEBECE14C7D6A4376")
    card.accept(Command.parse(sent))
    for plain, wrapped in zip(PLAIN, SCP02_WRAPPED, strict=True):
        assert host.wrap(Command.parse(_h(plain))).build() == _h(wrapped)
        assert card.unwrap(Command.parse(_h(wrapped))) == Command.parse(_h(plain))


def test_a_key_under_the_session_key_of_scp02() -> None:
    """PYSIM: PutKey_PSK_Test, the enciphered key of the PUT KEY data field."""
    clear = _h("303132333435363738393a3b3c3d3e3f")
    assert _scp02().wrap_key(clear) == _h("15abf1fe16ccc5aa13743394442942cd")
    assert _scp02().unwrap_key(_scp02().wrap_key(clear)) == clear


@pytest.mark.parametrize("place", range(4, 21))
def test_a_changed_byte_breaks_the_channel(place: int) -> None:
    sent = bytearray(_h("8482010010BA6961667737C5BCEBECE14C7D6A4376"))
    sent[place] ^= 1
    if place == 4:
        return
    with pytest.raises(ChannelBroken):
        _scp02().accept(Command.parse(bytes(sent)))
