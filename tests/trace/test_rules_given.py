"""Rules and published documents. Goal: nothing that GS1 or OpenEPCIS publish as good is refused by a rule.

Method: all given documents, judged event by event with what their own earlier events say.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jinka.codec.tags import canonical_id
from jinka.kit import Severity
from jinka.trace.rules import Judge, RuleBook
from tests.codec.epcis.given import documents, name, needs_documents, read
from tests.trace.test_choreography import Memory

pytestmark = [pytest.mark.data, needs_documents]
LATE = 2_000_000_000_000_000


@pytest.mark.parametrize("path", documents(".json", ".jsonld", ".xml"), ids=name)
def test_a_published_document_breaks_no_rule_that_refuses(path: Path) -> None:
    events = read(path).events
    judge = Judge(RuleBook(), events, key=canonical_id, now_micros=LATE, states=Memory())
    refused = []
    for event in events:
        refused += [found for found in judge.findings(event) if found.severity is Severity.ERROR]
        judge.accept(event)
    assert refused == []
