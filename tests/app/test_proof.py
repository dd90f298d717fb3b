"""Proof of clearing. Goal: a centre that drops, alters or tells two stories is caught by whoever holds a record, a
checkpoint or nothing but the public key. Method: every forgery by its name, against our check and against the
independent one (scripts/verify_proof.py, standard library alone); openssl checks the signature once more.
"""

from __future__ import annotations

import base64
import copy
import datetime as dt
import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jinka.app.proof import ProofFolder
from jinka.app.proof_check import check_file
from jinka.clearing.day_log import check_log_consistency, check_proof, countersigned
from jinka.codec import RECORD_SCHEMA
from jinka.crypto.note import KeyNoteSigner, NoteKey, open_note, sign_note
from jinka.crypto.x509_keys import KeyKind, SoftSigner
from jinka.crypto.x509_private import new_signer
from jinka.kit import NotFound, Refused, Usage
from jinka.node.system import SystemRandomness
from tests.clearing.outcomes import DATE, rows, table, write

SCRIPT = Path(__file__).parents[2] / "scripts" / "verify_proof.py"
RANDOM = SystemRandomness()
CENTRE = "440300"


class Centre:
    """A centre that publishes what a test gives it."""

    def __init__(self, folder: Path, kind: KeyKind = KeyKind.ECDSA) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.outcomes = folder, folder / "outcomes"
        self.log = ProofFolder(folder / "proof")
        self.signer = new_signer(kind, RANDOM) if kind is KeyKind.SM2 else self.log.own_signer(RANDOM)

    def publish(self, found: list[dict[str, Any]], date: dt.date = DATE) -> Any:
        write(self.outcomes, found)
        return self.log.publish(CENTRE, date, self.outcomes, signer=self.signer, randomness=RANDOM)

    def batch(self, number: int) -> dict[str, Any]:
        return self.log.document(self.outcomes, {"batch": number.to_bytes(16, "big")})

    @property
    def key(self) -> NoteKey:
        return self.log.key()


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    made = Centre(tmp_path / "centre")
    made.publish(rows(1500))
    return made


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """A centre that no test changes."""
    made = Centre(tmp_path_factory.mktemp("published"))
    made.publish(rows(1500))
    return made


