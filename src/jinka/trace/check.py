"""What somebody is told who checks the code of a thing in his hand: what the records say, and apart what it may mean.

Records prove that events of this code were reported. They do not prove that the thing in the hand is the one of the
events: whoever copies a thing copies its code. So there is no answer "genuine"; there are records, contradictions in
them, and guesses that are called so. Partners of the chain are not told to the public.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from jinka.trace.counterfeit import Suspicion, suspicions_of
from jinka.trace.lineage import ENDS, NodeSort, Step, sort_of
from jinka.trace.provenance import Sight
from jinka.trace.tag_chips import ChipMismatch


class Verdict(Enum):
    """The one sentence on top: (value, Chinese, English, whether it warns)."""

    RECALLED = (
        "recalled",
        "该产品正在召回，请勿使用。",
        "This product is being recalled. Do not use it.",
        True,
    )
    CONTRADICTED = (
        "contradicted", "该编码的记录自相矛盾：编码可能已被复制，也可能有记录不实。",
        "The records of this code contradict one another: it may have been copied, or a record is false.", True,
    )  # fmt: skip
    NEVER_MADE = (
        "never made", "同类产品均有记录，但没有此编码的记录。",
        "Others of its kind are recorded, this code is not.", True,
    )  # fmt: skip
    UNKNOWN = ("unknown", "没有此编码的任何记录。", "Nothing is recorded of this code.", False)
    SOLD = ("sold", "记录显示该产品已售出。", "By the records it was sold.", False)
    KNOWN = (
        "known",
        "记录中有此编码，未发现矛盾。",
        "The records know this code and agree with one another.",
        False,
    )

    @property
    def warns(self) -> bool:
        return self.value[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFacts:
    """What a store found; ``chips`` is what a reader adds that saw the code's chip."""

    name: str
    known: bool
    kind_is_recorded: bool
    born: bool = False
    lots: tuple[str, ...] = ()
    sights: tuple[Sight, ...] = ()
    recalls: tuple[int, ...] = ()
    checks_us: tuple[int, ...] = ()
    places: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    chips: tuple[ChipMismatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """``since_us`` and ``ended_us``: its first and its last event, None where there is none."""

    name: str
    verdict: Verdict
    lots: tuple[str, ...]
    since_us: int | None
    seen_us: int | None
    ended_us: int | None
    ended: Step
    events: int
    recalls: tuple[int, ...]
    checks: int
    contradictions: tuple[Suspicion, ...]
    guesses: tuple[Suspicion, ...]


def answer_check(facts: CheckFacts) -> CheckAnswer:
    """The answer. A recall goes before all else, a contradiction before a sale."""
    many = sort_of(facts.name) in (NodeSort.LOT, NodeSort.CLASS)  # may be everywhere at once
    found = suspicions_of(
        () if many else facts.sights, born=facts.born or (many and facts.known),
        kind_is_recorded=facts.kind_is_recorded, places=facts.places,
        checks_us=facts.checks_us, chips=facts.chips,
    )  # fmt: skip
    contradictions = tuple(each for each in found if each.sign.contradiction)
    end = next((sight for sight in facts.sights if sight.step in ENDS and not sight.inside), None)
    if facts.recalls:
        verdict = Verdict.RECALLED
    elif contradictions:
        verdict = Verdict.CONTRADICTED
    elif not facts.known:
        verdict = Verdict.NEVER_MADE if facts.kind_is_recorded else Verdict.UNKNOWN
    else:
        verdict = Verdict.SOLD if end is not None else Verdict.KNOWN
    return CheckAnswer(
        name=facts.name, verdict=verdict, lots=facts.lots,
        since_us=facts.sights[0].at_us if facts.sights else None,
        seen_us=facts.sights[-1].at_us if facts.sights else None,
        ended_us=end.at_us if end else None, ended=end.step if end else Step.NONE, events=len(facts.sights),
        recalls=facts.recalls, checks=len(facts.checks_us), contradictions=contradictions,
        guesses=tuple(each for each in found if not each.sign.contradiction),
    )  # fmt: skip
