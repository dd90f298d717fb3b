"""Rules on top of the schema: what a document may say by its grammar and yet cannot be so.

GS1 EPCIS 2.0, 7.3 and 7.4, CBV 2.0, 7. GS1's schemas pass words that no vocabulary has, counts that are none and events
that name nothing. Each rule stands in `RULES` with its words and with what it leads to: the event is refused, or taken
with a finding. An operator may decide otherwise for each (`RuleBook`). A finding points into the event (RFC 6901).

What comes without a time zone or as a bare word without meaning never gets here: `jinka.codec.epcis` refuses it. What
may happen after what is in `jinka.trace.choreography`; what a recall holds back and what is past its date come from
outside (`Gate`). All speak through this table. Dates of expiry stand in other events, which have to be read for each
sale: EXPIRED is off unless the operator wants it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from jinka.codec.epcis import Event
from jinka.kit import Finding, Severity, Usage
from jinka.trace.checks import CHECKS, check_time
from jinka.trace.choreography import Choreography, Contradiction, ItemStates, Key

REFUSE, FINDING, OFF = Severity.ERROR, Severity.WARNING, None
_WORDS: dict[str, Severity | None] = {"refuse": REFUSE, "finding": FINDING, "off": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``clause``: of EPCIS 2.0 unless it says CBV. ``severity`` None: off unless the operator wants it."""

    code: str
    english: str
    chinese: str
    severity: Severity | None
    clause: str


def _rules(severity: Severity | None, *rows: tuple[str, str, str, str]) -> list[Rule]:
    return [Rule(code=c, english=e, chinese=z, severity=severity, clause=n) for c, e, z, n in rows]


