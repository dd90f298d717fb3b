"""The report on a recall, while it runs and when it is closed: one value, as a page, JSON and CSV.

The page is in one language, needs nothing from anywhere and runs no script. A drill says so in its title. Its figures
are the holders' words and the scope's; what the events of the chain themselves say of sold and destroyed items stands
beside them, so that a difference is seen.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from jinka.reports.day import Text
from jinka.reports.files import to_csv
from jinka.reports.tables import Cell, Column, Kind, Table
from jinka.reports.trace_graph import short_name
from jinka.reports.words import Language, in_language
from jinka.trace.holding import Standing
from jinka.trace.recall import (
    ITEMS,
    MORE_OF,
    SAID_ITEMS,
    SOLD_ITEMS,
    SOLD_OF,
    Fate,
    Line,
    Notice,
    NoticeState,
    Recall,
)
from jinka.trace.recall_course import Point, course, fates, overdue

_STYLE = (
    "body{font:11pt/1.55 system-ui,'Noto Sans CJK SC',sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;"
    "color:#1b2430;background:#fff}h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%;font-size:.92rem}td,th{text-align:left;padding:.35em .8em .35em 0;"
    "border-bottom:1px solid #ccd4de;vertical-align:top}.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".s{white-space:nowrap}.soft{color:#5b6878}"
    ".drill{background:#fff3d6;padding:.4rem .8rem;border-radius:.4rem;color:#6b4800}"
    "dl{display:grid;grid-template-columns:max-content 1fr;"
    "gap:.25rem 1.5rem}dt{color:#5b6878}dd{margin:0}@media(prefers-color-scheme:dark){body{color:#e6ebf2;"
    "background:#12171e}td,th{border-color:#364352}.soft,dt{color:#9aa7b8}}"
)
_W = {
    "recall": ("Recall", "召回"), "cause": ("Cause", "起因"), "hazard": ("Hazard", "危害"), "begun": ("Begun", "启动"),
    "drill": ("This is a drill. Nothing is held back.", "本次为召回演练，不限制任何销售和发运。"),
    "limits": ("Limits of the trace", "追溯边界"), "things": ("Things in scope", "范围内物品"),
    "holders": ("Holders", "持有方"), "unplaced": ("Never seen", "无位置记录"), "state": ("State", "状态"),
    "holder": ("Holder", "持有方"), "acknowledged": ("Acknowledged", "已确认"), "due": ("To account for", "应回报"),
    "fates": ("What became of it", "处置结果"), "open": ("Still open", "未回报"),
    "events": ("By the events", "事件记录"), "by": ("By", "经办"),
    "overdue": ("Overdue", "逾期未确认"), "answered": ("Accounted for", "已回报"), "safe": ("Safe", "已控制"),
    "settled": ("Settled", "已结清"), "time": ("Time (UTC)", "时间（UTC）"), "act": ("Act", "动作"),
    "course": ("Shares", "完成比例"), "notices": ("Notices", "通知数"), "effect": ("Over time", "进程"),
    "acts": ("Acts", "记录"), "unit": ("Unit", "单位"), "items": ("items", "件"), "sold": ("items sold", "件（已售）"),
    "reason": ("Reason", "理由"), "said": ("items said to be there", "件（据称在此）"),
    "more": ("more of", "另有"), "unknown": ("amount unknown", "数量不明"), "lot sold": ("sold", "已售"),
    "foreign": ("Units that cannot be converted", "无法换算的单位"),
}  # fmt: skip
_STANDINGS = {
    Standing.HELD: ("held", "在库"), Standing.ON_ITS_WAY: ("on its way", "在途"), Standing.SOLD: ("sold", "已售"),
    Standing.DESTROYED: ("destroyed", "已销毁"), Standing.USED: ("used up", "已使用"),
    Standing.UNKNOWN: ("never seen", "无记录"),
}  # fmt: skip


def recall_facts(recall: Recall, now_us: int) -> dict[str, Any]:
    """Everything about a recall as JSON can hold it."""
    scope = recall.scope
    return {
        "number": recall.number, "title": recall.title, "drill": recall.drill, "state": recall.state.value[0],
        "grade": recall.grade.value[0], "holds_back": recall.holds_back,
        "cause": {
            "kind": recall.cause.kind.value[0], "names": list(recall.cause.names), "hazard": recall.cause.hazard,
            "since": _iso(recall.cause.since_us), "until": _iso(recall.cause.until_us),
        },
        "scope": None if scope is None else {
            "as_of": _iso(scope.as_of_us), "digest": scope.digest, "things": scope.things,
            "unplaced": scope.unplaced, "limits": list(scope.limits),
            "foreign": [{"what": lot, "unit": uom} for lot, uom in scope.foreign],
        },
        "holders": [_holder_facts(recall, holder) for holder in _holders(recall)],
        "overdue": overdue(recall, now_us),
        "fates": [
            {"unit": unit or "items", "fate": fate.value[0], "amount": str(amount), "safe": fate.safe}
            for (unit, fate), amount in sorted(fates(recall).items(), key=lambda f: (f[0][0], f[0][1].value[0]))
        ],
        "course": [_point_facts(point) for point in course(recall)],
        "acts": [
            {"at": _iso(act.at_us), "act": act.event.value[0], "by": act.by, "holder": act.holder, "reason": act.reason}
            for act in recall.acts
        ],
    }  # fmt: skip


def recall_files(recall: Recall, now_us: int, *, language: Language) -> dict[str, bytes]:
    """The page and the tables by the names of their files; JSON is `recall_facts`."""
    made = {"index.html": recall_page(recall, now_us, language=language).encode()}
    for name, table in _tables(recall).items():
        made[f"{name}.csv"] = to_csv(table)
    return made


def recall_page(recall: Recall, now_us: int, *, language: Language) -> str:
    """The page. Escaping is Jinja2's."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("jinka.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    zh = language is Language.ZH
    points = course(recall)
    return environment.get_template("recall.html.j2").render(
        lang="zh-CN" if zh else "en", w={name: pair[zh] for name, pair in _W.items()},
        style=Markup(_STYLE),  # noqa: S704 our own text
        style_hash=base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode(),
        recall=recall, title=f"{recall.title} · {recall.grade.value[1] if zh else recall.grade.value[0]}",
        state=recall.state.value[zh], cause=_cause_text(recall, zh=zh),
        begun=_time(recall.begun_us), rows=[_row(recall, holder, zh=zh) for holder in _holders(recall)],
        shares=_shares(points[-1] if points else None, zh=zh), late=[short_name(h) for h in overdue(recall, now_us)],
        fates=[
            (fate.value[zh], _amount(amount, unit, zh=zh))
            for (unit, fate), amount in sorted(fates(recall).items(), key=lambda f: (f[0][0], f[0][1].value[0]))
        ],
        limits=[short_name(each) for each in recall.scope.limits] if recall.scope else [],
        foreign=[f"{short_name(lot)}: {uom or '-'}" for lot, uom in recall.scope.foreign] if recall.scope else [],
        points=[(_time(p.at_us), p.event.value[zh], short_name(p.holder), p.acknowledged, p.settled, p.notices)
                for p in points],
        acts=[(_time(a.at_us), a.event.value[zh], a.by, short_name(a.holder), a.reason) for a in recall.acts],
    )  # fmt: skip