def _script(tmp_path: Path, document: Any, *keys: NoteKey) -> subprocess.CompletedProcess[str]:
    file, key_files = tmp_path / "document.json", [tmp_path / f"key {at}" for at in range(len(keys))]
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    for path, key in zip(key_files, keys, strict=True):
        path.write_text(f"{key}\n")
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(file), *map(str, key_files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_every_record_can_be_proven_and_the_independent_check_agrees(
    published: Centre, tmp_path: Path
) -> None:
    found = rows(1500)
    for number in (0, 77, 149):  # 149: the last leaves, beside the tree's ragged edge
        document = published.batch(number)
        proven = check_proof(document, published.key)
        assert [one.place for one in proven.records] == list(range(number * 10, number * 10 + 10))
        cards = [found[one.place]["card_no"].hex() for one in proven.records]
        assert [one.fields["card_no"] for one in proven.records] == cards
        done = _script(tmp_path, document, published.key)
        assert (done.returncode, done.stdout.count("\n")) == (0, 10), done.stderr
        assert all(card in done.stdout for card in cards)


def test_a_proof_tells_nothing_of_other_records(published: Centre) -> None:
    told = json.dumps(published.batch(3))
    others = [row for row in rows(1500) if row["batch"] != (3).to_bytes(16, "big")]
    assert not [row for row in others if row["card_no"].hex() in told]
    secret = next((published.folder / "proof" / "days").glob("*.secret"))
    assert secret.read_bytes().hex() not in told
    assert secret.stat().st_mode & 0o077 == 0
    assert (published.folder / "proof" / "signing.key").stat().st_mode & 0o077 == 0


def test_openssl_verifies_the_checkpoint(published: Centre, tmp_path: Path) -> None:
    text, _, line = published.log.checkpoint().rpartition("\n\n")
    (tmp_path / "text").write_text(text + "\n")
    (tmp_path / "sig").write_bytes(base64.b64decode(line.split(" ")[2])[4:])
    (tmp_path / "key.der").write_bytes(published.key.public)
    command = "openssl dgst -sha256 -verify key.der -keyform DER -signature sig text"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "Verified OK\n"


def _changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    place: Any = made
    for part in way:
        place = place[part]
    place[last] = value(place[last]) if callable(value) else value
    return made


def _flip(text: str) -> str:
    return ("1" if text[0] == "0" else "0") + text[1:]


MUTATIONS = {
    "amount": ("records/0/fields/amount", lambda old: old + 1),
    "outcome": ("records/0/fields/words/outcome", "REJECTED"),
    "operator": ("records/0/fields/words/operator", "op.thief"),
    "subsidy": ("records/0/fields/subsidy", lambda old: old + 1),
    "at risk": ("records/0/fields/words/at_risk", lambda old: not old),
    "at risk as a number": ("records/0/fields/words/at_risk", lambda old: int(old)),
    "card": ("records/0/fields/card_no", _flip),
    "tac": ("records/0/fields/tac", _flip),
    "salt": ("records/0/salt", _flip),
    "short salt": ("records/0/salt", lambda old: old[2:]),
    "place": ("records/0/place", lambda old: old + 1),
    "place below zero": ("records/0/place", -1),
    "place behind the end": ("records/0/place", 1500),
    "path": ("records/0/path", lambda old: [_flip(old[0]), *old[1:]]),
    "path too short": ("records/0/path", lambda old: old[:-1]),
    "path too long": ("records/0/path", lambda old: [*old, "00" * 32]),
    "statement's root": ("day/statement", lambda old: old.replace("\n1500\n", "\n1501\n")),
    "statement's edition": ("day/statement", lambda old: old.replace("\n1\n1500", "\n2\n1500")),
    "statement of another centre": ("day/statement", lambda old: old.replace(CENTRE, "440400")),
    "day's place": ("day/place", 1),
    "checkpoint": ("checkpoint", lambda old: old.replace("\n1\n", "\n2\n")),
    "checkpoint's signature": ("checkpoint", lambda old: old[:-20] + "AAAA" + old[-16:]),
    "no signature": ("checkpoint", lambda old: old.rpartition("\n\n")[0] + "\n\n"),
    "a field more": ("records/0/fields/more", 1),
    "another format": ("format", "jinka.proof/2"),
    "no records": ("records", []),
    "blanks in a number": ("records/0/fields/card_no", lambda old: f"{old[:2]}\n{old[2:]}"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_forged_document_proves_nothing(published: Centre, tmp_path: Path, name: str) -> None:
    path, value = MUTATIONS[name]
    document = published.batch(3)
    if name == "a field more":
        document["records"][0]["fields"]["more"] = 0
    forged = _changed(document, path, value)
    assert json.dumps(forged) != json.dumps(published.batch(3))
    with pytest.raises((Refused, Usage)):
        check_proof(forged, published.key)
    done = _script(tmp_path, forged, published.key)
    assert done.returncode != 0
    assert "NOT PROVEN" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": "jinka.proof/1"}', "[" * 100_000])
def test_what_is_no_document_is_refused_by_both(published: Centre, tmp_path: Path, text: str) -> None:
    done = _script(tmp_path, text, published.key)
    assert done.returncode != 0
    assert "NOT PROVEN" in done.stderr
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises((Usage, Refused)):
        check_file(file, published.log.key_file)


def test_another_centres_key_does_not_open_it(published: Centre, tmp_path: Path) -> None:
    other = Centre(tmp_path / "other")
    other.publish(rows(10))
    with pytest.raises(Refused):
        check_proof(published.batch(1), other.key)
    assert _script(tmp_path, published.batch(1), other.key).returncode != 0


def _sent(tmp_path: Path, batch: int) -> Path:
    """An operator's own copy of what it sent."""
    path = tmp_path / "sent.parquet"
    mine = [row for row in rows(1500) if row["batch"] == batch.to_bytes(16, "big")]
    pq.write_table(table(mine).select(RECORD_SCHEMA.names), path)
    return path


def _against(centre: Centre, tmp_path: Path, batch: int) -> list[tuple[str, str]]:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(centre.batch(batch)))
    checked = check_file(file, centre.log.key_file, _sent(tmp_path, batch))
    return [(finding.code, finding.where[-8:]) for finding in checked.findings]


def test_what_an_operator_sent_is_all_there(published: Centre, tmp_path: Path) -> None:
    assert _against(published, tmp_path, 5) == []


def test_a_dropped_record_is_caught(tmp_path: Path) -> None:
    dropping = Centre(tmp_path / "centre")
    dropping.publish([row for row in rows(1500) if row["record_id"] != (1 << 32) + 53])
    assert _against(dropping, tmp_path, 5) == [("RECORD_DROPPED", "record 3")]


@pytest.mark.parametrize("change", [{"amount": 1}, {"operator": "op.thief"}, {"tac": b"\0\0\0\0"}])
def test_an_altered_record_is_caught(tmp_path: Path, change: dict[str, Any]) -> None:
    altering = Centre(tmp_path / "centre")
    altering.publish([row | change if row["record_id"] == (1 << 32) + 53 else row for row in rows(1500)])
    assert _against(altering, tmp_path, 5) == [("RECORD_ALTERED", "record 3")]


def test_an_outcome_that_is_changed_after_it_was_published_cannot_be_proven(centre: Centre) -> None:
    write(
        centre.outcomes,
        [row | {"outcome": "REJECTED"} if at == 31 else row for at, row in enumerate(rows(1500))],
    )
    with pytest.raises(Refused, match="not what was published"):
        centre.batch(3)
    assert check_proof(centre.batch(4), centre.key).records


def test_the_same_day_again_adds_nothing_and_keeps_the_checkpoint(centre: Centre) -> None:
    before = centre.log.checkpoint()
    again = centre.publish(rows(1500))
    assert (again.added, again.statement.edition, centre.log.checkpoint()) == (0, 1, before)


def test_late_corrections_are_an_edition_that_begins_with_the_first(centre: Centre, tmp_path: Path) -> None:
    held = centre.log.checkpoint()
    late = [*rows(1500), *rows(40, seed=2, first=(1 << 33))]
    late[33] |= {"outcome": "PAID", "reason": "ACCEPTED", "subsidy": 777}
    made = centre.publish(late)
    assert (made.added, made.statement.edition, made.statement.size, made.findings) == (41, 2, 1541, ())
    proven = check_proof(centre.batch(3), centre.key).records
    assert {one.fields["batch_seq"]: one.fields["subsidy"] for one in proven}[3] == 777
    old, new = check_log_consistency(centre.log.consistency(held), centre.key)
    assert (old.size, new.size) == (1, 2)
    file = tmp_path / "editions.json"
    file.write_text(json.dumps(centre.log.editions(DATE)))
    days = check_file(file, centre.log.key_file).days
    assert [(day.edition, day.size) for day in days] == [(1, 1500), (2, 1541)]
    forged = _changed(json.loads(file.read_text()), "path/0", _flip)
    file.write_text(json.dumps(forged))
    with pytest.raises(Refused):
        check_file(file, centre.log.key_file)


def test_a_published_record_that_vanishes_is_a_finding(centre: Centre) -> None:
    made = centre.publish(rows(1500)[:-2])
    assert [finding.code for finding in made.findings] == ["PUBLISHED_RECORD_GONE"]
    assert made.statement.size == 1500


def test_a_run_killed_between_leaves_and_log_is_simply_run_again(centre: Centre) -> None:
    log, late = centre.log.log_file.read_text(), [*rows(1500), *rows(3, seed=2, first=1 << 33)]
    centre.publish(late)
    centre.log.log_file.write_text(log)  # the leaves of edition 2 are there, its statement is not
    other = [*rows(1500), *rows(2, seed=3, first=1 << 34)]
    made = centre.publish(other)
    assert (made.statement.edition, made.statement.size) == (2, 1502)
    document = centre.log.document(centre.outcomes, {"record_id": (1 << 34) + 1})
    assert check_proof(document, centre.key).records[0].place == 1501


def test_two_faces_of_a_day_are_caught_by_a_witness(tmp_path: Path) -> None:
    """The centre shows the operator one root and its parent another, with the same key."""
    honest, second = Centre(tmp_path / "a"), Centre(tmp_path / "b")
    second.signer = honest.signer
    honest.publish(rows(100))
    first = honest.log.checkpoint()
    _, held = countersigned(honest.log.consistency(first), honest.key, None)
    second.publish(rows(99))
    other = second.log.checkpoint()
    with pytest.raises(Refused, match="not a state of this log"):
        honest.log.consistency(other)
    lie = {"format": "jinka.proof.consistency/1", "old": first, "new": other, "path": []}
    with pytest.raises(Refused):
        countersigned(lie, honest.key, held)
    with pytest.raises(Refused, match="another state"):
        countersigned(second.log.consistency(other), honest.key, held)
    honest.publish(rows(50, seed=9), date=dt.date(2026, 3, 6))
    text, grown = countersigned(honest.log.consistency(first), honest.key, held)
    assert grown.size == 2
    assert text.splitlines()[0] == f"jinka.proof/{CENTRE}"
    assert sign_note(text, _witness()).count("\n— ") == 1


def _witness() -> Any:
    from jinka.crypto.note import KeyNoteSigner

    return KeyNoteSigner("province", new_signer(KeyKind.SM2, RANDOM))


def test_a_witnesss_signature_is_asked_for_by_both_checks(centre: Centre, tmp_path: Path) -> None:
    """With its key given, a state that it did not sign proves nothing, whoever else signed it."""
    parent, stranger = (
        KeyNoteSigner(f"jinka.witness/{name}", SoftSigner.generate(KeyKind.ECDSA)) for name in "ps"
    )
    alone, note = centre.batch(3), centre.log.checkpoint()
    text = open_note(note, centre.key)

    def both(signer: KeyNoteSigner, signed: str = text) -> str:
        return note + sign_note(signed, signer).removeprefix(signed + "\n")

    centre.log.take_witnessed(both(parent))
    witnessed = centre.batch(3)
    assert witnessed["checkpoint"] != alone["checkpoint"]
    centre.publish(rows(1500))  # nothing new: the witnessed state stays
    assert centre.batch(3) == witnessed
    other = text.replace("\n1\n", "\n2\n")
    forged = witnessed | {"checkpoint": both(parent, other)}
    for document, key, good in (
        (witnessed, parent.public, True),
        (alone, parent.public, False),
        (witnessed, stranger.public, False),
        (witnessed | {"checkpoint": both(stranger)}, parent.public, False),
        (forged, parent.public, False),
    ):
        done = _script(tmp_path, document, centre.key, key)
        assert (done.returncode == 0) is good, done.stderr
        with nullcontext() if good else pytest.raises(Refused):
            check_file(tmp_path / "document.json", tmp_path / "key 0", witness=tmp_path / "key 1")
    with pytest.raises(Usage, match="not a witness"):
        check_file(tmp_path / "document.json", tmp_path / "key 0", witness=tmp_path / "key 0")
    with pytest.raises(NotFound):
        centre.log.take_witnessed(sign_note(other, KeyNoteSigner(centre.key.name, centre.signer)))


def test_sm2_signs_as_well_and_the_independent_check_says_that_it_cannot_tell(tmp_path: Path) -> None:
    made = Centre(tmp_path / "centre", KeyKind.SM2)
    made.publish(rows(20))
    assert len(check_proof(made.batch(1), made.key).records) == 10
    assert NoteKey.parse(str(made.key)) == made.key
    done = _script(tmp_path, made.batch(1), made.key)
    assert "not a P-256 key" in done.stderr


def test_another_key_may_not_go_on_with_a_log(centre: Centre) -> None:
    centre.signer = new_signer(KeyKind.ECDSA, RANDOM)
    with pytest.raises(Refused, match="another key"):
        centre.publish(rows(1500))


def test_a_day_without_records_is_published_too(tmp_path: Path) -> None:
    empty = Centre(tmp_path / "centre")
    made = empty.publish([])
    assert (made.statement.size, made.statement.edition) == (0, 1)
    with pytest.raises(NotFound):
        empty.batch(1)


def test_records_in_another_order_are_the_same_records(centre: Centre) -> None:
    assert centre.publish(rows(1500)[::-1]).added == 0


def test_own_records_must_be_records(published: Centre, tmp_path: Path) -> None:
    file, own = tmp_path / "proof.json", tmp_path / "own.parquet"
    file.write_text(json.dumps(published.batch(1)))
    own.write_bytes(b"PAR1 nothing")
    with pytest.raises(Usage, match="Parquet"):
        check_file(file, published.log.key_file, own)
    pq.write_table(pa.table({"amount": [1]}), own)
    with pytest.raises(Usage, match="no columns"):
        check_file(file, published.log.key_file, own)
