"""A bank's files are read or refused. Goal: no file opens, multiplies or exhausts anything; no line is lost quietly.

Method: hostile XML first; then the files in ``data`` (written by hand) and single faults in them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from jinka.kit import Finding, Refused
from jinka.settlement.iso20022 import (
    Answer,
    PaymentReturn,
    Statement,
    StatementKind,
    StatusReport,
    Verdict,
    read_answer,
)
from jinka.settlement.iso20022.xml_read import DEPTH_MAX, read_document
from tests.settlement.iso20022_case import BUS, FEE, LOAD
from tests.shared_data import DATA

HAND_MADE = Path(__file__).parent / "data"
STATUS = (HAND_MADE / "pacs.002.xml").read_bytes()
STATEMENT = (HAND_MADE / "camt.053.xml").read_bytes()
RETURN = (HAND_MADE / "pacs.004.xml").read_bytes()
NOTICE = (HAND_MADE / "camt.054.xml").read_bytes()
BOMB = "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10}">' for n in range(1, 10))


def read(raw: bytes) -> tuple[Sequence[Answer], list[Finding]]:
    return read_answer(raw, where="bank.xml")


def swapped(raw: bytes, old: str, new: str) -> bytes:
    assert raw.count(old.encode()) >= 1
    return raw.replace(old.encode(), new.encode())


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no element"),
        (b"<a>", "no element|not XML"),
        (STATUS[:-3], "not XML"),
        (STATUS + b"<b/>", "not XML"),
        (b"PK\x03\x04\xff\xfe", "not UTF-8"),
        (STATUS.decode().replace("UTF-8", "UTF-16").encode("utf-16"), "not UTF-8"),
        (swapped(STATUS, "UTF-8", "GBK"), "not UTF-8"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "DOCTYPE"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1/evil.dtd"><a/>', "DOCTYPE"),
        (b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1/"> %p;]><a/>', "DOCTYPE"),
        (f'<!DOCTYPE a [<!ENTITY b0 "ha">{BOMB}]><a>&b9;</a>'.encode(), "DOCTYPE"),
        (b"<a>&x;</a>", "not XML"),
        (b'<?xml-stylesheet href="http://127.0.0.1/x.xsl"?><a/>', "processing instruction"),
        (b"<a>" * 100_000, "deeper"),
        (b"<a>" + b"x" * 4_001 + b"</a>", "text of more"),
        (b'<a b="' + b"x" * 4_001 + b'"/>', "attribute of more"),
        (b"<a>x<b/>y</a>", "text between"),
        (b'<a xmlns="urn:one"><b xmlns="urn:two"/></a>', "another namespace"),
        (b"<a/>", "no answer"),
        (swapped(STATUS, "pacs.002.001.11", "pacs.002.001.11\u0665"), "no answer"),
        (swapped(STATUS, "pacs.002.001.11", "pacs.008.001.10"), "no answer"),
        (swapped(STATUS, "pacs.002.001.11", "pacs.004.001.10"), "another message"),
        (swapped(STATUS, "<MsgId>BANK-STS-0001</MsgId>", ""), "no message id"),
        (swapped(STATUS, "2018-09-03T09:00:00+08:00", "yesterday"), "no message id or no time"),
        (swapped(STATEMENT, "4000020100000001", ""), "account"),
    ],
)
def test_hostile_xml_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(Refused, match=says):
        read(raw)


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(Refused, match="larger than 10 bytes"):
        read_document(b"<a>          </a>", where="bank.xml", size_max=10)


def test_depth_up_to_the_limit_and_much_white_space_are_fine() -> None:
    deep = b"<a>" * DEPTH_MAX + b"</a>" * DEPTH_MAX
    assert read_document(deep, where="x").root.name == "a"
    with pytest.raises(Refused, match="deeper"):
        read_document(b"<a>" + deep + b"</a>", where="x")
    wide = b"<a>" + b"\n    <b/>" * 5_000 + b"</a>"
    assert len(read_document(wide, where="x").root.children) == 5_000


@given(st.integers(0, len(STATEMENT) - 1), st.binary(max_size=6), st.integers(0, 40))
def test_a_damaged_statement_is_read_or_refused_and_nothing_else(at: int, put: bytes, cut: int) -> None:
    raw = STATEMENT[:at] + put + STATEMENT[at + cut :]
    with suppress(Refused):
        read(raw)


def test_a_status_report_written_by_hand() -> None:
    [report], findings = read(STATUS)
    assert isinstance(report, StatusReport)
    assert findings == []
    first, second = report.lines
    assert (first.reference, first.status, first.verdict) == (BUS.reference, "ACSC", Verdict.ON_ITS_WAY)
    assert (second.reference, second.verdict, second.reason, second.text) == (
        FEE.reference, Verdict.REJECTED, "AC04", "账户已销户",
    )  # fmt: skip


def test_prefixes_a_byte_order_mark_and_a_schema_location_change_nothing() -> None:
    text = re.sub(r"<(/?)(?=[A-Z])", r"<\1b:", STATUS.decode()).replace("xmlns=", "xmlns:b=")
    place = ' xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="urn:a a.xsd"><b:FIToFI'
    text = text.replace(">\n  <b:FIToFI", place, 1)
    assert place in text
    [found], [expected] = read(b"\xef\xbb\xbf" + text.encode())[0], read(STATUS)[0]
    assert found == replace(expected, lines=found.lines)
    assert [line.reference for line in found.lines] == [BUS.reference, FEE.reference]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("<TxSts>ACSC</TxSts>", "<TxSts>OKAY</TxSts>", "no status that is known"),
        ("<TxSts>ACSC</TxSts>", "", "no status that is known"),
        ("<TxSts>ACSC</TxSts>", "<TxSts>PART</TxSts>", "in part"),
        (f"<OrgnlInstrId>{BUS.reference}", f"<OrgnlInstrId>{FEE.reference}", "contradict"),
        (f"<OrgnlInstrId>{BUS.reference}", "<OrgnlInstrId>" + "x" * 36, "contradict"),
    ],
)
def test_a_line_that_cannot_be_read_is_a_finding_and_the_others_stay(old: str, new: str, says: str) -> None:
    [report], [finding] = read(swapped(STATUS, old, new))
    assert isinstance(report, StatusReport)
    assert [line.reference for line in report.lines] == [FEE.reference]
    assert finding.code == "REPLY_UNREADABLE"
    assert says in finding.what
    assert finding.where == "bank.xml:9"


def test_a_status_of_a_whole_message() -> None:
    raw = swapped(
        STATUS,
        "    <TxInfAndSts>\n      <OrgnlInstrId>",
        "    <OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.10</OrgnlMsgNmId>"
        "<GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>\n    <TxInfAndSts>\n      <OrgnlInstrId>",
    )
    [report], _ = read(raw)
    assert isinstance(report, StatusReport)
    assert (report.lines[0].message, report.lines[0].reference, report.lines[0].verdict) == (
        "M1", "", Verdict.REJECTED,
    )  # fmt: skip


def test_a_return_written_by_hand() -> None:
    [back], findings = read(RETURN)
    assert isinstance(back, PaymentReturn)
    assert findings == []
    [line] = back.lines
    assert (line.reference, line.amount, line.currency, line.reason, line.settled_on) == (
        BUS.reference, 123_456, "CNY", "AC04", "2018-09-04",
    )  # fmt: skip
    [back], [finding] = read(swapped(RETURN, "1234.56", "0.001"))
    assert isinstance(back, PaymentReturn)
    assert (back.lines, "not an amount in CNY" in finding.what) == ((), True)


def test_a_notification_written_by_hand() -> None:
    [notice], findings = read(NOTICE)
    assert isinstance(notice, Statement)
    assert (notice.kind, findings, notice.opening) == (StatementKind.NOTIFICATION, [], None)
    paid, back = notice.lines
    assert (paid.amount, paid.booked, paid.returns) == (-123_456, True, False)
    assert (back.amount, back.booked, back.returns, back.reason) == (123_456, False, True, "AC04")


def test_a_statement_written_by_hand() -> None:
    [statement], findings = read(STATEMENT)
    assert isinstance(statement, Statement)
    assert findings == []
    assert (statement.kind, statement.account, statement.sequence) == (
        StatementKind.STATEMENT, "4000020100000001", 246,
    )  # fmt: skip
    assert (statement.opening, statement.closing, statement.booked_sum) == (10_000_000, 10_770_000, 768_744)
    assert [(line.reference, line.amount, line.booked_on) for line in statement.lines] == [
        (BUS.reference, -123_456, "2018-09-03"),
        (LOAD.reference, 899_900, "2018-09-03"),
        ("TAXI-4711", -7_700, "2018-09-03"),
    ]


ENTRY = '<Amt Ccy="CNY">77.00</Amt>'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (ENTRY, '<Amt Ccy="CNY">77.001</Amt>', "not an amount"),
        (ENTRY, '<Amt Ccy="CNY">-77.00</Amt>', "not an amount"),
        (ENTRY, '<Amt Ccy="CNY">7.7E1</Amt>', "not an amount"),
        (ENTRY, '<Amt Ccy="CNY">٧٧</Amt>', "not an amount"),
        (ENTRY, '<Amt Ccy="XAU">77.00</Amt>', "not a currency"),
        (ENTRY, "<Amt>77.00</Amt>", "not a currency"),
        (ENTRY, "", "missing"),
        (f"{ENTRY}\n        <CdtDbtInd>DBIT", f"{ENTRY}\n        <CdtDbtInd>BOTH", "neither credit"),
        (
            "<BookgDt><Dt>2018-09-03</Dt></BookgDt>\n        <AcctSvcrRef>B-3",
            "<BookgDt><Dt>2018-02-30</Dt></BookgDt><AcctSvcrRef>B-3",
            "not a date",
        ),
        ("TAXI-4711</EndToEndId>", "TAXI-4711</EndToEndId><TxId>OTHER</TxId>", "contradict"),
    ],
)
def test_an_entry_that_cannot_be_read_makes_the_statement_incomplete(old: str, new: str, says: str) -> None:
    [statement], [finding] = read(swapped(STATEMENT, old, new))
    assert isinstance(statement, Statement)
    assert (len(statement.lines), statement.whole) == (2, False)
    assert says in finding.what


def test_what_is_not_booked_moves_nothing() -> None:
    pending = STATEMENT.decode().replace("<Cd>BOOK</Cd>", "<Cd>PDNG</Cd>", 1).encode()
    [statement], _ = read(pending)
    assert isinstance(statement, Statement)
    assert [line.booked for line in statement.lines] == [False, True, True]
    assert statement.booked_sum == 768_744 + BUS.amount


def test_a_batch_is_taken_apart_only_when_it_adds_up() -> None:
    details = '<TxDtls><Refs><EndToEndId>A</EndToEndId></Refs><Amt Ccy="CNY">70.00</Amt></TxDtls>'
    details += '<TxDtls><Refs><EndToEndId>B</EndToEndId></Refs><Amt Ccy="CNY">7.00</Amt></TxDtls>'
    old = STATEMENT.decode().split("<AcctSvcrRef>B-3")[1]
    old = old[old.index("<TxDtls>") : old.index("</NtryDtls>")]
    [statement], findings = read(swapped(STATEMENT, old, details))
    assert isinstance(statement, Statement)
    assert findings == []
    assert [(line.reference, line.amount) for line in statement.lines[2:]] == [("A", -7_000), ("B", -700)]
    [statement], [finding] = read(swapped(STATEMENT, old, details.replace("70.00", "70.01")))
    assert isinstance(statement, Statement)
    assert (finding.code, statement.lines[2].reference) == ("ENTRY_DOES_NOT_ADD_UP", "")
    assert statement.booked_sum == 768_744


def test_a_page_of_several_is_no_whole_statement() -> None:
    page = "<Id>0903</Id><StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>"
    [statement], [finding] = read(swapped(STATEMENT, "<Id>0903</Id>", page))
    assert isinstance(statement, Statement)
    assert (statement.whole, finding.code) == (False, "STATEMENT_IN_PAGES")


@pytest.mark.data
@pytest.mark.skipif(
    not (DATA / "iso20022").is_dir(), reason="shared data folder absent: iso20022 is not at JINKA_DATA"
)
@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("pacs.002.001.11", STATUS),
        ("pacs.004.001.10", RETURN),
        ("camt.053.001.08", STATEMENT),
        ("camt.054.001.08", NOTICE),
    ],
)
def test_the_files_made_by_hand_are_what_the_schemas_ask_for(name: str, raw: bytes) -> None:
    etree.XMLSchema(etree.parse(DATA / "iso20022" / f"{name}.xsd")).assertValid(etree.fromstring(raw))