def notice_text(recall: Recall, notice: Notice, *, language: Language) -> str:
    """What a holder is told, in plain words."""
    zh = language is Language.ZH
    lines = "\n".join(f"  - {_line(line, zh=zh)}" for line in notice.scope.lines)
    cause, drill = _cause_text(recall, zh=zh), recall.drill
    if zh:
        head = "【演练】" if drill else ""
        return (
            f"{head}召回通知 第 {recall.number} 号（{recall.grade.value[1]}）\n致：{notice.scope.holder}\n"
            f"事由：{recall.title}。{recall.cause.hazard}\n起因：{cause}\n贵方名下（以事件记录为准）：\n{lines}\n"
            f"请立即停止销售、发运和使用，就地封存，在 {recall.grade.hours} 小时内确认收悉，"
            "并回报封存、退回、销毁、已售及下落不明的数量。\n"
        )
    head = "DRILL. " if drill else ""
    return (
        f"{head}Recall {recall.number}, grade {recall.grade.value[0]}\nTo: {notice.scope.holder}\n"
        f"Why: {recall.title}. {recall.cause.hazard}\nCause: {cause}\nBy the events you have:\n{lines}\n"
        f"Stop selling, shipping and using it at once and put it under lock. Acknowledge within {recall.grade.hours} "
        "hours, and report how much is quarantined, returned, destroyed, sold and missing.\n"
    )


