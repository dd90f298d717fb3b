"""Plays the steps of copies and of credit over the register of base records: told, fetched, acknowledged, disputed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jinka.app.sector_base import OFFICER, Register, department_title, register_of
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_world import StepFailed, World
from jinka.declaration import Counted, Step
from jinka.declaration.steps_copies import (
    Behind,
    Correct,
    CreditReport,
    Dispute,
    Fetch,
    ReportCredit,
    TakeCopy,
)
from jinka.identity.base_records import DISPUTE, Entry, Held, Look, LookRefused, Ref, Sign, Sought
from jinka.identity.base_records.cases import SUPERVISION
from jinka.kit import JinkaError, NotFound, format_minor
from jinka.reports.day import Text
from jinka.store.base_records import Said, write_in
from jinka.store.base_records_book import Book
from jinka.store.base_records_cases import act_on_case
from jinka.store.base_records_copies import acknowledge, behind, fetch
from jinka.store.base_records_credit import (
    check_replaced,
    file_dispute,
    own_report,
    report_entry,
    seen_credit,
)

_SUPERVISOR = "officer-2"
_HOLDER = "holder-s-clerk"


@dataclass(slots=True)
class _Exchange:
    held: dict[str, Held] = field(default_factory=dict)  # by department
    entries: dict[str, int] = field(default_factory=dict)
    disputes: dict[str, int] = field(default_factory=dict)  # by the entry's name


def _exchange(world: World) -> _Exchange:
    return world.service("copies and credit", _Exchange)


def play_take_copy(step: TakeCopy, world: World) -> Text:
    found = register_of(world)
    ref, title = found.ref(step.record), department_title(found, step.department)
    look = Look(
        department=step.department, officer=OFFICER, purpose=step.purpose, kind=ref.kind, fields=step.fields,
        case=step.case,
    )  # fmt: skip
    try:
        found.books.open_copy(look, Sought(ref=ref))
    except LookRefused as refused:
        expect_refused(step.refused, refused.why.name, refused)
        world.count(Counted.REFUSED, department=step.department, reason=refused.why.name)
        return Text(f"{title.en} may not copy {step.record}", f"{title.zh}无权留存{step.record}的副本")
    expect_done(step.refused)
    names = _titles(found, ref, step.fields)
    return Text(
        f"{title.en} keeps a copy of {names.en} of {step.record}",
        f"{title.zh}留存{step.record}的{names.zh}副本",
    )


def play_correct(step: Correct, world: World) -> Text:
    found = register_of(world)
    ref, title = found.ref(step.record), department_title(found, step.department)
    try:
        with found.books.book() as book:
            before = _told(book)
            kind, record = found.books.catalogue.kind(ref.kind), book.record(ref)
            said = []
            for name, value in step.values.items():
                standing = record.standing(kind.field(name))
                if not standing:
                    raise NotFound(f"nothing is kept as {name}", where=step.record, fix="Keep it first")
                old = standing[-1]
                said.append(Said(
                    field=name, value=value, valid_from=old.valid_from, valid_to=old.valid_to, corrects=old.seq,
                ))  # fmt: skip
            write_in(book, ref, said, department=step.department, officer=OFFICER, why=step.reason)
            told = tuple(
                dict.fromkeys(
                    row.copy.department
                    for row in behind(book)
                    if row.messages > before.get(row.copy.number, 0)
                )
            )
    except JinkaError as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, department=step.department, reason="CORRECT")
        return Text(f"{title.en} may not correct that: {error.what}", f"{title.zh}无权更正")
    expect_done(step.refused)
    if sorted(told) != sorted(step.tells):
        raise StepFailed(f"told were {', '.join(told) or 'nobody'}", where=step.record)
    names, who = _titles(found, ref, tuple(step.values)), _departments(found, told)
    return Text(
        f"{title.en} corrects {names.en} of {step.record} ({step.reason}); told: {who.en}",
        f"{title.zh}更正{step.record}的{names.zh}（{step.reason}），告知：{who.zh}",
    )


def play_fetch(step: Fetch, world: World) -> Text:
    found, exchange = register_of(world), _exchange(world)
    ref, title = found.ref(step.record), department_title(found, step.department)
    held = exchange.held.get(step.department, Held())
    with found.books.book() as book:
        messages = fetch(book, step.department, OFFICER)
        if not messages:
            raise StepFailed("nothing waits to be fetched", where=step.department)
        for message in messages:
            held = held.take(message)
        if step.acknowledges:
            acknowledge(book, step.department, [message.number for message in messages])
    exchange.held[step.department] = held
    mine = {message.copy for message in messages if message.record == ref}
    has = {name: spans[-1][0] for (copy, name), (_, spans) in held.fields.items() if copy in mine and spans}
    if has != dict(step.holds):
        raise StepFailed(f"the copy holds {sorted(has)} with other values or fields", where=step.department)
    done = Text("acknowledges", "已确认") if step.acknowledges else Text("does not acknowledge", "未确认")
    names = _titles(found, ref, tuple(has))
    return Text(
        f"{title.en} fetches what it was told ({len(messages)}) and {done.en}; it holds {names.en}",
        f"{title.zh}取得{len(messages)}条通知，{done.zh}；副本为{names.zh}",
    )


def play_behind(step: Behind, world: World) -> Text:
    found = register_of(world)
    with found.books.book(read=True) as book:
        late = tuple(dict.fromkeys(row.copy.department for row in behind(book)))
    if late != step.departments:
        raise StepFailed(f"behind are {', '.join(late) or 'none'}", where=world.journey.name)
    who = _departments(found, late)
    return Text(f"Copies that are behind: {who.en}", f"尚未同步的副本：{who.zh}")


def play_report_credit(step: ReportCredit, world: World) -> Text:
    found, exchange = register_of(world), _exchange(world)
    title = department_title(found, step.institution)
    draft = Entry(
        number=0, subject=0, institution=step.institution, sign=Sign.named(step.sign), text=step.text,
        amount_fen=step.amount, since=dt.date.fromisoformat(step.since), at_micros=0,
        ended=dt.date.fromisoformat(step.ended) if step.ended else None,
        replaces=_entry(exchange, step.replaces) if step.replaces else 0,
    )  # fmt: skip
    try:
        with found.books.book() as book:
            made = report_entry(book, draft, found.ref(step.subject), officer=OFFICER)
    except JinkaError as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, department=step.institution, reason="CREDIT")
        return Text(f"{title.en} may not report that: {error.what}", f"{title.zh}报送被拒绝")
    expect_done(step.refused)
    exchange.entries[step.entry] = made.number
    world.count(Counted.WRITTEN, record="credit")
    what = Text("in place of the one before", "以更正原信息") if step.replaces else Text("", "")
    amount = format_minor(step.amount)
    return Text(
        f"{title.en} reports of {step.subject}: {step.text}, {amount} {what.en}".rstrip(),
        f"{title.zh}报送{step.subject}的信用信息：{step.text}，{amount}元{what.zh}",
    )


def play_dispute(step: Dispute, world: World) -> Text:
    found, exchange = register_of(world), _exchange(world)
    number, ref = _entry(exchange, step.entry), found.ref(step.subject)
    said = DISPUTE.step(step.act).title
    who = department_title(found, step.by) if step.by else Text(step.subject, step.subject)
    try:
        with found.books.book() as book:
            if step.act == DISPUTE.steps[0].act:
                case = file_dispute(book, ref, number, officer=_HOLDER, text=step.reason)
                exchange.disputes[step.entry] = case.number
            else:
                case = act_on_case(
                    book, _dispute(exchange, step.entry), step.act, actor=step.by or str(ref),
                    officer=_officer(step.by), text=step.reason,
                )  # fmt: skip
                if step.act == "correct":
                    check_replaced(book, number)
    except JinkaError as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, department=step.by or "holder", reason="DISPUTE")
        return Text(
            f"{who.en}, {step.entry}: {said[0]} is refused ({error.what})",
            f"{who.zh}就{step.entry}{said[1]}：拒绝",
        )
    expect_done(step.refused)
    state = case.machine.states[case.state]
    return Text(
        f"{who.en}, {step.entry}: {said[0]} ({step.reason}); the entry is {state[0]}",
        f"{who.zh}就{step.entry}{said[1]}（{step.reason}），该信息{state[1]}",
    )


def play_credit_report(step: CreditReport, world: World) -> Text:
    found, exchange = register_of(world), _exchange(world)
    ref = found.ref(step.subject)
    if not step.department:
        with found.books.book() as book:
            report = own_report(book, ref, officer=_HOLDER)
        who = Text(step.subject, step.subject)
    else:
        who = department_title(found, step.department)
        person = found.books.catalogue.kind(ref.kind).person
        look = Look(
            department=step.department, officer=OFFICER, purpose=step.purpose,
            kind="credit" if person else "enterprise-credit", fields=("entries",),
        )  # fmt: skip
        try:
            report = found.books.admitted(
                look, Sought(ref=ref), lambda book, at, holder, why: seen_credit(book, at, holder, why, look)
            )
        except LookRefused as refused:
            expect_refused(step.refused, refused.why.name, refused)
            world.count(Counted.REFUSED, department=step.department, reason=refused.why.name)
            return Text(
                f"{who.en} asks for the credit record of {step.subject}: refused, and noted",
                f"{who.zh}查询{step.subject}的信用信息：拒绝，并已留痕",
            )
        world.count(Counted.LOOKED, department=step.department, record=look.kind)
    expect_done(step.refused)
    names = {number: name for name, number in exchange.entries.items()}
    shown = {names[row["entry"]]: row["disputed"] for row in report.entries}
    if shown != dict(step.shows) or report.fee_due != step.fee:
        raise StepFailed(f"shown was {shown}, fee {report.fee_due}", where=step.subject)
    marked = [name for name, disputed in shown.items() if disputed]
    en = f"{len(shown)} entries" + (f", disputed: {', '.join(marked)}" if marked else ", none disputed")
    zh = f"{len(shown)}条" + (f"，标注异议：{'、'.join(marked)}" if marked else "，无异议标注")
    fee = (
        Text(" (from the third in a year a fee may be asked)", "（一年第三次起可收费）")
        if step.fee
        else Text("", "")
    )
    return Text(
        f"{who.en} reads the credit record of {step.subject}: {en}{fee.en}",
        f"{who.zh}查看{step.subject}的信用报告：{zh}{fee.zh}",
    )


def _told(book: Book) -> dict[int, int]:
    return {row.copy.number: row.messages for row in behind(book)}


def _titles(found: Register, ref: Ref, fields: tuple[str, ...]) -> Text:
    titles = [found.books.catalogue.kind(ref.kind).field(name).title for name in fields]
    return Text(
        ", ".join(one[0] for one in titles) or "nothing", "、".join(one[1] for one in titles) or "（无）"
    )


def _departments(found: Register, codes: tuple[str, ...]) -> Text:
    titles = [department_title(found, code) for code in codes]
    return Text(", ".join(one.en for one in titles) or "none", "、".join(one.zh for one in titles) or "无")


def _officer(department: str) -> str:
    if not department:
        return _HOLDER
    return _SUPERVISOR if department == SUPERVISION else OFFICER


def _entry(exchange: _Exchange, name: str) -> int:
    if name not in exchange.entries:
        raise NotFound(f"no credit entry {name!r}", where="credit", fix="ReportCredit first")
    return exchange.entries[name]


def _dispute(exchange: _Exchange, entry: str) -> int:
    if entry not in exchange.disputes:
        raise NotFound(f"no dispute of {entry!r}", where="credit", fix="Dispute it with file first")
    return exchange.disputes[entry]


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = MappingProxyType({
    TakeCopy: play_take_copy,
    Correct: play_correct,
    Fetch: play_fetch,
    Behind: play_behind,
    ReportCredit: play_report_credit,
    Dispute: play_dispute,
    CreditReport: play_credit_report,
})  # fmt: skip
