"""Manifests, receipts and envelopes. Goal: one value has one form of bytes, and everything else is refused by name.

Method: hostile bytes first, each aimed at one member; then values of all kinds go through and back.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.codec.parcel import (
    ENVELOPE_MAX,
    FILE_BYTES_MAX,
    FILES_MAX,
    FIRST,
    Envelope,
    FileEntry,
    Kind,
    Manifest,
    Receipt,
    read_envelope,
    read_manifest,
    read_receipt,
)
from jinka.kit import Usage
from tests.parcels import CITY, NOW, PARENT, entry, manifest

RECEIPT = Receipt(
    sender=CITY, receiver=PARENT, kind=Kind.LISTS, number=4, manifest=bytes(range(32)), taken_micros=NOW
)


def _changed(change: Callable[[dict[str, Any]], object], body: bytes = b"") -> bytes:
    found = json.loads(body or manifest().to_bytes())
    change(found)
    return json.dumps(found, sort_keys=True, separators=(",", ":")).encode()


def _file(**more: Any) -> Callable[[dict[str, Any]], object]:
    return lambda found: found["files"][0].update(more)


NAMES = [
    "../records.parquet", "/etc/passwd", "a/b.parquet", "a\\b.parquet", ".parquet", "..parquet", "records.csv",
    "records.parquet/..", "a" * 49 + ".parquet", "Records.parquet", "r\u00e9.parquet", "a\0.parquet", "a .parquet", "",
    "-x.parquet", "records.parquet\n",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_never_leads_anywhere(name: str) -> None:
    with pytest.raises(Usage) as caught:
        read_manifest(_changed(_file(name=name)))
    assert caught.value.where == "manifest.files[0].name"
    with pytest.raises(Usage):
        entry(name=name)


WRONG: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("an unknown member", lambda m: m.update(more=1), "manifest.more"),
    ("an unknown member of a file", _file(path="x"), "manifest.files[0].path"),
    ("another format", lambda m: m.update(format="jinka.parcel/2"), "manifest.format"),
    ("no format", lambda m: m.pop("format"), "manifest.format"),
    ("a receipt's format", lambda m: m.update(format="jinka.parcel.receipt/1"), "manifest.format"),
    ("no number", lambda m: m.pop("number"), "manifest.number"),
    ("number zero", lambda m: m.update(number=0), "manifest.number"),
    ("a number below zero", lambda m: m.update(number=-1), "manifest.number"),
    ("an absurd number", lambda m: m.update(number=10**9 + 1), "manifest.number"),
    ("a number as text", lambda m: m.update(number="1"), "manifest.number"),
    ("a fraction", lambda m: m.update(number=1.0), "manifest.number"),
    ("a truth", lambda m: m.update(number=True), "manifest.number"),
    ("nothing", lambda m: m.update(number=None), "manifest.number"),
    ("an unknown kind", lambda m: m.update(kind="RECORDS"), "manifest.kind"),
    ("a date in another form", lambda m: m.update(business_date="20260601"), "manifest"),
    ("a day that is none", lambda m: m.update(business_date="2026-02-30"), "manifest.business_date"),
    ("no files", lambda m: m.update(files=[]), "manifest.files"),
    ("too many files", lambda m: m.update(files=m["files"] * (FILES_MAX + 1)), "manifest.files"),
    ("a file that is none", lambda m: m.update(files=[1]), "manifest.files[0]"),
    ("one name twice", lambda m: m.update(files=m["files"] * 2, count=6), "manifest.files"),
    ("files as an object", lambda m: m.update(files={}), "manifest.files"),
    ("an absurd size", _file(size=FILE_BYTES_MAX + 1), "manifest.files[0].size"),
    ("a size below zero", _file(size=-1), "manifest.files[0].size"),
    ("absurd rows", _file(rows=10**9), "manifest.files[0].rows"),
    ("a short hash", _file(sha256="00"), "manifest.files[0].sha256"),
    ("a hash in capitals", _file(sha256="AB" * 32), "manifest.files[0].sha256"),
    ("a schema without a version", _file(schema="jinka.record"), "manifest.files[0].schema"),
    ("a count that is no sum", lambda m: m.update(count=4), "manifest.count"),
    ("an amount of 64 bits", lambda m: m.update(amount_fen=2**63), "manifest.amount_fen"),
    ("a sender that is a path", lambda m: m.update(sender="../440300"), "manifest.sender"),
    ("a sender that is empty", lambda m: m.update(sender=""), "manifest.sender"),
    ("a sender to itself", lambda m: m.update(receiver=CITY), "manifest.receiver"),
    ("a first one behind another", lambda m: m.update(previous="01" * 32), "manifest.previous"),
    ("a second one behind none", lambda m: m.update(number=2), "manifest.previous"),
    ("a time before all", lambda m: m.update(made_micros=-1), "manifest.made_micros"),
    ("a time after all", lambda m: m.update(made_micros=10**18), "manifest.made_micros"),
]


@pytest.mark.parametrize(("change", "where"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_refused_at_its_place(
    change: Callable[[dict[str, Any]], object], where: str
) -> None:
    with pytest.raises(Usage) as caught:
        read_manifest(_changed(change))
    assert caught.value.where == where


GOOD = manifest().to_bytes()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        GOOD[:-1],
        GOOD + b"\n",
        b" " + GOOD,
        GOOD.replace(b":", b": "),
        GOOD.replace(b'"number":1', b'"number":1,"number":1'),
        GOOD.replace(b'"number":1', b'"number":2,"number":1'),
        GOOD.replace(b'"number":1', b'"number":1e0'),
        GOOD.replace(b'"number":1', b'"number":NaN'),
        GOOD.replace(b'"number":1', b'"number":' + b"9" * 5000),
        GOOD.replace(b"records.parquet", b"recor\\u0064s.parquet"),
        GOOD.replace(b"records.parquet", "r\u00e9cords.parquet".encode()),
        b"\xef\xbb\xbf" + GOOD,
        GOOD.decode().encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        GOOD + b" " * ENVELOPE_MAX,
        RECEIPT.to_bytes(),
    ],
    ids=lambda raw: raw[:24].decode("latin-1") + f"~{len(raw)}",
)
def test_a_value_has_one_form_of_bytes(raw: bytes) -> None:
    with pytest.raises(Usage):
        read_manifest(raw)


def test_the_digest_is_what_anybody_computes() -> None:
    other = json.dumps(json.loads(GOOD), sort_keys=True, separators=(",", ":")).encode()
    assert manifest().digest == hashlib.sha256(other).digest()
    assert len({manifest().digest, manifest(2).digest, manifest(amount_fen=751).digest}) == 3


_codes = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}", fullmatch=True)
_hashes = st.binary(min_size=32, max_size=32)
_entries = st.builds(
    FileEntry,
    name=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,47}\.parquet", fullmatch=True),
    size=st.integers(0, FILE_BYTES_MAX),
    rows=st.integers(0, 1000),
    sha256=_hashes,
    schema=st.from_regex(r"[a-z][a-z0-9_.-]{0,47}/[1-9][0-9]{0,3}", fullmatch=True),
)


@settings(max_examples=40)
@given(
    parties=st.lists(_codes, min_size=2, max_size=2, unique=True),
    kind=st.sampled_from(Kind),
    number=st.integers(2, 10**9),
    date=st.dates(dt.date(2000, 1, 1)),
    files=st.lists(_entries, min_size=1, max_size=FILES_MAX, unique_by=lambda one: one.name),
    amount=st.integers(-(2**63) + 1, 2**63 - 1),
    previous=_hashes.filter(lambda found: found != FIRST),
)
def test_every_manifest_goes_through_and_back(
    parties: list[str],
    kind: Kind,
    number: int,
    date: dt.date,
    files: list[FileEntry],
    amount: int,
    previous: bytes,
) -> None:
    value = Manifest(
        sender=parties[0], receiver=parties[1], kind=kind, number=number, business_date=date,
        files=tuple(files), count=sum(one.rows for one in files), amount_fen=amount, previous=previous,
        made_micros=NOW,
    )  # fmt: skip
    assert read_manifest(value.to_bytes()) == value


@settings(max_examples=40)
@given(st.binary(max_size=300), st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4))
def test_an_envelope_goes_through_and_back(body: bytes, certificates: list[bytes]) -> None:
    value = Envelope(body=body + b"x", certificates=tuple(certificates), signature=b"sig")
    assert read_envelope(value.to_bytes()) == value


def test_a_receipt_goes_through_and_back() -> None:
    assert read_receipt(RECEIPT.to_bytes()) == RECEIPT
    for change in (
        lambda m: m.update(more=1),
        lambda m: m.update(number=0),
        lambda m: m.update(manifest="00"),
        lambda m: m.update(taken_micros=-1),
        lambda m: m.update(format="jinka.parcel/1"),
    ):
        with pytest.raises(Usage):
            read_receipt(_changed(change, RECEIPT.to_bytes()))
    with pytest.raises(Usage):
        replace(RECEIPT, manifest=b"short")


def test_an_envelope_is_as_strict() -> None:
    good = Envelope(body=b"abcd", certificates=(b"c",), signature=b"s").to_bytes()
    loose = base64.b64encode(b"abcd").decode().rstrip("=")
    for change in (
        lambda m: m.update(more=1),
        lambda m: m.update(body=loose),
        lambda m: m.update(body=m["body"][:-3] + "R=="),  # other unused bits, the same bytes
        lambda m: m.update(body="YWJj ZA=="),
        lambda m: m.update(body=""),
        lambda m: m.update(certificates=[]),
        lambda m: m.update(certificates=["Yw=="] * 5),
        lambda m: m.update(certificates=[1]),
        lambda m: m.update(signature=None),
    ):
        with pytest.raises(Usage):
            read_envelope(_changed(change, good))
