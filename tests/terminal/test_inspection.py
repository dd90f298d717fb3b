"""A travel document and its inspection, both ends through one link. Method: a genuine document, then one lie each."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jinka.card import Card, Personal, personalised
from jinka.card.travel import PRIVATE_FID
from jinka.card.travel_issue import document_data, security_object
from jinka.codec import lds
from jinka.codec.mrz import Mrz, MrzFormat
from jinka.crypto.certificates import Authority
from jinka.crypto.rsa_sign import ChipKeyKind, generate_pair, public_info
from jinka.crypto.signed_data import open_signed, sign_content
from jinka.kit import Refused
from jinka.sectors.travel_document import PROFILE
from jinka.sim.randomness import SeededRandomness
from jinka.terminal.inspection import Check, InspectionTerminal, Result, Verdict

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
START, END = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
ZONE = Mrz(
    format=MrzFormat.TD3,
    document_type="P",
    issuer="UTO",
    number="L898902C3",
    nationality="UTO",
    surname="ERIKSSON",
    given_names="ANNA MARIA",
    birth="740812",
    sex="F",
    expiry="310415",
    optional="ZE184226B",
)
PRINTED = "\n".join(ZONE.lines())
PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8 + b"\xff\xd9"
COUNTRY = Authority.root("UT", "Country signer", START, END)
SIGNER = COUNTRY.signer("UT", "Document signer", 4711, START, END)
COUNTER = InspectionTerminal([COUNTRY.certificate], SeededRandomness("counter"))


def data(zone: Mrz = ZONE, **options: object) -> Personal:
    return document_data(zone, PHOTO, width=240, height=320, signer=SIGNER, **options)


DATA = data()


def document(personal: Personal = DATA) -> Card:
    return personalised(PROFILE, personal, SeededRandomness("chip"))


def test_a_genuine_document() -> None:
    found = COUNTER.inspect(document(), PRINTED, NOW)
    assert found.verdict is Verdict.GENUINE, found.reasons
    assert found.results == dict.fromkeys(Check, Result.PASSED)
    assert found.zone == ZONE
    assert found.photo == PHOTO
    assert "ERIKSSON" not in repr(found)


def test_rsa_proves_the_chip_too() -> None:
    found = COUNTER.inspect(document(data(chip_key=ChipKeyKind.RSA_1536)), PRINTED, NOW)
    assert found.verdict is Verdict.GENUINE, found.reasons


@pytest.mark.parametrize("format_", [MrzFormat.TD1, MrzFormat.TD2])
def test_other_formats(format_: MrzFormat) -> None:
    zone = replace(ZONE, format=format_, document_type="I", optional="", number="D23145890734")
    found = COUNTER.inspect(document(data(zone)), "".join(zone.lines()), NOW)
    assert found.verdict is Verdict.GENUINE, found.reasons


def test_a_document_without_active_authentication() -> None:
    found = COUNTER.inspect(document(data(chip_key=None)), PRINTED, NOW)
    assert found.verdict is Verdict.COPY_NOT_EXCLUDED
    assert found.results[Check.CHIP] is Result.ABSENT


def _contents(**changed: bytes) -> Personal:
    names = {"com": lds.COM, "sod": lds.SOD, "dg1": 0x0101, "dg2": 0x0102, "dg14": 0x010E, "dg15": 0x010F}
    new = {(0, names.get(name, PRIVATE_FID)): raw for name, raw in changed.items()}
    return replace(DATA, contents={**DATA.contents, **new})


def _group(number: int) -> bytes:
    return DATA.contents[0, lds.group_fid(number)]


def _other_zone() -> Personal:
    zone = replace(ZONE, given_names="OTTO")
    return _contents(dg1=lds.encode_zone(zone.lines()))


def _other_face() -> Personal:
    return _contents(dg2=lds.encode_face(b"me", width=1, height=1))


def _resigned(signer: Authority) -> Personal:
    return _contents(sod=security_object({n: _group(n) for n in (1, 2, 14, 15)}, signer))


def _signed_elsewhere() -> Personal:
    root = Authority.root("UT", "Country signer", START, END)
    return _resigned(root.signer("UT", "Document signer", 4711, START, END))


def _signer_too_old() -> Personal:
    return _resigned(COUNTRY.signer("UT", "Document signer", 1, START, START + dt.timedelta(days=365)))


def _spoiled_signature() -> Personal:
    raw = bytearray(DATA.contents[0, lds.SOD])
    raw[-3] ^= 1
    return _contents(sod=bytes(raw))


def _copied_chip() -> Personal:
    """Everything but the private key, which no command gives out: the copy has another."""
    private, _ = generate_pair(ChipKeyKind.P256)
    return _contents(key=bytes((ChipKeyKind.P256,)) + private)


def _without_the_key() -> Personal:
    return _contents(com=lds.Common(groups=(1, 2, 14)).encode())


def _own_key() -> Personal:
    private, public = generate_pair(ChipKeyKind.P256)
    dg15 = lds.encode_authentication_key(public_info(ChipKeyKind.P256, public))
    return _contents(dg15=dg15, key=bytes((ChipKeyKind.P256,)) + private)


LIES: list[tuple[str, Callable[[], Personal], Check, Verdict]] = [
    ("another name in DG1", _other_zone, Check.HASHES, Verdict.FORGED),
    ("another name in DG1, seen against the print", _other_zone, Check.ZONE, Verdict.FORGED),
    ("another photograph", _other_face, Check.HASHES, Verdict.FORGED),
    ("signed by an unknown country", _signed_elsewhere, Check.SIGNER, Verdict.SIGNER_UNKNOWN),
    ("signed with a certificate that has ended", _signer_too_old, Check.SIGNER, Verdict.SIGNER_UNKNOWN),
    ("spoiled signature", _spoiled_signature, Check.SIGNATURE, Verdict.FORGED),
    ("copied chip", _copied_chip, Check.CHIP, Verdict.FORGED),
    ("active authentication taken out", _without_the_key, Check.COMPLETE, Verdict.FORGED),
    ("a key of its own", _own_key, Check.HASHES, Verdict.FORGED),
    ("no security object", lambda: _contents(sod=bytes(100)), Check.FILES, Verdict.UNREADABLE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "check", "verdict"), [row[1:] for row in LIES], ids=[row[0] for row in LIES]
)
def test_one_lie(make: Callable[[], Personal], check: Check, verdict: Verdict) -> None:
    found = COUNTER.inspect(document(make()), PRINTED, NOW)
    assert found.results[check] is Result.FAILED
    assert found.reasons[check]
    assert found.verdict is verdict


def test_another_printed_zone_opens_nothing() -> None:
    other = replace(ZONE, birth="740813")
    found = COUNTER.inspect(document(), "".join(other.lines()), NOW)
    assert found.results[Check.ACCESS] is Result.FAILED
    assert found.verdict is Verdict.UNREADABLE
    assert found.zone is None


def test_an_expired_document() -> None:
    found = COUNTER.inspect(document(), PRINTED, dt.datetime(2031, 4, 16, tzinfo=dt.UTC))
    assert found.verdict is Verdict.EXPIRED
    assert (
        COUNTER.inspect(document(), PRINTED, dt.datetime(2031, 4, 15, tzinfo=dt.UTC)).verdict
        is Verdict.GENUINE
    )


def test_a_spoiled_zone_is_not_tried() -> None:
    found = COUNTER.inspect(document(), PRINTED.replace("740812", "740813"), NOW)
    assert found.verdict is Verdict.UNREADABLE
    assert "check digit" in found.reasons[Check.ACCESS]


class Meddler:
    """A reader that changes one answer."""

    def __init__(self, card: Card, number: int, change: Callable[[bytes], bytes]) -> None:
        self.card, self.left, self.change = card, number, change

    def transmit(self, command: bytes) -> bytes:
        answer = self.card.transmit(command)
        self.left -= 1
        return self.change(answer) if self.left == -1 else answer


@pytest.mark.parametrize("number", range(24))
@pytest.mark.parametrize(
    "change",
    [
        lambda a: a[:-3] + b"\x00" + a[-2:],
        lambda a: b"\x90\x00",
        lambda a: b"",
        lambda a: bytes(258),
        lambda a: a[:5] + a,
    ],
)
def test_an_answer_changed_on_the_way_is_never_believed(
    number: int, change: Callable[[bytes], bytes]
) -> None:
    from jinka.terminal import CardRemoved

    try:
        found = COUNTER.inspect(Meddler(document(), number, change), PRINTED, NOW)
    except CardRemoved:
        return
    # Only the FCI of SELECT is not protected and not needed.
    assert found.verdict is not Verdict.GENUINE or number == 0


def test_signed_data_covers_every_bit() -> None:
    """Flip each bit of a signed object: it is refused, or what it says and who signed it are unchanged."""
    raw = sign_content(lds.SECURITY_OBJECT, lds.encode_hashes({1: bytes(32)}), SIGNER)
    content, certificate = open_signed(raw, lds.SECURITY_OBJECT)
    refused = 0
    for at in range(len(raw) * 8):
        broken = bytearray(raw)
        broken[at // 8] ^= 1 << at % 8
        try:
            found = open_signed(bytes(broken), lds.SECURITY_OBJECT)
        except Refused:
            refused += 1
            continue
        assert found[0] == content
    assert refused > len(raw) * 4
    assert hashlib.sha256(certificate).digest() == hashlib.sha256(SIGNER.certificate).digest()


def test_openssl_verifies_the_security_object(tmp_path: Path) -> None:
    """An independent reader of CMS accepts what the document signer made, and sees the same content."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    signed, anchor, content = tmp_path / "sod.der", tmp_path / "country.pem", tmp_path / "content"
    signed.write_bytes(lds.decode_security(DATA.contents[0, lds.SOD]))
    body = base64.encodebytes(COUNTRY.certificate).decode()
    anchor.write_text(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", str(signed), "-CAfile", str(anchor)]
    command += ["-purpose", "any", "-no_check_time", "-out", str(content)]
    found = subprocess.run(command, capture_output=True, check=False)
    assert found.returncode == 0, found.stderr
    assert content.read_bytes() == open_signed(signed.read_bytes(), lds.SECURITY_OBJECT)[0]


@pytest.mark.parametrize("raw", [b"", b"\x30", b"\x30\x80", bytes(64), b"\xff" * 64, b"\x77\x83\xff\xff\xff"])
def test_malformed_files_are_refused(raw: bytes) -> None:
    for decode in (
        lds.decode_common, lds.decode_face, lds.decode_hashes, lds.decode_zone, lds.decode_security,
        lds.authentication_algorithm, lds.decode_authentication_key, lambda r: open_signed(r, lds.SECURITY_OBJECT),
    ):  # fmt: skip
        with pytest.raises(Refused):
            decode(raw)
