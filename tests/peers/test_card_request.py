"""A card in a PC/SC reader asks for its certificate. Goal: `jinka certificate request --reader` as it is typed.

Method: the issuer's desk has the card make its pair; pcscd with vpcd shows the card; the command asks it to sign; an
authority in a folder takes the request, and what it issues is believed at the counter.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from jinka.app.authority_folder import pem_of
from jinka.app.authority_office import Office
from jinka.cli.main import app
from jinka.crypto.rsa_sign import ChipKeyKind
from jinka.crypto.x509_keys import KeyKind
from jinka.identity import ProfileName
from jinka.node.pcscd import PcscService
from jinka.node.system import SystemClock
from jinka.terminal.identity import IdentityStatus
from tests.app.authority import approve_and_issue, make_authorities
from tests.card.test_identity import CARD_NO, ENROLMENT, PIN, blank, counter
from tests.identity.rig import CLERK
from tests.peers.readers import chip_in_slot


@pytest.mark.parametrize("kind", [ChipKeyKind.P256, ChipKeyKind.RSA_2048])
def test_a_card_in_a_reader_is_certified(service: PcscService, tmp_path: Path, kind: ChipKeyKind) -> None:
    from jinka.app.authority_folder import utc_now

    card = blank()
    public_der = ENROLMENT.make_key(card, CARD_NO, kind)
    file = tmp_path / "card.csr"
    words = ["certificate", "request", str(file), "--name", "张三", "--reader", "00 00"]
    with chip_in_slot(service, card):
        wrong = CliRunner().invoke(app, words, input="999999\n")
        assert (wrong.exit_code, file.exists()) == (4, False), wrong.output
        done = CliRunner().invoke(app, words, input=PIN.hex() + "\n")
    assert done.exit_code == 0, done.output
    assert not file.with_suffix(".key").exists(), "the key stays on the card"
    made = make_authorities(tmp_path, KeyKind.ECDSA)
    with Office(made.issuing) as office:
        found = office.apply(ProfileName.PERSON, pem_of(file), officer=CLERK)
        assert found.public_der == public_der
        issued = approve_and_issue(office, found.id.hex())
    ENROLMENT.write_certificate(card, CARD_NO, issued.certificate)
    seen = counter(made.certificate.der).identify(card, PIN, utc_now(SystemClock()))
    assert seen.status is IdentityStatus.PROVEN