def _holders(recall: Recall) -> list[str]:
    known = set(recall.notices)
    if recall.scope is not None:
        known |= {each.holder for each in recall.scope.holders}
    return sorted(known)


def _holder_facts(recall: Recall, holder: str) -> dict[str, Any]:
    notice = recall.notices.get(holder)
    scope = notice.scope if notice else next(h for h in recall.scope.holders if h.holder == holder)  # type: ignore[union-attr]
    return {
        "holder": holder,
        "to_account_for": [
            {"what": line.subject, "amount": _known(line), "unit": line.uom} for line in scope.lines
        ],
        "by_the_events": dict(scope.standings),
        "state": notice.state.value[0] if notice else None,
        "notified": _iso(notice.issued_us) if notice else None,
        "acknowledged": _iso(notice.acknowledged_us) if notice else None,
        "reminders": notice.reminders if notice else 0,
        "outcomes": [
            {"what": o.subject, "fate": o.fate.value[0], "amount": str(o.amount)}
            for o in (notice.outcomes if notice else ())
        ],
        "open": [
            {"what": line.subject, "amount": _known(line), "unit": line.uom}
            for line in (notice.open_lines() if notice else scope.lines)
        ],
    }


def _point_facts(point: Point) -> dict[str, Any]:
    return {
        "at": _iso(point.at_us), "act": point.event.value[0], "holder": point.holder, "notices": point.notices,
        "acknowledged": point.acknowledged, "settled": point.settled,
        "amounts": [
            {"unit": unit or "items", "due": str(point.due[unit]), "answered": str(point.answered[unit]),
             "safe": str(point.safe[unit])}
            for unit in sorted(point.due)
        ],
    }  # fmt: skip


def _row(recall: Recall, holder: str, *, zh: bool) -> dict[str, Any]:
    notice = recall.notices.get(holder)
    scope = notice.scope if notice else next(h for h in recall.scope.holders if h.holder == holder)  # type: ignore[union-attr]
    standings = {standing.value[0]: words for standing, words in _STANDINGS.items()}
    return {
        "holder": short_name(holder),
        "due": [_line(line, zh=zh) for line in scope.lines],
        "events": [f"{standings[word][zh]} {count:,}" for word, count in scope.standings.items()],
        "state": notice.state.value[zh] if notice else "",
        "acknowledged": _time(notice.acknowledged_us) if notice else "",
        "fates": [f"{o.fate.value[zh]} {_subject(o.subject, zh=zh)} {o.amount:,}" for o in notice.outcomes]
        if notice
        else [],
        "open": [_line(line, zh=zh) for line in notice.open_lines()] if notice else [],
    }


def _shares(point: Point | None, *, zh: bool) -> list[tuple[str, str, int, int]]:
    """For each unit: what is due, in words, and the shares that are accounted for and safe, in percent."""
    if point is None:
        return []
    return [
        (
            unit or _W["items"][zh],
            f"{due:,}",
            int(100 * point.answered[unit] / due),
            int(100 * point.safe[unit] / due),
        )
        for unit, due in sorted(point.due.items())
        if due
    ]


def _tables(recall: Recall) -> dict[str, Table]:
    """The tables for CSV: a row for each holder's line, and one for each act."""
    lines: list[tuple[Cell, ...]] = []
    for holder in _holders(recall):
        notice = recall.notices.get(holder)
        for line in notice.scope.lines if notice else ():
            said = [o for o in notice.outcomes if o.subject == line.subject] if notice else []
            sums = [str(sum((o.amount for o in said if o.fate is fate), Decimal(0))) for fate in Fate]
            state = _text(notice.state.value) if notice else ""
            lines.append((holder, line.subject, _known(line) or "", line.uom, state, *sums))
    columns = ("holder", "what", "amount", "unit", "state", *(fate.value[0] for fate in Fate))
    acts = [(_iso(a.at_us) or "", _text(a.event.value), a.by, a.holder, a.reason) for a in recall.acts]
    return {
        "holders": _table("holders", columns, lines),
        "acts": _table("acts", ("time", "act", "by", "holder", "reason"), acts),
    }


