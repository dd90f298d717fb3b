"""Two desks hand parcels to each other. Goal: what is receipted is here, whole and as its manifest says.

Method: desks of two centres in one process, and a sender that lies about each thing that a manifest says.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jinka.codec.parcel import Kind, Manifest, Receipt, read_envelope
from jinka.crypto.x509_keys import KeyKind, SoftSigner
from jinka.identity import ProfileName
from jinka.kit import Finding, JinkaError, NotFound, Refused, Severity, Usage
from jinka.node import parcel_desk
from jinka.node.parcel_desk import PIECE_MAX, OutgoingFile, ParcelDesk
from jinka.node.parcel_folder import WrongOffset
from jinka.store.parcel_findings import findings_in
from jinka.store.parcel_parquet import write_parcel_file
from tests.parcels import CITY, DAY, NOW, OTHER, PARENT, ROWS, Signatory, desk, line, post, rows, signatory

FILE = "rows.parquet"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[ParcelDesk]:
    with desk(tmp_path, CITY, {PARENT}) as made:
        yield made


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[ParcelDesk]:
    with desk(tmp_path, PARENT, {CITY, OTHER}) as made:
        yield made


def _send(city: ParcelDesk, reference: str = "day 1", count: int = 10, kind: Kind = Kind.RECORDS) -> Manifest:
    one = OutgoingFile(name=FILE, schema=ROWS.name, rows=rows(count))
    return city.send(PARENT, kind, reference, DAY, [one]).manifest


def _upload(parent: ParcelDesk, raw: bytes, by: str = CITY) -> bytes:
    digest = hashlib.sha256(raw).digest()
    for at in range(0, len(raw), PIECE_MAX):
        parent.append(by, digest, len(raw), at, raw[at : at + PIECE_MAX])
    return digest


def _forged(made: Manifest, signed_by: str = CITY, **more: Any) -> bytes:
    return signatory(signed_by).seal(replace(made, **more)).to_bytes()


def test_a_parcel_goes_over_and_is_applied_once(city: ParcelDesk, parent: ParcelDesk) -> None:
    made = [_send(city, f"day {day}", day) for day in range(3)]
    post(city, parent, most=100)
    assert city.waiting_for(PARENT) == []
    found = parent.ready()
    assert [parcel.manifest for parcel in found] == made
    assert parent.rows(found[2])[FILE].equals(rows(2))
    for parcel in found:
        parent.applied(parcel)
    post(city, parent)
    assert parent.ready() == []


def test_what_is_sent_again_after_a_crash_is_the_same_parcel(city: ParcelDesk, parent: ParcelDesk) -> None:
    first = _send(city)
    post(city, parent)
    assert _send(city) == first
    assert city.waiting_for(PARENT) == []


def test_a_receipt_that_was_lost_is_given_again(city: ParcelDesk, parent: ParcelDesk) -> None:
    _send(city)
    sent = city.waiting_for(PARENT)[0]
    entry = sent.manifest.files[0]
    _upload(parent, city.piece(PARENT, Kind.RECORDS, 1, entry.sha256, 0))
    lost = parent.take_in(CITY, sent.envelope)
    assert parent.take_in(CITY, sent.envelope) == lost
    city.receipted(PARENT, lost)
    assert city.waiting_for(PARENT) == []


def test_half_a_file_is_gone_on_with_and_no_other_place(city: ParcelDesk, parent: ParcelDesk) -> None:
    raw = os.urandom(1000)
    digest = hashlib.sha256(raw).digest()
    parent.append(CITY, digest, 1000, 0, raw[:400])
    for wrong in (0, 399, 401):
        with pytest.raises(WrongOffset) as caught:
            parent.append(CITY, digest, 1000, wrong, raw[wrong : wrong + 10])
        assert caught.value.offset == 400
    assert parent.append(CITY, digest, 1000, 400, raw[400:]) == 1000
    assert parent.offset(CITY, digest, 1000) == 1000
    with pytest.raises(WrongOffset):
        parent.append(CITY, digest, 1000, 0, raw[:10])
    assert parent.offset(OTHER, digest, 1000) == 0, "one centre's files are no other's"


def test_bytes_with_another_hash_are_thrown_away(parent: ParcelDesk) -> None:
    digest = hashlib.sha256(b"right").digest()
    with pytest.raises(Refused, match="not the bytes"):
        parent.append(CITY, digest, 5, 0, b"wrong")
    assert parent.offset(CITY, digest, 5) == 0
    assert parent.append(CITY, digest, 5, 0, b"right") == 5


def test_what_is_open_is_bounded(parent: ParcelDesk) -> None:
    for size, piece, error in (
        ((1 << 20) + 1, b"x", Refused),
        (0, b"x", Refused),
        (10, b"", Usage),
        (10, b"x" * 11, Usage),
    ):
        with pytest.raises(error):
            parent.append(CITY, bytes(32), size, 0, piece)
    with pytest.raises(Usage):
        parent.append(CITY, bytes(32), 1 << 20, 0, bytes(PIECE_MAX + 1))
    for at in range(3):
        parent.append(CITY, bytes([at] * 32), 1000, 0, b"x")
    with pytest.raises(Refused, match="are open"):
        parent.append(CITY, bytes([9] * 32), 1000, 0, b"x")
    parent.append(OTHER, bytes([9] * 32), 1000, 0, b"x")
    later = parent.folder._now_s() + 90_000
    parent.folder._now_s = lambda: later
    parent.append(CITY, bytes([9] * 32), 1000, 0, b"x")
    assert parent.offset(CITY, bytes(32), 1000) == 0


def test_the_bytes_that_are_announced_count_before_they_come(parent: ParcelDesk) -> None:
    for at in range(2):
        parent.append(CITY, bytes([at] * 32), 1 << 20, 0, b"x")
    with pytest.raises(Refused, match="are open"):
        parent.append(CITY, bytes([9] * 32), 1 << 20, 0, b"x")


LIES: dict[str, Callable[[Manifest], dict[str, Any]]] = {
    "rows": lambda m: {"files": (replace(m.files[0], rows=11),), "count": 11},
    "amount": lambda m: {"amount_fen": m.amount_fen + 1},
    "size": lambda m: {"files": (replace(m.files[0], size=m.files[0].size - 1),)},
    "schema": lambda m: {"files": (replace(m.files[0], schema="test.rows/2"),)},
    "hash": lambda m: {"files": (replace(m.files[0], sha256=bytes(32)),)},
    "stream": lambda m: {"kind": Kind.POSITIONS},
    "receiver": lambda m: {"receiver": OTHER},
    "sender": lambda m: {"sender": OTHER},
    "day": lambda m: {"business_date": dt.date(2026, 7, 3)},
    "far ahead": lambda m: {"number": 10_002, "previous": bytes([1] * 32)},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_manifest_that_lies_is_refused_and_the_honest_one_taken(
    city: ParcelDesk, parent: ParcelDesk, lie: str
) -> None:
    made = _send(city)
    _upload(parent, city.piece(PARENT, Kind.RECORDS, 1, made.files[0].sha256, 0))
    with pytest.raises(JinkaError):
        parent.take_in(CITY, _forged(made, **LIES[lie](made)))
    assert parent.ready() == []
    post(city, parent)
    assert len(parent.ready()) == 1


def test_files_may_not_be_swapped_between_two_names(city: ParcelDesk, parent: ParcelDesk) -> None:
    """Both files are here and have good hashes; their rows are told of each other."""
    two = [
        OutgoingFile(name=f"{name}.parquet", schema=ROWS.name, rows=rows(count))
        for name, count in (("a", 3), ("b", 4))
    ]
    made = city.send(PARENT, Kind.RECORDS, "two", DAY, two).manifest
    a, b = made.files
    for one in made.files:
        _upload(parent, city.piece(PARENT, Kind.RECORDS, 1, one.sha256, 0))
    swapped = (replace(a, sha256=b.sha256, size=b.size), replace(b, sha256=a.sha256, size=a.size))
    with pytest.raises(Refused, match="rows, not 3"):
        parent.take_in(CITY, _forged(made, files=swapped))
    post(city, parent)


def test_a_manifest_signed_by_another_centre_is_refused(city: ParcelDesk, parent: ParcelDesk) -> None:
    made = _send(city)
    _upload(parent, city.piece(PARENT, Kind.RECORDS, 1, made.files[0].sha256, 0))
    with pytest.raises(Refused, match=f"signed by '{OTHER}'"):
        parent.take_in(CITY, _forged(made, signed_by=OTHER))
    with pytest.raises(Refused, match="hands over what"):
        parent.take_in(OTHER, _forged(made))
    right = read_envelope(_forged(made))
    for wrong in (
        replace(right, signature=bytes(64)),
        replace(right, body=replace(made, amount_fen=0).to_bytes()),
        replace(right, certificates=signatory(OTHER).certificates),
    ):
        with pytest.raises(Refused):
            parent.take_in(CITY, wrong.to_bytes())


def test_a_tls_certificate_signs_no_parcel(city: ParcelDesk, parent: ParcelDesk) -> None:
    signer = SoftSigner.generate(KeyKind.ECDSA)
    leaf = line().certificate(ProfileName.CENTRE, CITY, signer, ("localhost",))
    made = _send(city)
    with pytest.raises(Refused, match="not for non_repudiation"):
        parent.take_in(CITY, Signatory(CITY, signer, (leaf,)).seal(made).to_bytes())


def test_a_stranger_gets_nothing(city: ParcelDesk, parent: ParcelDesk) -> None:
    made = _send(city)
    stranger, digest = "999999", made.files[0].sha256
    for act in (
        lambda: parent.offset(stranger, digest, 1),
        lambda: parent.append(stranger, digest, 1, 0, b"x"),
        lambda: parent.take_in(stranger, _forged(made)),
        lambda: city.waiting_for(stranger),
        lambda: city.piece(stranger, Kind.RECORDS, 1, digest, 0),
        lambda: city.receipted(stranger, b"{}"),
        lambda: city.send(stranger, Kind.RECORDS, "x", DAY, []),
    ):
        with pytest.raises(Refused, match="no neighbour"):
            act()


def test_a_neighbour_reads_only_what_is_sent_to_it(tmp_path: Path, parent: ParcelDesk) -> None:
    one = OutgoingFile(name=FILE, schema=ROWS.name, rows=rows(3))
    made = parent.send(CITY, Kind.VERDICTS, "day 1", DAY, [one]).manifest
    assert parent.piece(CITY, Kind.VERDICTS, 1, made.files[0].sha256, 0)
    with pytest.raises(NotFound):
        parent.piece(OTHER, Kind.VERDICTS, 1, made.files[0].sha256, 0)
    with pytest.raises(NotFound, match="no file of this parcel"):
        parent.piece(CITY, Kind.VERDICTS, 1, bytes(32), 0)


def test_a_receipt_of_somebody_else_ends_no_wait(city: ParcelDesk, parent: ParcelDesk) -> None:
    made = _send(city)
    right = Receipt(
        sender=CITY, receiver=PARENT, kind=made.kind, number=1, manifest=made.digest, taken_micros=NOW
    )
    for signer, receipt in (
        (OTHER, right),
        (CITY, right),
        (PARENT, replace(right, manifest=bytes(32))),
        (PARENT, replace(right, sender=OTHER)),
        (PARENT, replace(right, receiver=OTHER)),
    ):
        with pytest.raises(JinkaError):
            city.receipted(PARENT, signatory(signer).seal(receipt).to_bytes())
    with pytest.raises(Usage):
        city.receipted(PARENT, signatory(PARENT).seal(made).to_bytes())
    assert len(city.waiting_for(PARENT)) == 1


def test_a_parcel_that_makes_no_sense_is_parked_with_its_finding(
    city: ParcelDesk, parent: ParcelDesk
) -> None:
    _send(city)
    post(city, parent)
    found = Finding(code="NOT_ITS_ROWS", severity=Severity.ERROR, where="row 1", what="of another centre")
    parent.parked(parent.ready()[0], found)
    assert parent.ready() == []
    assert found in findings_in(parent.inbox._engine)


def test_a_file_that_a_manifest_did_not_bring_is_told(city: ParcelDesk, parent: ParcelDesk) -> None:
    _send(city)
    sent = city.waiting_for(PARENT)[0]
    with pytest.raises(NotFound, match=FILE):
        parent.take_in(CITY, sent.envelope)
    post(city, parent)


def test_what_is_sent_must_be_of_a_schema_that_is_known(city: ParcelDesk) -> None:
    for schema, kind, table, error in (
        ("test.other/1", Kind.RECORDS, rows(1), Usage),
        (ROWS.name, Kind.LISTS, rows(1), Usage),
        (ROWS.name, Kind.RECORDS, rows(1).drop(["note"]), Refused),
        (ROWS.name, Kind.RECORDS, rows(10_001), Refused),
    ):
        with pytest.raises(error):
            city.send(PARENT, kind, "x", DAY, [OutgoingFile(name=FILE, schema=schema, rows=table)])
    assert city.waiting_for(PARENT) == []


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    made = [tmp_path / name for name in ("a", "b")]
    write_parcel_file(made[0], rows(100), ROWS)
    write_parcel_file(made[1], pa.concat_tables([rows(60), rows(40, 60)]), ROWS)
    assert made[0].read_bytes() == made[1].read_bytes()


def test_what_was_sealed_under_a_certificate_that_was_replaced_is_sealed_again(
    city: ParcelDesk, parent: ParcelDesk
) -> None:
    """Manifest and receipt: otherwise a key that was changed in time would hold up its streams for ever."""
    made = _send(city)
    old = city.waiting_for(PARENT)[0].envelope
    entry = made.files[0]
    _upload(parent, city.piece(PARENT, Kind.RECORDS, 1, entry.sha256, 0))
    first = parent.take_in(CITY, old)
    for desk_ in (city, parent):
        fresh = line().signatory(desk_.line.centre)
        renewed = parcel_desk.Signatory(signer=fresh.signer, certificates=fresh.certificates)
        desk_.line = replace(desk_.line, signatory=renewed)
    new = city.waiting_for(PARENT)[0].envelope
    assert read_envelope(new).body == read_envelope(old).body
    assert read_envelope(new).certificates != read_envelope(old).certificates
    again = parent.take_in(CITY, new)
    assert read_envelope(again).body == read_envelope(first).body
    assert read_envelope(again).certificates == parent.line.signatory.certificates
    city.receipted(PARENT, again)
    assert city.waiting_for(PARENT) == []


@pytest.mark.parametrize("step", ["whole", "admit", "take"])
def test_a_parcel_is_taken_in_whole_or_not_at_all(
    city: ParcelDesk, parent: ParcelDesk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The power goes at each step; afterwards the sender begins the manifest again."""

    class Dark(BaseException):
        pass

    def go(*_: object) -> None:
        raise Dark

    _send(city)
    with monkeypatch.context() as patch:
        patch.setattr(parent.inbox if step == "take" else parent.folder, step, go)
        with pytest.raises(Dark):
            post(city, parent)
    assert parent.ready() == []
    assert len(city.waiting_for(PARENT)) == 1
    post(city, parent)
    assert [parcel.manifest.number for parcel in parent.ready()] == [1]


