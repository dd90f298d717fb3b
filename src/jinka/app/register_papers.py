"""What an officer types and hands in for a grant: scope, quantity, fees, and documents, of which digests are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from jinka.kit import NotFound, Usage
from jinka.node import file_errors
from jinka.registry import RULE_SETS, Fees, RuleSet, Terms

DOCUMENT_MAX = 256 * 1024 * 1024
_RULES_MAX = 256 * 1024
_FEES = "RULE,COST_FEN,NEW_FEN,AGAIN_FEN, and the kind of card where the rule asks for it"


def terms_of(scope: Sequence[str], quantity: int, fees: str) -> Terms | None:
    """The terms that were typed; None when nothing was."""
    if not scope:
        if quantity or fees:
            raise Usage(
                "a grant without a scope", where="--scope", fix="say what it covers: --scope item=card"
            )
        return None
    found: dict[str, list[str]] = {}
    for text in scope:
        name, equals, values = text.partition("=")
        if not equals or name in found:
            raise Usage(f"{text!r} is no scope", where="--scope", fix="NAME=VALUE,VALUE, each name once")
        found[name] = values.split(",")
    return Terms.of(found, quantity=quantity or None, fees=_fees(fees) if fees else None)


def _fees(text: str) -> Fees:
    rule, *amounts = text.split(",")
    if len(amounts) not in (3, 4) or not all(part.isascii() and part.isdigit() for part in amounts[:3]):
        raise Usage(f"{text!r} are no fees", where="--fees", fix=_FEES)
    cost, new, again = (int(part) for part in amounts[:3])
    card = amounts[3] if len(amounts) == 4 else ""
    return Fees(rule=rule, cost_fen=cost, new_fen=new, again_fen=again, card=card)


def digests(papers: Sequence[Path]) -> tuple[str, ...]:
    """The SHA-256 of each document."""
    found = []
    for path in papers:
        if not path.is_file():
            raise NotFound("no such document", where=str(path), fix="name a file")
        with file_errors(path), path.open("rb") as file:
            if path.stat().st_size > DOCUMENT_MAX:
                raise Usage("too large for a document", where=str(path), fix=f"at most {DOCUMENT_MAX} bytes")
            found.append(hashlib.file_digest(file, "sha256").hexdigest())
    return tuple(found)


def rules_named(text: str) -> RuleSet:
    """Rules by their name, or from a JSON file; raises `Usage`."""
    if text in RULE_SETS:
        return RULE_SETS[text]
    path = Path(text)
    if not path.is_file():
        known = ", ".join(RULE_SETS)
        raise Usage(f"no rules {text!r}", where="--rules", fix=f"one of {known}, or a JSON file")
    with file_errors(path):
        raw = path.read_bytes()[: _RULES_MAX + 1]
    if len(raw) > _RULES_MAX:
        raise Usage("too large for rules", where=text, fix=f"at most {_RULES_MAX} bytes")
    try:
        return RuleSet.from_text(raw.decode())
    except UnicodeDecodeError:
        raise Usage("not UTF-8", where=text, fix="save it as UTF-8") from None
