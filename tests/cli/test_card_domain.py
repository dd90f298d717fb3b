"""`jinka card domain` and `jinka card inspect`. Goal: a person manages a real card image over a real channel and gets a
document judged. Method: the commands on image files; the card's own commands say what changed. Hostile first.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.app.card_domain import make_test_domain_keys, read_aid, read_domain_keys
from jinka.app.card_files import CardFile, domain_base, domain_memory, open_card, template_of
from jinka.app.card_samples import SPECIMEN_ZONE
from jinka.card import Card, Nvm, document_data
from jinka.cli.main import app
from jinka.codec import Algorithm
from jinka.crypto.certificates import Authority
from jinka.crypto.rsa_sign import ChipKeyKind
from jinka.crypto.scp import Diversification, KeyFamily
from jinka.kit import Refused, Usage
from jinka.node.system import SystemRandomness
from jinka.sectors import fuel, travel_document
from tests.card.domain_rig import AUTHORITIES, ISSUER_KEYS, add_authority, put_on

FUEL = fuel.PROFILE
AID = FUEL.aid.hex().upper()
START, END = dt.datetime(2018, 1, 1, tzinfo=dt.UTC), dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
COUNTRY = Authority.root("UT", "Country signer", START, END)
LINES = SPECIMEN_ZONE.lines()
ON = ("--at", "2026-05-01")


def _jinka(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["card", *arguments])


def _listed(*arguments: str) -> dict[str, str]:
    done = _jinka("domain", "list", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return {row["aid"]: row["state"] for row in json.loads(done.stdout)}


def _selected(image: Path) -> str:
    """What the card itself says to SELECT by name."""
    card = open_card(image).chip
    card.power_up()
    return card.transmit(bytes((0x00, 0xA4, 0x04, 0x00, len(FUEL.aid))) + FUEL.aid)[-2:].hex()


def _key_file(path: Path, mode: int = 0o600, **fields: object) -> Path:
    path.write_text(json.dumps(fields))
    path.chmod(mode)
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "my.card"
    assert _jinka("domain", "new", str(path)).exit_code == 0
    return path


# --- key files and arguments


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"enc": "00" * 16, "mac": "00" * 16},
        {"enc": "00" * 16, "mac": "00" * 16, "dek": "5E" * 15},
        {"enc": "00" * 16, "mac": "00" * 16, "dek": "5E" * 15 + "5"},
        {"enc": "00" * 16, "mac": "00" * 16, "dek": 7},
        {"enc": "00" * 16, "mac": "00" * 16, "dek": "5E" * 16, "version": 0},
        {"enc": "00" * 16, "mac": "00" * 16, "dek": "5E" * 16, "version": True},
        {"enc": "00" * 16, "mac": "00" * 16, "dek": "5E" * 16, "protocol": "scp10"},
        {"enc": "00" * 16, "mac": "00" * 16, "dek": "5E" * 16, "diversification": "none "},
        {"enc": "00" * 24, "mac": "00" * 24, "dek": "5E" * 24, "protocol": "scp02"},
        {"enc": "00" * 16, "mac": "00" * 16, "dek": "5E" * 16, "key": "x"},
    ],
)
def test_a_key_file_that_is_none(tmp_path: Path, fields: dict[str, object]) -> None:
    with pytest.raises(Usage) as caught:
        read_domain_keys(_key_file(tmp_path / "keys.json", **fields))
    assert "5E5E" not in str(caught.value)


@pytest.mark.parametrize("raw", [b"", b"[", b"[]", b"\xff\xfe", b"[" * 4096, b" " * 4097])
def test_a_key_file_that_is_no_object(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(raw)
    path.chmod(0o600)
    with pytest.raises(Usage):
        read_domain_keys(path)


def test_a_key_file_that_others_can_read(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="others can read"):
        read_domain_keys(
            _key_file(tmp_path / "keys.json", 0o640, enc="00" * 16, mac="00" * 16, dek="00" * 16)
        )


def test_a_key_file_is_scp03_unless_it_says_so(tmp_path: Path) -> None:
    keys = {"enc": "01" * 16, "mac": "02" * 16, "dek": "03" * 16}
    found, how = read_domain_keys(_key_file(tmp_path / "a.json", **keys))
    assert (found.family, found.version, how) == (KeyFamily.AES, 1, Diversification.NONE)
    more = {"protocol": "scp02", "version": 9, "diversification": "emv"}
    found, how = read_domain_keys(_key_file(tmp_path / "b.json", **keys, **more))
    assert (found.family, found.version, how) == (KeyFamily.TDES, 9, Diversification.EMV)


@pytest.mark.parametrize("text", ["", "A0", "A0" * 17, "A00000000", "xyz"])
def test_what_is_no_aid(text: str) -> None:
    with pytest.raises(Usage):
        read_aid(text, where="--aid")


def test_a_card_to_be_changed_is_named(image: Path) -> None:
    assert _jinka("domain", "list").exit_code == 2
    assert _jinka("domain", "list", str(image), "--reader", "0").exit_code == 2
    assert _jinka("domain", "new", str(image)).exit_code == 2, "a card would be lost"


# --- the content of a card


def test_the_life_of_an_application(image: Path) -> None:
    package = AID + f"{FUEL.version:02X}"
    assert _listed(str(image)) == {}
    assert _selected(image) == "6a82"
    assert _jinka("domain", "install", str(image), "--profile", FUEL.name).exit_code == 0
    assert _listed(str(image)) == {AID: "selectable", package: "loaded"}
    assert _selected(image) == "9000"
    assert _jinka("domain", "lock", str(image), "--aid", AID).exit_code == 0
    assert _listed(str(image))[AID] == "locked"
    assert _selected(image) != "9000"
    assert "已锁定" in _jinka("domain", "list", str(image), "--lang", "zh").stdout
    assert _jinka("domain", "unlock", str(image), "--aid", AID).exit_code == 0
    assert _selected(image) == "9000"
    assert _jinka("domain", "remove", str(image), "--aid", AID).exit_code == 0
    assert _selected(image) == "6a82"
    assert _listed(str(image)) == {package: "loaded"}
    assert _jinka("domain", "install", str(image), "--profile", FUEL.name).exit_code == 0, "package is there"
    assert _jinka("domain", "remove", str(image), "--aid", package, "--all").exit_code == 0
    assert _listed(str(image)) == {}


def test_what_the_card_refuses_ends_with_4(image: Path) -> None:
    done = _jinka("domain", "lock", str(image), "--aid", AID)
    assert done.exit_code == 4
    assert "SW 6A88" in done.stderr


def test_other_keys_open_nothing(image: Path, tmp_path: Path) -> None:
    keys = make_test_domain_keys()
    wrong = _key_file(tmp_path / "k.json", enc=keys.enc.hex(), mac="00" * 16, dek=keys.dek.hex())
    done = _jinka("domain", "list", str(image), "--domain-keys", str(wrong))
    assert done.exit_code == 4, done.output
    assert "cryptogram" in done.stderr
    assert _listed(str(image)) == {}


def test_an_image_holds_no_keys_in_its_base() -> None:
    assert make_test_domain_keys().enc not in domain_base().memory


@pytest.mark.parametrize("name", ["transit", "fuel"])
def test_an_authority_manages_its_own_domain_alone(tmp_path: Path, name: str) -> None:
    """One with SCP03, one with SCP02; each under its own key file, on a card of both."""
    made = Card(Nvm(domain_memory(ISSUER_KEYS)), SystemRandomness(), domain_base())
    for authority in ("transit", "fuel"):
        add_authority(made, authority)
        put_on(made, authority)
    path = tmp_path / "two.card"
    CardFile(made, path).save()
    aid, keys = AUTHORITIES[name]
    protocol = "scp02" if keys.family is KeyFamily.TDES else "scp03"
    hexes = {part: getattr(keys, part).hex() for part in ("enc", "mac", "dek")}
    held = _key_file(tmp_path / "keys.json", version=keys.version, protocol=protocol, **hexes)
    own = (str(path), "--domain", aid.hex(), "--domain-keys", str(held))
    [application] = [found for found, state in _listed(*own).items() if state == "personalised"]
    other = {"transit": "fuel", "fuel": "transit"}[name]
    foreign = AUTHORITIES[other][0].hex()
    assert _jinka("domain", "lock", *own, "--aid", foreign).exit_code == 4
    assert _jinka("domain", "lock", *own, "--aid", application).exit_code == 0
    assert _listed(*own)[application] == "locked"
    assert _jinka("domain", "list", str(path), "--domain", foreign, "--domain-keys", str(held)).exit_code == 4


# --- inspection


def _document(path: Path, **options: object) -> Path:
    signer = COUNTRY.signer("UT", "Document signer", 1, START, END)
    data = document_data(SPECIMEN_ZONE, b"\xff\xd8\xff\xd9", width=8, height=8, signer=signer, **options)
    image = template_of(travel_document.PROFILE, Algorithm.TDES).clone(data)
    CardFile(Card.from_image(image, SystemRandomness()), path).save()
    return path


@pytest.fixture
def anchor(tmp_path: Path) -> Path:
    path = tmp_path / "country.cer"
    path.write_bytes(COUNTRY.certificate)
    return path


def test_a_genuine_document(tmp_path: Path, anchor: Path) -> None:
    image = _document(tmp_path / "p.card", chip_key=ChipKeyKind.P256)
    before = image.read_bytes()
    done = _jinka("inspect", str(image), "--mrz", *LINES, "--anchor", str(anchor), *ON)
    assert done.exit_code == 0, done.output
    assert "genuine / 证件真实" in done.stdout
    assert "failed" not in done.stdout
    assert "ERIKSSON" not in done.stdout
    assert image.read_bytes() == before, "an inspection changes no file"
    shown = _jinka("inspect", str(image), "--mrz", *LINES, "--anchor", str(anchor), *ON, "--show")
    assert "L898902C3 ERIKSSON ANNA MARIA" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        (("--at", "2026-05-01"), "SIGNER_UNKNOWN"),
        (("--at", "2034-04-16", "--anchor", "ANCHOR"), "EXPIRED"),
        (("--at", "2034-04-15", "--anchor", "ANCHOR"), "GENUINE"),
    ],
)
def test_what_else_is_said(tmp_path: Path, anchor: Path, arguments: tuple[str, ...], verdict: str) -> None:
    image = _document(tmp_path / "p.card")
    given = [str(anchor) if word == "ANCHOR" else word for word in arguments]
    done = _jinka("inspect", str(image), "--mrz", *LINES, *given, "--json")
    found = json.loads(done.stdout)
    assert found["verdict"]["name"] == verdict
    assert done.exit_code == (0 if verdict == "GENUINE" else 6)
    assert found["chip"]["number"] == "*****02C3"


def test_a_chip_that_cannot_prove_itself(tmp_path: Path, anchor: Path) -> None:
    image = _document(tmp_path / "p.card", chip_key=None)
    done = _jinka("inspect", str(image), "--mrz", *LINES, "--anchor", str(anchor), *ON)
    assert done.exit_code == 6
    assert "不能排除芯片被复制" in done.stdout


@pytest.mark.parametrize("lines", [(LINES[0], LINES[1][:-1] + "7"), ("P<UTO", "X"), (LINES[1], LINES[0])])
def test_a_zone_that_is_none_reads_nothing(lines: tuple[str, str]) -> None:
    done = _jinka("inspect", "--profile", travel_document.PROFILE.name, "--mrz", *lines, *ON)
    assert done.exit_code == 6
    assert "unreadable / 证件无法读取" in done.stdout


def test_an_anchor_may_be_pem(tmp_path: Path) -> None:
    image, path = _document(tmp_path / "p.card"), tmp_path / "country.pem"
    body = base64.encodebytes(COUNTRY.certificate).decode()
    path.write_text(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
    assert _jinka("inspect", str(image), "--mrz", *LINES, "--anchor", str(path), *ON).exit_code == 0


def test_a_broken_anchor_is_not_the_documents_fault(tmp_path: Path) -> None:
    path = tmp_path / "country.cer"
    path.write_bytes(COUNTRY.certificate[:-1])
    done = _jinka("inspect", "--profile", "icao.passport", "--mrz", *LINES, "--anchor", str(path), *ON)
    assert done.exit_code == 4
    assert "country.cer" in done.stderr


def test_an_inspection_without_a_zone_is_no_inspection() -> None:
    done = _jinka("inspect", "--profile", travel_document.PROFILE.name)
    assert done.exit_code == 2
    assert "--mrz" in done.stderr
