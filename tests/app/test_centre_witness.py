"""A parent signs its cities' logs. Goal: a city with two roots gets one of them signed and is shown up by both notes.

Method: logs of statements written by hand, sent over two desks; then forged: another root, fewer days, another key.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pytest

from jinka.app.centre_config import DATABASE
from jinka.app.centre_line import LineRoad
from jinka.app.centre_serving import streams_beside
from jinka.app.centre_witness import CHECKPOINT, EDITIONS, log_tables
from jinka.app.proof import ProofFolder
from jinka.clearing.day_log import ORIGIN, DayStatement, opened_checkpoint
from jinka.codec.parcel import Kind
from jinka.crypto.merkle import root_of
from jinka.crypto.note import KeyNoteSigner, NoteKey, open_note
from jinka.crypto.x509_keys import KeyKind, Signer, SoftSigner
from jinka.keys.checkpoint import Checkpoint
from jinka.kit import Refused
from jinka.node.parcel_desk import OutgoingFile, ParcelDesk
from jinka.sim.randomness import SeededRandomness
from jinka.store import database_at
from jinka.store.parcel_findings import findings_in
from tests.app.line_rig import Papers, line, papers
from tests.clearing.outcomes import rows, write
from tests.parcels import CITY, DAY, PARENT, post

__all__ = ["line", "papers"]  # fixtures
Desks = dict[str, ParcelDesk]


def _log(folder: Path, signer: Signer, *roots: int, centre: str = CITY, size: int = 0) -> None:
    """A city's log with one statement for each root."""
    log = ProofFolder(folder / "proof")
    found = [
        DayStatement(
            centre=centre, date=DAY + dt.timedelta(days=at), edition=1, size=1, root=bytes([root] * 32)
        )
        for at, root in enumerate(roots)
    ]
    state = Checkpoint(
        origin=f"{ORIGIN}{centre}", size=size or len(found), root=root_of([one.leaf for one in found])
    )
    noted = KeyNoteSigner(f"{ORIGIN}{centre}", signer)
    (log.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    log.log_file.write_text("".join(json.dumps(one.text()) + "\n" for one in found))
    log.key_file.write_text(f"{noted.public}\n")
    for path in (log.checkpoint_file, log.folder / "checkpoints" / f"{len(found):06}.note"):
        path.write_text(state.signed(noted))


def _roads(folder: Path, line: Desks) -> tuple[LineRoad, LineRoad]:
    return tuple(
        LineRoad(line[code], streams_beside(folder / code, up)) for code, up in ((CITY, PARENT), (PARENT, ""))
    )  # type: ignore[return-value]


def _send(folder: Path, line: Desks, day: int) -> None:
    city, parent = _roads(folder, line)
    city.send(PARENT, Kind.STATEMENTS, DAY + dt.timedelta(days=day), log_tables(folder / CITY))
    post(line[CITY], line[PARENT])
    assert parent.ready() == []
    assert parent.ready() == []  # with the notice of what was parked
    post(line[PARENT], line[CITY])
    assert city.ready() == []


def _signed_by_parent(folder: Path) -> bool:
    log, key = ProofFolder(folder / CITY / "proof"), folder / PARENT / "witness" / "witness.key"
    try:
        open_note(log.checkpoint(), NoteKey.parse(key.read_text()))
    except Refused:
        return False
    return log.key() is not None


def _found(folder: Path, code: str) -> list[str]:
    with database_at(folder / code / DATABASE) as engine:
        return [one.code for one in findings_in(engine)]


def test_what_follows_is_signed_and_comes_back_to_the_city(
    tmp_path: Path, line: Desks, papers: Papers
) -> None:
    signer = papers[1][CITY]
    for day, roots in enumerate(((1,), (1, 2), (1, 2, 3))):
        _log(tmp_path / CITY, signer, *roots)
        _send(tmp_path, line, day)
        assert _signed_by_parent(tmp_path)
    held = tmp_path / CITY / "proof" / "witness.key"
    assert held.read_text() == (tmp_path / PARENT / "witness" / "witness.key").read_text()
    assert _found(tmp_path, PARENT) == _found(tmp_path, CITY) == []


@pytest.mark.parametrize(
    "roots", [(1, 9), (9, 2, 3), (1,), (2, 1)], ids=["root", "earlier", "shorter", "order"]
)
def test_a_city_with_two_roots_is_caught_and_both_notes_are_kept(
    roots: tuple[int, ...], tmp_path: Path, line: Desks, papers: Papers
) -> None:
    signer, seen = papers[1][CITY], tmp_path / PARENT / "witness" / CITY
    _log(tmp_path / CITY, signer, 1, 2)
    _send(tmp_path, line, 0)
    _log(tmp_path / CITY, signer, *roots)
    _send(tmp_path, line, 1)
    assert not _signed_by_parent(tmp_path)
    assert _found(tmp_path, PARENT) == ["ROOT_TWICE"]
    key = ProofFolder(tmp_path / CITY / "proof").key()
    [evidence] = seen.glob("evidence-*.note")
    first, second = (open_note(path.read_text(), key) for path in (seen / "checkpoint.note", evidence))
    assert first != second, "both signed by the city"
    _log(tmp_path / CITY, signer, 1, 2, 3)  # the true log goes on
    _send(tmp_path, line, 2)
    assert _signed_by_parent(tmp_path)


def _log_of(folder: Path, signer: Signer, said: tuple[tuple[int, int, int, int], ...]) -> None:
    """A signed log that says whatever (day, edition, size, root) of a city's days, and a path that leads nowhere."""
    log = ProofFolder(folder / "proof")
    _log(folder, signer)
    found = [
        DayStatement(
            centre=CITY, date=DAY + dt.timedelta(days=d), edition=edition, size=size, root=bytes([root] * 32)
        )
        for d, edition, size, root in said
    ]
    state = Checkpoint(
        origin=f"{ORIGIN}{CITY}", size=len(found), root=root_of([one.leaf for one in found])
    ).signed(KeyNoteSigner(f"{ORIGIN}{CITY}", signer))
    log.log_file.write_text("".join(json.dumps(one.text()) + "\n" for one in found))
    (log.folder / "checkpoints" / f"{len(found):06}.note").write_text(state)
    log.checkpoint_file.write_text(state)
    (log.folder / "days").mkdir(exist_ok=True)
    for one in found:
        (log.folder / "days" / f"{one.date}.{one.edition}.path").write_bytes(bytes(64))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (((0, 1, 5, 1), (0, 1, 5, 2)), "ROOT_TWICE"),
        (((0, 1, 5, 1), (0, 2, 3, 2)), "ROOT_TWICE"),
        (((0, 1, 5, 1), (0, 2, 5, 2)), "ROOT_TWICE"),
        (((0, 1, 5, 1), (0, 2, 8, 2)), "ROOT_TWICE"),
        (((0, 7, 5, 1),), "PARCEL_PARKED"),
        (((0, 1, 5, 1), (1, 1, 5, 1), (0, 3, 8, 1)), "PARCEL_PARKED"),
    ],
    ids=["edition twice", "shrinks", "same size", "grows otherwise", "begins at 7", "leaves one out"],
)
def test_a_day_with_two_roots_in_one_log_is_not_signed(
    said: tuple[tuple[int, int, int, int], ...], code: str, tmp_path: Path, line: Desks, papers: Papers
) -> None:
    """What was there before its last statement was signed."""
    signer, seen = papers[1][CITY], tmp_path / PARENT / "witness" / CITY
    for number in range(max(1, len(said) - 1), len(said) + 1):
        _log_of(tmp_path / CITY, signer, said[:number])
        _send(tmp_path, line, number)
        assert bool(_found(tmp_path, PARENT)) is (number == len(said))
    assert _found(tmp_path, PARENT) == [code]
    [note], [log] = seen.glob("evidence-*.note"), seen.glob("evidence-*.jsonl")
    key = ProofFolder(tmp_path / CITY / "proof").key()
    statements = [DayStatement.parse(json.loads(text)) for text in log.read_text().splitlines()]
    assert opened_checkpoint(note.read_text(), key).root == root_of([one.leaf for one in statements])


