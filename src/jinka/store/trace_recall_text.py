"""The acts and causes of recalls as JSON, and back. Amounts are decimal text."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from jinka.trace.recall import (
    Act,
    Cause,
    CauseKind,
    Fate,
    HolderScope,
    Line,
    Outcome,
    RecallEvent,
    Scope,
)


def cause_text(cause: Cause) -> str:
    facts = {
        "kind": cause.kind.value[0], "names": list(cause.names), "since_us": cause.since_us,
        "until_us": cause.until_us, "hazard": cause.hazard,
    }  # fmt: skip
    return json.dumps(facts, ensure_ascii=False)


def cause_of(text: str) -> Cause:
    facts = json.loads(text)
    word = facts.pop("kind")
    kind = next(each for each in CauseKind if each.value[0] == word)
    return Cause(kind=kind, names=tuple(facts.pop("names")), **facts)


def act_text(act: Act) -> str:
    """What an act says beside its time and who did it."""
    facts: dict[str, Any] = {}
    if act.holder:
        facts["holder"] = act.holder
    if act.reason:
        facts["reason"] = act.reason
    if act.scope is not None:
        facts["scope"] = _scope_facts(act.scope)
    if act.outcomes:
        facts["outcomes"] = [[o.subject, o.fate.value[0], str(o.amount)] for o in act.outcomes]
    return json.dumps(facts, ensure_ascii=False)


def act_of(event: str, at_us: int, by: str, body: str) -> Act:
    facts = json.loads(body)
    fates = {fate.value[0]: fate for fate in Fate}
    return Act(
        event=RecallEvent[event], at_us=at_us, by=by, holder=facts.get("holder", ""), reason=facts.get("reason", ""),
        scope=_scope_of(facts["scope"]) if "scope" in facts else None,
        outcomes=tuple(
            Outcome(subject=subject, fate=fates[fate], amount=Decimal(amount))
            for subject, fate, amount in facts.get("outcomes", ())
        ),
    )  # fmt: skip


def _scope_facts(scope: Scope) -> dict[str, Any]:
    return {
        "as_of_us": scope.as_of_us, "digest": scope.digest, "things": scope.things, "limits": list(scope.limits),
        "unplaced": scope.unplaced, "foreign": [list(each) for each in scope.foreign],
        "holders": [
            {
                "holder": each.holder,
                "lines": [[line.subject, str(line.amount), line.uom] for line in each.lines],
                "standings": dict(each.standings),
                "digest": each.digest,
            }
            for each in scope.holders
        ],
    }  # fmt: skip


def _scope_of(facts: dict[str, Any]) -> Scope:
    holders = tuple(
        HolderScope(
            holder=each["holder"],
            lines=tuple(Line(subject=s, amount=Decimal(a), uom=u) for s, a, u in each["lines"]),
            standings=each["standings"],
            digest=each.get("digest", ""),
        )
        for each in facts["holders"]
    )
    return Scope(
        as_of_us=facts["as_of_us"], digest=facts["digest"], things=facts["things"], holders=holders,
        limits=tuple(facts["limits"]), unplaced=facts["unplaced"],
        foreign=tuple((lot, uom) for lot, uom in facts.get("foreign", ())),
    )  # fmt: skip
