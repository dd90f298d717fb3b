"""Plays the questions to what was captured: where from, where to, recalls and their answers, checks, conditions.

Answers come from the repository's own index: walks (`jinka.app.trace_lineage`), the recall desk
(`jinka.app.trace_recall`), checks of codes (`jinka.trace.check`) and limits (`jinka.trace.conditions`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import groupby

from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_remembered import remember
from jinka.app.sector_trace import VOC, at_time, play_observed
from jinka.app.sector_trace_world import Repository, amount_text, code_number, repository
from jinka.app.sector_world import ZONE, StepFailed, World
from jinka.app.trace_conditions import held_to
from jinka.app.trace_lineage import follow
from jinka.app.trace_recall import Plan
from jinka.codec.tags.tid import parse_tid
from jinka.declaration import Counted
from jinka.declaration.steps_trace import (
    AnswerRecall,
    CheckItem,
    CloseRecall,
    Conditions,
    Observed,
    Recall,
    TraceBack,
    TraceForward,
)
from jinka.declaration.trace import KeptWithin
from jinka.kit import NotFound, Refused, Usage, utc_micros
from jinka.reports.day import Text
from jinka.store.trace_expiry import expiry_dates
from jinka.trace.check import answer_check
from jinka.trace.conditions import MINUTE_US, Limit
from jinka.trace.lineage import NodeSort
from jinka.trace.recall import (
    ITEMS,
    MORE_OF,
    SAID_ITEMS,
    SOLD_ITEMS,
    SOLD_OF,
    Fate,
    HolderScope,
    Line,
    NoticeState,
    RecallEvent,
)
from jinka.trace.tag_chips import ChipMismatch

DRAFTS, APPROVES = "officer 1", "officer 2"
_ONE = re.compile(r"^1 item\b")
_OUTCOME = re.compile(r"(?P<amount>[0-9]+(?:\.[0-9]+)?) (?P<line>.+) (?P<fate>[a-z]+)")


# Where from, where to


def play_back(step: TraceBack, world: World) -> Text:
    return _followed(step, world, forward=False)


def play_forward(step: TraceForward, world: World) -> Text:
    return _followed(step, world, forward=True)


def _followed(step: TraceBack | TraceForward, world: World, *, forward: bool) -> Text:
    here = repository(world)
    asked, wanted = here.named(step.what), set(here.named(step.reaches).ids)
    with here.links() as links:
        graph = follow(links, asked.ids, forward=forward).graph
    reached = {
        node.name
        for node in graph.nodes
        if not node.seed and not node.context and node.sort is not NodeSort.TRANSFORMATION
    }
    _require(here, reached, wanted, step.what)
    breaks = {each.kind.name for each in graph.breaks}
    if breaks != set(step.breaks):
        raise StepFailed(f"the chain is broken as {_list(breaks)}, not {_list(step.breaks)}", where=step.what)
    places: tuple[str, ...] = ()
    for sights in graph.journeys.values():
        seen = (here.place_of(graph.names.get(sight.place, "")) for sight in sights)
        places = (*places, *(place for place, _ in groupby(filter(None, seen))))
    if step.places and places != step.places:
        raise StepFailed(f"it was at {_list(places)}, not {_list(step.places)}", where=step.what)
    world.count(
        Counted.EVENT, step="traced forward" if forward else "traced back", item=asked.classes[0].name
    )
    found = here.named(step.reaches).text
    at_en = ", ".join(here.place_text(place).en for place in places)
    at_zh = "、".join(here.place_text(place).zh for place in places)
    went_en, went_zh = ("went into", "流向") if forward else ("comes from", "来源")
    return Text(
        f"{asked.text.en} {went_en}: {found.en or 'nothing else'}"
        + (f"; it was at {at_en}" if at_en else ""),
        f"{asked.text.zh}{went_zh}：{found.zh or '无其他'}" + (f"；经{at_zh}" if at_zh else ""),
    )


def _require(here: Repository, found: set[str], wanted: set[str], where: str) -> None:
    if found != wanted:
        more, less = sorted(map(here.shown, found - wanted)), sorted(map(here.shown, wanted - found))
        raise StepFailed(f"not reached: {_list(less)}; reached besides: {_list(more)}", where=where)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


# Recalls


def play_recall(step: Recall, world: World) -> Text:
    here = repository(world)
    if step.kind == "place":
        names = [here.trace.place(name.strip()).location for name in step.what.split(",")]
    elif step.kind == "device":
        names = [name.strip() for name in step.what.split(",")]
    else:
        named = here.named(step.what)
        names = [*named.epcs, *(each.epc_class for each in named.quantities)]
    plan = Plan(
        title=step.title_en, grade=step.grade, kind=step.kind, names=names, hazard=step.hazard, drill=step.drill,
        since_us=utc_micros(at_time(world, step.since), ZONE) if step.since else None,
        until_us=utc_micros(at_time(world, step.until), ZONE) if step.until else None,
    )  # fmt: skip
    drafted = here.desk.draft(plan, by=DRAFTS)
    here.recalls[step.name] = drafted.number
    assert drafted.scope is not None, "a draft has a scope"
    found = {_holder(here, scope): _lines(here, scope) for scope in drafted.scope.holders}
    wanted = {name: set(_parts(text)) for name, text in step.holders.items()}
    if found != wanted:
        told = "; ".join(f"{name}: {', '.join(sorted(lines))}" for name, lines in found.items())
        raise StepFailed(f"it concerns {told or 'nobody'}", where=step.name)
    here.desk.act(drafted.number, RecallEvent.APPROVE, by=APPROVES)
    world.count(Counted.EVENT, step="recall", item=step.name)
    for name in found:
        world.count(Counted.EVENT, step="recall notice", place=name, item=step.name)
    drill = Text("drill: ", "演练：") if step.drill else Text("", "")
    titles = [(here.place_text(name), _said(here, text)) for name, text in step.holders.items()]
    return Text(
        f"{drill.en}{step.title_en}: notices to "
        + "; ".join(f"{place.en} ({text.en})" for place, text in titles),
        f"{drill.zh}{step.title_zh}：通知" + "；".join(f"{place.zh}（{text.zh}）" for place, text in titles),
    )


def _holder(here: Repository, scope: HolderScope) -> str:
    name = here.place_of(scope.holder)
    if not name:
        raise StepFailed(f"{scope.holder} is no declared place", where="recall")
    return name


def _lines(here: Repository, scope: HolderScope) -> set[str]:
    return {_line_text(here, line) for line in scope.lines}


def _line_text(here: Repository, line: Line) -> str:
    """As a step says it: 3 items, 2 items sold, 40 KGM rice#A1, some rice#A1."""
    amount = f"{line.amount.normalize():f}" if not line.unknown else "some"
    return f"{amount} {_subject(here, line)}"


