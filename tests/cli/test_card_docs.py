"""The pages of docs/cards are what the declarations say. Goal: no application without its page, and no page that is
out of date. Method: make them again and compare; drive a card through the machines that no table of the card holds.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jinka.card import Card
from jinka.card.files import STATE
from jinka.crypto.block import message_mac4
from jinka.profile import ApplicationProfile
from jinka.sectors import PROFILES
from tests.card.purse_rig import MAINTAIN, TDES, card_with, debit_command, lock, release_command
from tests.card.rig import OK, reloaded, select

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "cards"
_SPEC = importlib.util.spec_from_file_location("make_card_docs", ROOT / "scripts" / "make_card_docs.py")
assert _SPEC is not None
assert _SPEC.loader is not None
make_card_docs = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make_card_docs)


def test_the_pages_are_what_the_declarations_say() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_card_docs.py"), "--check"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_application_has_its_page(profile: ApplicationProfile) -> None:
    text = (FOLDER / f"{profile.name}.md").read_text(encoding="utf-8")
    assert profile.title_zh in text
    for spec in profile.files:
        assert f"`{spec.fid:04X}`" in text
    assert f"({profile.name}.md)" in (FOLDER / "index.md").read_text(encoding="utf-8")
    assert "stateDiagram-v2" in text


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.name)
def test_diagrams_name_their_states_before_they_use_them(path: Path) -> None:
    for diagram in re.findall(r"```mermaid\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        labels = [line.split(": ", 1)[1] for line in diagram.splitlines() if "-->" in line and ": " in line]
        assert not [label for label in labels if set(label) & set(":;")], "Mermaid ends a label there"
        declared = set(re.findall(r'state "[^"]+" as (s\d+)', diagram))
        used = set(re.findall(r"\b(s\d+)\b", re.sub(r":.*", "", diagram)))
        assert declared
        assert used == declared
        assert re.search(r"^    \[\*\] --> s0$", diagram, re.MULTILINE)


def test_a_page_out_of_date_is_named(tmp_path: Path) -> None:
    script = (ROOT / "scripts" / "make_card_docs.py").read_text(encoding="utf-8")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "make_card_docs.py").write_text(script, encoding="utf-8")
    (tmp_path / "docs" / "cards").mkdir(parents=True)
    for path in FOLDER.glob("*.md"):
        (tmp_path / "docs" / "cards" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "docs" / "cards" / "cn.fuel.md").write_text("# Old\n")
    (tmp_path / "docs" / "cards" / "psam.md").unlink()
    (tmp_path / "docs" / "cards" / "gone.md").write_text("# Gone\n")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "scripts" / "make_card_docs.py"), "--check"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    named = re.findall(r"docs/cards/(\S+) is not", done.stdout)
    assert named == ["cn.fuel.md", "gone.md", "psam.md"]


def _grey_state(card: Card) -> str:
    return {0x00: "not grey", 0x01: "grey", 0x10: "TAC unread"}[card.transmit(bytes.fromhex("E0CA00001E"))[0]]


def _in_grey_state(state: str) -> Card:
    card = card_with()
    if state != "not grey":
        lock(card)
    if state == "TAC unread":
        card.transmit(debit_command(100))
    assert _grey_state(card) == state
    return card


def _locked(card: Card) -> Card:
    counter = 1 if _grey_state(card) == "TAC unread" else 0
    if counter:  # the rig's MAC1 is for the first counter: a card that was released has the next one
        card.nvm.memory[card.folder.children[2].at + 6 : card.folder.children[2].at + 8] = bytes(2)
    assert lock(card)[-2:] == OK
    return card


def _released(card: Card) -> Card:
    assert card.transmit(debit_command(100))[-2:] == OK
    return card


def _released_online(card: Card) -> Card:
    assert card.transmit(release_command(card, 100))[-2:] == OK
    return card


def _guessed(card: Card) -> Card:
    for _ in range(2):
        assert card.transmit(debit_command(100, gmac=bytes(4))) == b"\x93\x02"
    return card


def _repowered(card: Card) -> Card:
    again = reloaded(card)
    select(again, "3F01")
    return again


def _told(card: Card) -> Card:
    assert card.transmit(bytes.fromhex("E0CA01001E"))[-2:] == OK
    return card


_GREY_ACTS = {
    "GREY LOCK, right MAC1": _locked,
    "DEBIT FOR UNLOCK, right GMAC": _released,
    "GREY UNLOCK, right MAC2 of the issuer": _released_online,
    "two wrong GMACs": _guessed,
    "power off and on": _repowered,
    "GET LOCK PROOF, P1 01": _told,
}


@pytest.mark.parametrize(("before", "act", "after"), make_card_docs.GREY_MOVES)
def test_the_card_moves_as_the_grey_lock_is_drawn(before: str, act: str, after: str) -> None:
    assert _grey_state(_GREY_ACTS[act](_in_grey_state(before))) == after


_FOLDER_STATES = ("open", "in use", "blocked", "blocked for good")


def _secured(card: Card, head: str) -> None:
    rand = card.transmit(bytes.fromhex("0084000004"))[:4]
    message = bytes.fromhex(head + "04")
    assert card.transmit(message + message_mac4(TDES, MAINTAIN, rand, message)) == OK


@pytest.mark.parametrize(("before", "act", "after"), make_card_docs.FOLDER_MOVES)
def test_the_card_moves_as_the_folder_is_drawn(before: str, act: str, after: str) -> None:
    card = card_with(seal=False) if before == "open" else card_with()
    folder = card.folder.header + STATE
    if before == "blocked":
        _secured(card, "841E0000")
    assert _FOLDER_STATES[card.nvm.memory[folder]] == before
    if act.startswith("SELECT"):
        select(card, "3F00")
    else:
        _secured(card, "".join(act.split()[:4]) if "1E" in act else "84180000")
    assert _FOLDER_STATES[card.nvm.memory[folder]] == after