def _table(name: str, columns: Iterable[str], rows: Iterable[tuple[Cell, ...]]) -> Table:
    return Table(name=name, columns=tuple(Column(key, Kind.TEXT) for key in columns), rows=tuple(rows))


def _text(words: tuple[Any, ...]) -> Text:
    return Text(en=words[0], zh=words[1])


def _cause_text(recall: Recall, *, zh: bool) -> str:
    cause = recall.cause
    names = ", ".join(short_name(name) for name in cause.names)
    times = (
        f" ({_time(cause.since_us) or '…'} – {_time(cause.until_us) or '…'})"
        if cause.since_us or cause.until_us
        else ""
    )
    return f"{cause.kind.value[zh]}: {names}{times}"


def _line(line: Line, *, zh: bool) -> str:
    if line.subject in (ITEMS, SOLD_ITEMS):
        return f"{line.amount:,} {_subject(line.subject, zh=zh)}"
    if line.unknown:
        return f"{_subject(line.subject, zh=zh)} ({_W['unknown'][zh]})"
    return f"{line.amount:,} {line.uom} {_subject(line.subject, zh=zh)}"


def _known(line: Line) -> str | None:
    return None if line.unknown else str(line.amount)


def _subject(subject: str, *, zh: bool) -> str:
    if subject.startswith(MORE_OF):
        return f"{_W['more'][zh]} {_subject(subject.removeprefix(MORE_OF), zh=zh)}"
    if subject.startswith(SOLD_OF):
        return f"{short_name(subject.removeprefix(SOLD_OF))} ({_W['lot sold'][zh]})"
    return {ITEMS: _W["items"][zh], SOLD_ITEMS: _W["sold"][zh], SAID_ITEMS: _W["said"][zh]}.get(
        subject, short_name(subject)
    )


def _amount(amount: Decimal, unit: str, *, zh: bool) -> str:
    return f"{amount:,} {unit or _W['items'][zh]}"


def _time(at_us: int | None) -> str:
    return "" if at_us is None else f"{dt.datetime.fromtimestamp(at_us / 1e6, dt.UTC):%Y-%m-%d %H:%M}"


def _iso(at_us: int | None) -> str | None:
    if at_us is None:
        return None
    return dt.datetime.fromtimestamp(at_us / 1e6, dt.UTC).isoformat().replace("+00:00", "Z")


def words_of(recall: Recall, language: Language) -> tuple[str, ...]:
    """A row of a list: number, title, grade, state, holders, settled, drill."""
    zh = language is Language.ZH
    settled = sum(n.state is NoticeState.SETTLED for n in recall.notices.values())
    mark = in_language(Text(en="drill", zh="演练"), language) if recall.drill else ""
    return (
        str(recall.number), recall.title, recall.grade.value[1] if zh else recall.grade.value[0],
        recall.state.value[zh], str(len(_holders(recall))), str(settled), mark,
    )  # fmt: skip


LIST_HEADS = (
    ("no.", "title", "grade", "state", "holders", "settled", ""),
    ("编号", "事由", "级别", "状态", "持有方", "已结清", ""),
)  # fmt: skip
HOLDER_HEADS = (
    ("holder", "to account for", "by the events", "state", "answers", "open"),
    ("持有方", "应回报", "事件记录", "状态", "回报", "未回报"),
)


def holder_rows(recall: Recall, language: Language) -> list[tuple[str, ...]]:
    """A row for each holder, for a terminal."""
    rows = [_row(recall, holder, zh=language is Language.ZH) for holder in _holders(recall)]
    return [
        (
            r["holder"],
            "; ".join(r["due"]),
            "; ".join(r["events"]),
            r["state"],
            "; ".join(r["fates"]),
            "; ".join(r["open"]),
        )
        for r in rows
    ]
