"""`jinka card domain` and `jinka card inspect` on cards in a reader. Goal: the road through pcscd is the image's road.
Method: cards in vpcd's slot, the commands as processes of their own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from jinka.app.card_domain import fresh_domain_card
from jinka.app.card_samples import SPECIMEN_ZONE, sample_card
from jinka.node.pcscd import PcscService
from jinka.sectors import fuel, travel_document
from tests.peers.readers import chip_in_slot


def _jinka(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("jinka"), "card", *arguments, "--reader", "00 00"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_an_application_is_installed_in_a_reader(service: PcscService, tmp_path: Path) -> None:
    card = fresh_domain_card(tmp_path / "my.card").chip
    aid = fuel.PROFILE.aid.hex().upper()
    with chip_in_slot(service, card):
        installed = _jinka("domain", "install", "--profile", fuel.PROFILE.name)
        assert installed.returncode == 0, installed.stderr
        assert _jinka("domain", "lock", "--aid", aid).returncode == 0
        listed = _jinka("domain", "list").stdout
    assert [line.split()[1] for line in listed.splitlines() if line.startswith(aid + " ")] == ["locked"]


def test_a_document_is_inspected_in_a_reader(service: PcscService) -> None:
    with chip_in_slot(service, sample_card(travel_document.PROFILE.name)):
        done = _jinka("inspect", "--mrz", *SPECIMEN_ZONE.lines(), "--at", "2026-05-01")
    assert done.returncode == 6, done.stderr
    assert "signer unknown" in done.stdout, "of a country that nobody named"
    assert done.stdout.count("failed") == 1