def _subject(here: Repository, line: Line) -> str:
    if line.subject in (ITEMS, SOLD_ITEMS, SAID_ITEMS):
        return line.subject
    named = line.subject.removeprefix(MORE_OF)
    sold, more = named.startswith(SOLD_OF), named != line.subject
    lot = here.shown(named.removeprefix(SOLD_OF))
    words = (line.uom if not line.unknown else "", "more of" if more else "", lot, "sold" if sold else "")
    return " ".join(filter(None, words))


def play_answer(step: AnswerRecall, world: World) -> Text:
    here = repository(world)
    number, place = _number(here, step.recall), here.place_text(step.holder)
    head = Text(f"{place.en} on the recall", f"{place.zh}答复召回")
    try:
        recall = here.desk.books.get(number)
        holder = next((name for name in recall.notices if here.place_of(name) == step.holder), step.holder)
        notice = recall.notice(holder)
        if notice.state is NoticeState.ISSUED:
            here.desk.act(number, RecallEvent.ACKNOWLEDGE, by=step.holder, holder=holder)
        lines = {_subject(here, line): line.subject for line in notice.scope.lines}
        outcomes = [_outcome(lines, part) for part in _parts(step.outcomes)]
        if outcomes:
            here.desk.act(number, RecallEvent.REPORT, by=step.holder, holder=holder, outcomes=outcomes)
    except (Refused, NotFound) as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, step="recall answer", place=step.holder, reason="REFUSED")
        return Text(f"{head.en}: refused ({error.what})", f"{head.zh}：拒绝")
    expect_done(step.refused)
    settled = here.desk.books.get(number).notice(holder).state is NoticeState.SETTLED
    if outcomes and settled is not step.settled:
        raise StepFailed(f"the notice is {'settled' if settled else 'still open'}", where=step.holder)
    world.count(Counted.EVENT, step="recall answer", place=step.holder, item=step.recall)
    said = _said(here, step.outcomes) if outcomes else Text("acknowledged", "确认收悉")
    return Text(f"{head.en}: {said.en}", f"{head.zh}：{said.zh}")


