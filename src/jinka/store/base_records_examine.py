"""Is a register of base records what its log says? The chain, the bodies, and what each note proves of the tables."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Iterator, Sequence
from typing import Any

from jinka.identity.base_records import believed, check_notes, proofs
from jinka.keys import AuditReport, Checkpoint
from jinka.kit import Finding, JinkaError, Severity
from jinka.store.base_records_book import Book
from jinka.store.base_records_cases import list_cases
from jinka.store.base_records_credit import entries_of, proof_of

Bodies = Sequence[dict[str, Any]]


def examine_records(book: Book, checkpoints: Sequence[Checkpoint] = ()) -> AuditReport:
    """Every place where log and tables do not agree, as findings."""
    rows = book.log_rows()
    report = check_notes(rows, checkpoints)
    bodies = list(believed(rows))
    found = [
        *report.findings,
        *_statements(book, bodies),
        *_credit(book, bodies),
        *_cases(book, bodies),
        *_consents(book, bodies),
    ]
    if not book.ends_with(report.entries, report.head):
        found.append(_finding("END_CHANGED", "log", "the end that is kept is not that of its last entry"))
    return dataclasses.replace(report, findings=tuple(found))


def _statements(book: Book, bodies: Bodies) -> Iterator[Finding]:
    proven = proofs(bodies)
    for record, said, seq in book.every_statement():
        proof = proven.pop((record, seq), None)
        where = f"record {record} statement {seq}"
        if said is None:
            yield _finding("VALUE_CHANGED", where, "its sealed value does not open, or not under this key")
        elif proof is None:
            yield _finding("NOT_NOTED", where, "the log does not know it")
        elif not hmac.compare_digest(book.proof(record, said), proof):
            yield _finding("STATEMENT_CHANGED", where, "it is not what was written")
    for record, seq in sorted(proven):
        yield _finding("STATEMENT_MISSING", f"record {record} statement {seq}", "it was taken away")


def _credit(book: Book, bodies: Bodies) -> Iterator[Finding]:
    proven = dict[int, bytes]()
    for body in bodies:
        if body["act"] in ("credit.reported", "credit.deleted"):
            facts = body["facts"]
            if body["act"] == "credit.reported":
                proven[facts["entry"]] = bytes.fromhex(facts["proof"])
            for number in facts.get("entries", ()):
                proven.pop(number, None)
    try:
        entries = entries_of(book)
    except (JinkaError, ValueError):
        yield _finding("CREDIT_CHANGED", "credit", "a sealed entry does not open")
        return
    for entry in entries:
        proof = proven.pop(entry.number, b"")
        if not hmac.compare_digest(proof, proof_of(book, entry)):
            yield _finding("CREDIT_CHANGED", f"entry {entry.number}", "it is not what was reported")
    for number in sorted(proven):
        yield _finding("CREDIT_MISSING", f"entry {number}", "it was taken away before its time")


def _cases(book: Book, bodies: Bodies) -> Iterator[Finding]:
    noted: dict[int, list[str]] = {}
    for body in bodies:
        facts = body["facts"]
        if "state" in facts and "proof" in facts:
            noted.setdefault(facts["number"], []).append(facts["proof"])
    try:
        known = {case.number: case for case in list_cases(book)}
    except (JinkaError, ValueError, LookupError):
        yield _finding("CASE_CHANGED", "cases", "a sealed note does not open, or a table's word was changed")
        return
    for number in sorted(noted.keys() | known.keys()):
        acts = known[number].acts if number in known else ()
        proven = [book.case_proof(number, seq, act).hex() for seq, act in enumerate(acts)]
        if proven != noted.get(number, []):
            yield _finding("CASE_CHANGED", f"case {number}", "its acts are not those that were noted")


def _consents(book: Book, bodies: Bodies) -> Iterator[Finding]:
    given, ended = dict[int, str](), set[int]()
    for body in bodies:
        if body["act"] in ("consent.given", "consent.withdrawn"):
            facts = body["facts"]
            if body["act"] == "consent.given":
                given[facts["consent"]] = facts["proof"]
            else:
                ended.add(facts["consent"])
    try:
        found = {one.number: one for one in book.consents(None)}
    except (ValueError, TypeError):
        yield _finding("CONSENT_CHANGED", "consents", "one of them cannot be read")
        return
    for number in sorted(given.keys() | found.keys()):
        one = found.get(number)
        same = one is not None and book.consent_proof(one).hex() == given.get(number)
        if not same or one is None or (one.withdrawn_us is not None) != (number in ended):
            yield _finding("CONSENT_CHANGED", f"consent {number}", "it is not what was noted")


def _finding(code: str, where: str, what: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.ERROR,
        where=where,
        what=what,
        fix="keep the database; compare it with a copy",
    )
