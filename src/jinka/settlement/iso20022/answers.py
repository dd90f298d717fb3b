"""Which message a bank's file is, by its namespace, and the right reader for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jinka.kit import Finding, Refused
from jinka.settlement.iso20022.replies import (
    PaymentReturn,
    StatusReport,
    read_payment_return,
    read_status_report,
)
from jinka.settlement.iso20022.statements import Statement, StatementKind, read_statements
from jinka.settlement.iso20022.xml_read import read_document

Answer = StatusReport | PaymentReturn | Statement
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.[0-9]{3})\.001\.[0-9]{2}", re.ASCII)


def read_answer(raw: bytes, *, where: str) -> tuple[Sequence[Answer], list[Finding]]:
    """What a bank's file says; raises `Refused` for hostile or broken XML and for a message of another kind.

    Versions of a message differ in what is not read here, so any version is taken; the schemas that the tests hold are
    pacs.002.001.11, pacs.004.001.10, camt.053.001.08 and camt.054.001.08.
    """
    document = read_document(raw, where=where)
    found = _NAMESPACE.fullmatch(document.namespace)
    match found[1] if found else "":
        case "pacs.002":
            report, findings = read_status_report(document, where=where)
            return [report], findings
        case "pacs.004":
            back, findings = read_payment_return(document, where=where)
            return [back], findings
        case "camt.053":
            return read_statements(document, StatementKind.STATEMENT, where=where)
        case "camt.054":
            return read_statements(document, StatementKind.NOTIFICATION, where=where)
    raise Refused(
        f"no answer that is read here: {document.namespace[:80]!r}",
        where=where,
        fix="pacs.002, pacs.004, camt.053 or camt.054 of ISO 20022",
    )