def _said(here: Repository, text: str) -> Text:
    """Lines of a notice, or outcomes, in words: 3 items quarantined, 40 KGM rice#A1."""
    words_en, words_zh = list[str](), list[str]()
    fates = {fate.value[0]: fate.value[1] for fate in Fate}
    for part in _parts(text):
        amount, *rest = part.split(" ")
        fate = rest.pop() if len(rest) > 1 and rest[-1] in fates and rest[-1:] != ["sold"] else ""
        if not fate and len(rest) > 1 and rest[-2:] == ["sold", "sold"]:
            fate = rest.pop()
        sold = rest[-1] == "sold" and rest.pop() == "sold"
        thing = (
            here.named(rest[-1]).text if rest[-1] != ITEMS else Text("item" if amount == "1" else ITEMS, "件")
        )
        much_zh = "数量不详的" if amount == "some" else _much_zh(amount, rest[:-1])
        words_en.append(
            f"{_much_en(amount, rest[:-1])} {thing.en}" + " sold" * sold + (f" {fate}" if fate else "")
        )
        words_zh.append(f"{much_zh}{thing.zh}" + "（已售）" * sold + fates.get(fate, ""))
    return Text(", ".join(words_en), "、".join(words_zh))


def _much_en(amount: str, words: list[str]) -> str:
    """``40 KGM`` and ``100 KGM more of`` with the unit's symbol."""
    if not words or not words[0].isupper():
        return " ".join((amount, *words))
    return " ".join((amount_text(amount, words[0]), *words[1:]))


def _much_zh(amount: str, words: list[str]) -> str:
    """``40 KGM`` and ``100 KGM more of`` as amounts are written in Chinese."""
    uom = words[0] if words and words[0].isupper() else None
    return ("另有" if "more" in words else "") + amount_text(amount, uom, zh=True)


def _parts(text: str) -> list[str]:
    """The lines of a text; one item is written as one, and counted as any number."""
    return [_ONE.sub("1 items", part.strip()) for part in text.split(",") if part.strip()]


def _outcome(lines: dict[str, str], text: str) -> str:
    """An outcome as the recall desk takes it."""
    found = _OUTCOME.fullmatch(text)
    line = found["line"] if found else ""
    if line not in lines:  # of what nobody measured the notice has no unit, the holder has
        line = line.partition(" ")[2]
    if found is None or line not in lines:
        raise Usage(
            f"{text!r}", where="AnswerRecall.outcomes", fix=f"AMOUNT LINE FATE; lines: {', '.join(lines)}"
        )
    subject = {ITEMS: "items", SOLD_ITEMS: "sold"}.get(lines[line], lines[line])
    return f"{subject}:{found['fate']}={found['amount']}"


def play_close(step: CloseRecall, world: World) -> Text:
    here = repository(world)
    number = _number(here, step.recall)
    try:
        recall = here.desk.act(number, RecallEvent.CLOSE, by=APPROVES, reason="all accounted for")
    except Refused as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, step="recall closed", item=step.recall, reason="REFUSED")
        return Text(f"The recall cannot be closed: {error.what}", "召回不能结束：尚有持有人未结清")
    expect_done(step.refused)
    world.count(Counted.EVENT, step="recall closed", item=step.recall)
    count = len(recall.notices)
    return Text(f"The recall is closed: {count} notices settled", f"召回结束：{count}份通知均已结清")


def _number(here: Repository, name: str) -> int:
    if name not in here.recalls:
        raise Usage(f"no recall {name!r}", where="trace", fix="Recall it first")
    return here.recalls[name]


# One code, and how a thing was kept