def test_editions_that_grow_one_from_the_other_are_signed(
    tmp_path: Path, line: Desks, papers: Papers
) -> None:
    outcomes, log, found = tmp_path / "outcomes", ProofFolder(tmp_path / CITY / "proof"), rows(40)
    for number, count in enumerate((0, 7, 7, 33, 40)):
        write(outcomes, found[:count])
        log.publish(CITY, DAY, outcomes, signer=papers[1][CITY], randomness=SeededRandomness("editions"))
        _send(tmp_path, line, number)
        assert _signed_by_parent(tmp_path)
    assert [one.edition for one in log.statements()] == [1, 2, 3, 4]
    assert _found(tmp_path, PARENT) == []


def test_a_later_edition_without_its_way_or_with_half_a_hash_is_not_signed(
    tmp_path: Path, line: Desks, papers: Papers
) -> None:
    folder = tmp_path / CITY
    city, parent = _roads(tmp_path, line)
    _log_of(folder, papers[1][CITY], ((0, 1, 5, 1), (0, 2, 8, 2)))
    tables = log_tables(folder)
    bad = pa.Table.from_pylist([{"place": 1, "path": bytes(33)}], schema=EDITIONS)
    for day, ways in enumerate((EDITIONS.empty_table(), bad, pa.concat_tables([tables["editions"]] * 2))):
        date = DAY + dt.timedelta(days=day)
        city.send(PARENT, Kind.STATEMENTS, date, dict(tables) | {"editions": ways})
        post(line[CITY], line[PARENT])
        parent.ready()
    assert _found(tmp_path, PARENT) == ["PARCEL_PARKED"] * 3
    assert not (tmp_path / PARENT / "witness" / CITY / "checkpoint.note").exists()