_ALL = [
    *_rules(
        REFUSE,
        ("ZONE", "no time zone that there is", "不存在的时区", "7.4.1"),
        ("FALSE_COUNT", "a quantity that cannot be one", "不可能的数量", "7.3.3.3"),
        ("NOTHING_NAMED", "it names no thing", "未指明任何物品", "7.4.2"),
        ("NO_PARENT", "it says not of which parent", "缺少父级标识", "7.4.3"),
        ("NO_CHILD", "it puts nothing into the parent", "未指明装入的物品", "7.4.3"),
        ("OWN_PARENT", "a thing inside itself", "物品包含自身", "7.4.3"),
        ("HALF_MADE", "no input, or no output", "缺少投入或产出", "7.4.5"),
        ("SET_AND_UNSET", "one disposition set and unset", "同一状态既设置又取消", "7.3.5"),
        ("OWN_CORRECTION", "it is its own correction", "以自身更正自身", "7.4.1.4"),
        ("QUARANTINED", "a recall holds it back", "该物品已被召回隔离", "CBV 7.2"),
    ),
    *_rules(
        FINDING,
        ("UNKNOWN_WORD", "a word that the vocabulary does not have", "词汇表中没有的词", "CBV 7"),
        ("TIME_AHEAD", "it happens later than now", "事件时间晚于当前时间", "7.4.1"),
        ("LISTED_TWICE", "one thing twice in a list", "同一物品重复列出", "7.4"),
        ("CLASS_AS_ITEM", "a class where an instance belongs", "应为单品标识，却为类别标识", "7.3.3.1"),
        ("ITEM_AS_CLASS", "an instance where a class belongs", "应为类别标识，却为单品标识", "7.3.3.3"),
        ("UNIT", "no unit of UN/CEFACT Recommendation 20", "非 UN/CEFACT 第 20 号建议书的计量单位", "7.3.3.3"),
        ("ILMD_NOT_BORN", "master data of a thing that begins earlier", "非首次创建却带批次主数据", "7.3.6"),
        ("SENSOR_TIME", "a measurement that ends before it begins", "测量结束早于开始", "7.3.7.1"),
        ("SENSOR_RANGE", "statistics that contradict one another", "传感器统计值相互矛盾", "7.3.7.2"),
        ("AFTER_END", "seen after its end", "销毁或注销之后仍被观察", "7.3.2"),
        ("AFTER_USE", "seen after it was used up", "被加工用尽之后仍出现", "7.4.5"),
        ("BEFORE_BIRTH", "seen before its beginning", "赋码之前已被观察", "7.3.2"),
        ("BORN_TWICE", "begun twice", "重复赋码", "7.3.2"),
        ("SHIPPED_TWICE", "shipped twice with no receipt between", "未经收货重复发货", "CBV 7.1"),
        ("UNPACKED_NOT_PACKED", "taken out of where it was not", "从未装入却被取出", "7.4.3"),
        ("PACKED_ELSEWHERE", "packed while it was packed elsewhere", "仍在其他包装中即被装入", "7.4.3"),
        ("SOLD_TWICE", "sold or given again without having come back", "未经退回，重复售出或使用", "CBV 7.1"),
        ("HELD", "set aside for review, and not cleared", "扣留待检，尚未放行", "CBV 7.1"),
    ),
    *_rules(OFF, ("EXPIRED", "sold or used after its date of expiry", "超过保质期（有效期）", "CBV 9.3")),
]  # fmt: skip
RULES: Mapping[str, Rule] = {rule.code: rule for rule in _ALL}
# What these say stands in other events, perhaps of others.
_OF_OTHERS = frozenset(
    {
        "AFTER_END", "AFTER_USE", "BEFORE_BIRTH", "BORN_TWICE", "SHIPPED_TWICE", "UNPACKED_NOT_PACKED",
        "PACKED_ELSEWHERE", "SOLD_TWICE", "HELD", "EXPIRED",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """What each rule leads to with this operator; ``choices`` says it where it is not what `RULES` says.

    ``terse``: who captures may not know what others captured, so of what is known of a thing only the rule is told.
    """

    choices: Mapping[str, Severity | None] = field(default_factory=dict)
    ahead_s: int = 300  # clocks differ
    terse: bool = False

    @classmethod
    def read(cls, choices: Mapping[str, str]) -> RuleBook:
        """From ``{"AFTER_END": "refuse"}``; the words are refuse, finding, off. `Usage` names what is none."""
        for code, word in choices.items():
            if code not in RULES:
                raise Usage("no such rule", where=f"rules.{code}", fix=f"one of {', '.join(RULES)}")
            if word not in _WORDS:
                raise Usage(f"{word!r}", where=f"rules.{code}", fix=f"one of {', '.join(_WORDS)}")
        return cls(choices={code: _WORDS[word] for code, word in choices.items()})

    def severity(self, code: str) -> Severity | None:
        """None: the rule is off."""
        return self.choices[code] if code in self.choices else RULES[code].severity


# A recall's says what of an event it holds back, as QUARANTINED; that of dates what is EXPIRED.
Gate = Callable[[Event], Iterable[Contradiction]]


class Judge:
    """Judges the events of one document, one after another. Whoever keeps an event says so (`accept`)."""

    def __init__(
        self,
        book: RuleBook,
        events: Iterable[Event],
        *,
        key: Key,
        now_micros: int,
        states: ItemStates | None = None,
        gates: Iterable[Gate] = (),
    ) -> None:
        """``states`` None: choreography is not judged; ``gates``: what else looks at each event."""
        self._book, self._key, self._gates = book, key, tuple(gates)
        self._latest_us = now_micros + book.ahead_s * 1_000_000
        self._play = Choreography(states, events, key) if states is not None else None

    def findings(self, event: Event) -> list[Finding]:
        """Everything that is wrong with it. An `ERROR` among them: it is not to be kept."""
        found: list[Contradiction] = []
        check_time(event, self._latest_us, found)
        for check in CHECKS:
            check(event, self._key, found)
        if event.error is None:
            if self._play is not None:
                found += self._play.judge(event)
            for gate in self._gates:
                found += gate(event)
        return self._as_findings(found) if found else []

    def accept(self, event: Event) -> None:
        """It is kept: what comes after it in the document is held against it."""
        if self._play is not None:
            self._play.accept(event)

    def _as_findings(self, found: Iterable[Contradiction]) -> list[Finding]:
        made = []
        for code, where, what in found:
            severity = self._book.severity(code)
            if severity is not None:
                tell = what and not (self._book.terse and code in _OF_OTHERS)
                text = f"{RULES[code].english}: {what}" if tell else RULES[code].english
                made.append(Finding(code=code, severity=severity, where=where, what=text))
        return made