def play_check(step: CheckItem, world: World) -> Text:
    here = repository(world)
    name, now = here.one(step.code), here.clock.now_micros()
    facts = here.checks.facts(name, now)
    if step.tid:
        tid = bytes.fromhex(step.tid)
        parse_tid(tid)
        seen = here.chips.saw(name, tid, now, "")
        if isinstance(seen, ChipMismatch):
            facts = replace(facts, chips=(seen,))
    answer = answer_check(facts)
    says, noted = answer.verdict.value[0], {*answer.contradictions, *answer.guesses}
    signs = {each.sign.value[0] for each in noted}
    if says != step.says or signs != set(step.signs):
        raise StepFailed(f"it says {says}, signs {_list(sorted(signs))}", where=step.code)
    words: dict[str, int | str] = {
        "verdict": says, "sold": int(answer.ended_us is not None), "recalled": int(bool(answer.recalls)),
        "warns": int(answer.verdict.warns), "known": int(facts.known), "events": answer.events,
        "number": code_number(name),
    }  # fmt: skip
    until = _expires(here, name) if facts.known else None
    if until is not None:
        words["days left"] = max((until - world.now.date()).days, 0)
        words["expired"] = int(until < world.now.date())
    remember(world, step.remembers, words)
    world.count(Counted.EVENT, step="checked", item=here.named(step.code).classes[0].name, verdict=says)
    title = here.named(step.code).text
    signs_en = "; ".join(sorted(each.sign.value[2] for each in noted))
    signs_zh = "；".join(sorted(each.sign.value[1] for each in noted))
    zh, en = (text.rstrip("。.") for text in answer.verdict.value[1:3])
    dated = Text("", "")
    if until is not None:
        past = until < world.now.date()
        dated = Text(
            f"; {'past its date' if past else 'good until'} {until}",
            f"；{'已过期' if past else '有效期至'}{until}",
        )
    return Text(
        f"{title.en} is checked: {en}" + (f" ({signs_en})" if signs_en else "") + dated.en,
        f"查验{title.zh}：{zh}" + (f"（{signs_zh}）" if signs_zh else "") + dated.zh,
    )


def _expires(here: Repository, name: str) -> dt.date | None:
    """The earliest date of expiry that is told of a thing or its lot; None where none is."""
    with here.links() as links:
        return expiry_dates(links, [name]).get(name)


def play_conditions(step: Conditions, world: World) -> Text:
    here = repository(world)
    declared = [here.trace.limit(name) for name in step.limits] or list(here.trace.kept)
    with here.links() as links:
        found = held_to(links, here.one(step.what), [_limit(each) for each in declared])
    counts = (
        sum(len(course.excursions) for course in found.courses),
        sum(each.breach for course in found.courses for each in course.excursions),
        sum(len(course.gaps) for course in found.courses),
    )
    seals = tuple(fault.sign.name for fault in found.seals)
    if any(not course.readings for course in found.courses):
        raise StepFailed("nobody measured it", where=step.what)
    if counts != (step.excursions, step.breaches, step.gaps) or sorted(seals) != sorted(step.seals):
        raise StepFailed(
            f"excursions {counts[0]}, breaches {counts[1]}, gaps {counts[2]}, seals {_list(seals)}",
            where=step.what,
        )
    good = found.good
    words: dict[str, int | str] = {
        "excursions": counts[0], "breaches": counts[1], "gaps": counts[2], "good": int(good),
    }  # fmt: skip
    remember(world, step.remembers, words)
    held = Text("", "")
    if step.holds and not good:
        done = play_observed(Observed("holding", step.holds, step.place), world)
        held = Text(f"; {done.en}", f"；{done.zh}")
    world.count(Counted.EVENT, step="conditions", verdict="kept" if good else "broken")
    title = here.named(step.what).text
    limits = Text(", ".join(one.title_en for one in declared), "、".join(one.title_zh for one in declared))
    return Text(
        f"{title.en}, {limits.en}: outside {_times(counts[0])}, too long {_times(counts[1])}; "
        f"record with {counts[2] or 'no'} gap{'s' * (counts[2] != 1)}"
        + (f"; seals: {', '.join(fault.sign.value[0] for fault in found.seals)}" if seals else "")
        + held.en,
        f"{title.zh}，{limits.zh}：超限{counts[0]}次，其中超时{counts[1]}次，记录中断{counts[2]}次"
        + (f"；封志：{'、'.join(fault.sign.value[1] for fault in found.seals)}" if seals else "")
        + held.zh,
    )


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")


def _limit(one: KeptWithin) -> Limit:
    return Limit(
        name=one.name, type=one.type if ":" in one.type else VOC + one.type, uom=one.uom,
        low=Decimal(one.low) if one.low else None, high=Decimal(one.high) if one.high else None,
        outside_us=one.outside_minutes * MINUTE_US, gap_us=one.gap_minutes * MINUTE_US,
    )  # fmt: skip
