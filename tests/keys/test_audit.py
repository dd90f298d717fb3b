"""The audit log's core. Goal: every kind of tampering is found and the entry named, and no secret gets in. Method: a
log of which one thing is changed, at every place; the chain made anew by an attacker who knows the format; checkpoints.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.crypto.merkle import (
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
)
from jinka.crypto.note import Ed25519Signer, sign_note
from jinka.keys import AuditChain, AuditEntry, AuditEvent, Checkpoint, Outcome, check_log
from jinka.keys.audit import LINE_MAX, OPENED, SUBJECT_MAX
from jinka.kit import Refused, Usage

COUNT = 8
SIGNER = Ed25519Signer("centre.test", bytes(32))


def _log(count: int = COUNT, *, act: str = "key.mac") -> list[bytes]:
    chain = AuditChain()
    opened = AuditEvent(actor="jinka", act=OPENED, subject="log:test")
    events = [AuditEvent(actor="svc.a", act=act, subject=f"key:tac/{n}") for n in range(1, count)]
    return [chain.append(event, 1_000 + n) for n, event in enumerate([opened, *events])]


def _checkpoint(lines: list[bytes]) -> Checkpoint:
    chain = AuditChain()
    for line in lines:
        chain.take_up(line)
    return Checkpoint(origin="test", size=chain.size, root=chain.root())


def _found(lines: list[bytes], *checkpoints: Checkpoint) -> list[tuple[str, str]]:
    return [(finding.code, finding.where) for finding in check_log(lines, checkpoints).findings]


def test_a_sound_log() -> None:
    lines = _log()
    report = check_log(lines, [_checkpoint(lines), _checkpoint(lines[:3]), _checkpoint([])])
    # the empty tree is the beginning of every log
    assert (report.sound, report.entries, report.findings) == (True, COUNT, ())
    assert check_log([]).sound


@pytest.mark.parametrize("at", range(COUNT))
def test_a_changed_entry_is_named(at: int) -> None:
    lines = _log()
    held = _checkpoint(lines)
    lines[at] = lines[at].replace(b'"outcome":"ok"', b'"outcome":"refused"')
    found = _found(lines, held)
    assert ("REWRITTEN", f"entry {COUNT - 1}") in found
    if at < COUNT - 1:  # nothing follows the last one: only the checkpoint shows it
        assert ("CHANGED", f"entry {at}") in found


@pytest.mark.parametrize("at", range(COUNT - 1))
def test_entries_that_changed_places_are_named(at: int) -> None:
    lines = _log()
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    assert _found(lines) == [("REORDERED", f"entry {at}")]


@pytest.mark.parametrize("at", range(COUNT - 1))
def test_a_missing_entry_is_named(at: int) -> None:
    lines = _log()
    del lines[at]
    assert _found(lines) == [("MISSING", f"entry {at}")]


def test_a_run_of_missing_entries_and_a_stray() -> None:
    lines = _log()
    moved = [*lines[:2], *lines[5:], lines[3]]
    assert _found(moved) == [("REORDERED", "entry 3"), ("MISSING", "entry 2"), ("MISSING", "entry 4")]


def test_an_entry_twice_is_named() -> None:
    lines = _log()
    assert _found([*lines, lines[3]]) == [("REPEATED", "entry 3")]


@pytest.mark.parametrize("left", range(COUNT))
def test_a_cut_tail_is_found_against_a_checkpoint(left: int) -> None:
    lines = _log()
    assert check_log(lines[:left]).sound  # the chain alone misses it
    [(code, where)] = _found(lines[:left], _checkpoint(lines))
    assert (code, where) == (("TAIL_CUT", f"entry {left}") if left else ("ANOTHER_LOG", "entry 0"))


@pytest.mark.parametrize("at", range(1, COUNT))
def test_a_log_chained_anew_is_found_against_a_checkpoint(at: int) -> None:
    lines = _log()
    held = _checkpoint(lines)
    lines = _rebuilt(lines, at, "key:other")
    assert check_log(lines).sound
    assert _found(lines, held) == [("REWRITTEN", f"entry {COUNT - 1}")]


def _rebuilt(lines: list[bytes], at: int, subject: str) -> list[bytes]:
    """The log of an attacker who can compute hashes: one entry is another one, and everything follows."""
    chain, found = AuditChain(), []
    for entry in map(AuditEntry.from_line, lines):
        name = subject if entry.seq == at else entry.subject
        found.append(
            chain.append(AuditEvent(actor=entry.actor, act=entry.act, subject=name), entry.at_micros)
        )
    return found


def test_a_log_without_its_beginning() -> None:
    lines = _log()
    chain = AuditChain()
    entry = AuditEntry.from_line(lines[1])
    renumbered = chain.append(
        AuditEvent(actor=entry.actor, act=entry.act, subject=entry.subject), entry.at_micros
    )
    cut = renumbered.replace(b'"prev":"' + b"0" * 64, b'"prev":"' + leaf_hash(lines[0]).hex().encode())
    assert ("CHANGED", "entry 0") in _found([cut])


def test_a_checkpoint_of_another_log() -> None:
    lines = _log()
    other = Checkpoint(origin="other", size=3, root=_checkpoint(lines[:3]).root)
    assert _found(lines, other) == [("ANOTHER_LOG", "entry 0")]


def test_a_clock_that_goes_back_is_a_warning() -> None:
    chain = AuditChain()
    event = AuditEvent(actor="a", act="b")
    lines = [chain.append(event, at) for at in (5, 3, 4)]
    assert _found(lines) == [("CLOCK_WENT_BACK", "entry 1")]


def test_findings_are_bounded() -> None:
    report = check_log([b"rubbish"] * 5000)
    assert len(report.findings) == 1001
    assert report.findings[-1].code == "MORE"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b"0" * (LINE_MAX + 1),
        _log()[1] + b" ",
        _log()[1].replace(b'"seq":1', b'"seq":01'),
        _log()[1].replace(b'"seq":1', b'"seq":1.0'),
        _log()[1].replace(b'"seq":1', b'"seq":true'),
        _log()[1].replace(b'"seq":1', b'"seq":-1'),
        _log()[1].replace(b'"seq":1', b'"seq":1,"seq":1'),
        _log()[1].replace(b'"seq":1', b'"seq":' + b"9" * 40),
        _log()[1].replace(b'"at":', b'"at" :'),
        _log()[1].replace(b'"actor":"svc.a"', b'"actor":7'),
        _log()[1].replace(b'"ok"', b'"fine"'),
        _log()[1].replace(b'"detail":""', b'"detail":"00"'),
        _log()[1].replace(b'"detail":""', b'"detail":"","pin":"1234"'),
        _log()[1].upper(),
    ],
)
def test_what_is_no_entry_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        AuditEntry.from_line(raw)
    assert not check_log([raw]).sound


def test_a_number_far_away_costs_nothing() -> None:
    chain = AuditChain()
    far = chain.append(AuditEvent(actor="a", act="b"), 1).replace(b'"seq":0', b'"seq":' + str(2**57).encode())
    assert _found([far]) == [("MISSING", "entry 0")]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("card 6225880123456789", "880123456"),
        ("card 6225-8801-2345-6789", "8801-2345"),
        ("person 11010519491231002X", "19491231"),
        ("６２２５８８０１２３４５６７８９", "８８０１２３４５"),
        ("key 00112233445566778899aabbccddeeff", "ccddeeff"),
        ("k=0011 2233 4455 6677 8899 AABB CCDD EEFF", "EEFF"),
        ("pin block 04124FFFFFFFFFFF", "4FFF"),
        ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "AAECAwQ"),
        ("x" * (SUBJECT_MAX - 8) + "6225880123456789", "6225880123"),
        ("x" * 4 * SUBJECT_MAX + "6225880123456789", "62258"),
    ],
)
def test_secrets_do_not_get_in(text: str, secret: str) -> None:
    for field in ("actor", "act", "subject"):
        line = AuditChain().append(AuditEvent(**({"actor": "a", "act": "b"} | {field: text})), 1)
        assert secret not in json.loads(line)[field]
        AuditEntry.from_line(line)


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=800), st.sampled_from(Outcome))
def test_any_text_is_one_line_and_comes_back(actor: str, act: str, subject: str, outcome: Outcome) -> None:
    line = AuditChain().append(AuditEvent(actor=actor, act=act, subject=subject, outcome=outcome), 1)
    assert line.isascii()
    assert line.decode().isprintable()
    assert len(line) < LINE_MAX
    assert AuditEntry.from_line(line).to_line() == line


def test_a_detail_is_a_digest() -> None:
    with pytest.raises(Usage):
        AuditChain().append(AuditEvent(actor="a", act="b", detail=b"1234"), 1)


def test_a_chain_goes_on_only_behind_its_last_entry() -> None:
    lines = _log()
    chain = AuditChain()
    chain.take_up(lines[0])
    with pytest.raises(Refused):
        chain.take_up(lines[2])
    chain.take_up(lines[1])
    assert chain.head == leaf_hash(lines[1])


def test_checkpoints_are_proven_and_signed() -> None:
    lines = _log(20)
    leaves = [leaf_hash(line) for line in lines]
    old, new = _checkpoint(lines[:7]), _checkpoint(lines)
    check_consistency(old.size, old.root, new.size, new.root, consistency_proof(leaves, old.size))
    check_inclusion(leaves[4], 4, new.size, inclusion_proof(leaves, 4), new.root)
    note = new.signed(SIGNER)
    assert Checkpoint.opened(note, SIGNER.public) == new
    with pytest.raises(Refused):
        Checkpoint.opened(note.replace("\n20\n", "\n19\n"), SIGNER.public)
    with pytest.raises(Refused):
        Checkpoint.opened(note, Ed25519Signer("centre.test", b"\x01" * 32).public)


@pytest.mark.parametrize(
    "body", ["test\n", "test\n020\nAAAA\n", "test\n-1\nAAAA\n", "test\n1\nAAAA\n", "\n1\nAAAA\n"]
)
def test_a_signed_text_that_is_no_checkpoint(body: str) -> None:
    with pytest.raises(Refused):
        Checkpoint.opened(sign_note(body, SIGNER), SIGNER.public)