def test_a_parcel_whose_sending_was_cut_off_is_sent_once(
    city: ParcelDesk, parent: ParcelDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dark(BaseException):
        pass

    for step in ("put", "_seal"):

        def go(*_: object) -> None:
            raise Dark

        with monkeypatch.context() as patch:
            patch.setattr(city.folder if step == "put" else city, step, go)
            with pytest.raises(Dark):
                _send(city)
    _send(city)
    assert [sent.manifest.number for sent in city.waiting_for(PARENT)] == [1]


@pytest.mark.parametrize("years", [-50, -3, 40])
def test_a_receiver_whose_clock_runs_wrong_takes_nothing_in_and_loses_nothing(
    years: int, city: ParcelDesk, parent: ParcelDesk
) -> None:
    """Certificates are judged by its clock: it refuses, says nothing against the sender, and goes on once it is set."""
    clock: Any = parent._clock
    made = _send(city)
    clock.micros = NOW + years * 365 * 86_400_000_000
    with pytest.raises(Refused):
        post(city, parent)
    assert parent.ready() == []
    assert parent.inbox.conflicts() == []
    assert findings_in(parent.inbox._engine) == []
    clock.micros = NOW
    post(city, parent)
    assert [parcel.manifest for parcel in parent.ready()] == [made]
    assert city.waiting_for(PARENT) == []


def test_a_sender_whose_clock_runs_wrong_is_told_of_and_paid(city: ParcelDesk, parent: ParcelDesk) -> None:
    """Order is by number: two parcels of a clock that jumped are taken in their order, with a finding each."""
    clock: Any = city._clock
    made = []
    for number, days in enumerate((400, -400)):
        clock.micros = NOW + days * 86_400_000_000
        made.append(_send(city, f"day {number}"))
    clock.micros = NOW
    post(city, parent)
    assert [parcel.manifest for parcel in parent.ready()] == made
    assert {found.code for found in findings_in(parent.inbox._engine)} == {"CLOCK_AHEAD", "CLOCK_BACK"}