@pytest.mark.parametrize("lie", ["key", "centre", "size"])
def test_what_is_not_the_senders_log_is_not_signed(
    lie: str, tmp_path: Path, line: Desks, papers: Papers
) -> None:
    signer = SoftSigner.generate(KeyKind.ECDSA) if lie == "key" else papers[1][CITY]
    centre = "440399" if lie == "centre" else CITY
    _log(tmp_path / CITY, signer, 1, 2, centre=centre, size=3 if lie == "size" else 0)
    _send(tmp_path, line, 0)
    assert not (tmp_path / PARENT / "witness").exists()
    assert _found(tmp_path, PARENT) == _found(tmp_path, CITY) == ["PARCEL_PARKED"]


def test_a_parents_signature_under_another_text_is_not_shown(
    tmp_path: Path, line: Desks, papers: Papers
) -> None:
    _log(tmp_path / CITY, papers[1][CITY], 1)
    before = ProofFolder(tmp_path / CITY / "proof").checkpoint()
    other = Checkpoint(origin=f"{ORIGIN}{CITY}", size=1, root=bytes(32))
    note = other.signed(KeyNoteSigner(f"jinka.witness/{PARENT}", papers[1][PARENT]))
    file = OutgoingFile(
        name="checkpoint.parquet", schema="jinka.checkpoint/1",
        rows=pa.Table.from_pylist([{"note": note}], schema=CHECKPOINT),
    )  # fmt: skip
    line[PARENT].send(CITY, Kind.STATEMENTS, "lie", DAY, [file])
    post(line[PARENT], line[CITY])
    _roads(tmp_path, line)[0].ready()
    assert ProofFolder(tmp_path / CITY / "proof").checkpoint() == before
    assert _found(tmp_path, CITY) == ["PARCEL_PARKED"]
