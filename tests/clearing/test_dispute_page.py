"""The page about disputes is what the tables say. Method: its tables are made again and compared."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("make_dispute_docs", ROOT / "scripts" / "make_dispute_docs.py")
assert _SPEC is not None
assert _SPEC.loader is not None
make_dispute_docs = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make_dispute_docs)


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    written, mark, made = make_dispute_docs.PAGE.read_text(encoding="utf-8").partition(make_dispute_docs.MARK)
    assert mark
    assert made.strip() == make_dispute_docs.tables().strip(), "run scripts/make_dispute_docs.py"
    assert made.count("stateDiagram-v2") == 6
    assert "stateDiagram" not in written
