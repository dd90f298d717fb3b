"""The page of a sector, made from its declaration alone: what is on the card, what it costs, who may do what, and its
stories.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jinka.app.sector_docs_words import RightWords, by_word, kind_word
from jinka.app.sector_fact_words import SheetWords, case_facts, facts_listed
from jinka.app.sector_run import Played
from jinka.app.sector_service_docs import service_tables
from jinka.app.sector_titles import authority_title
from jinka.app.sector_trace_docs import trace_tables
from jinka.declaration import Account, Counted, Party, Sector
from jinka.kit import format_minor
from jinka.profile import FREE, NEVER, ApplicationProfile, FileSpec
from jinka.tariff import Tariff
from jinka.tariff.sheet import Sheet
from jinka.tariff.sheet_text import expression_text

_STAR = r"\*"  # what is masked is no emphasis
_LONG = 60  # steps; more are folded away
_W = {
    "made": (
        "Made by `jinka sector docs {0}` from the declaration; `jinka sector run {0}` plays it.",
        "本页由 `jinka sector docs {0}` 据声明生成；`jinka sector run {0}` 可演示。",
    ),
    "authority": ("Authority", "主管单位"),
    "standards": ("Standards", "标准"),
    "archetypes": ("Made of", "构成"),
    "composes": ("Also on its cards", "同卡应用"),
    "application": ("Application", "应用"),
    "file": ("File", "文件"),
    "content": ("Content", "内容"),
    "read": ("Reading", "读"),
    "write": ("Writing", "写"),
    "keys": ("Keys", "密钥"),
    "purse": ("Purse", "钱包"),
    "records": ("Records", "记录"),
    "record": ("Record", "记录"),
    "length": ("Bytes", "字节"),
    "coding": ("Coding", "编码"),
    "rights": ("Rights", "资格"),
    "right": ("Right", "资格"),
    "needs": ("Needs", "条件"),
    "changes": ("Use writes", "使用后写入"),
    "fares": ("Prices and rules", "票价与规则"),
    "line": ("Line", "项目"),
    "value": ("Is", "计算"),
    "unit": ("Unit", "单位"),
    "moves": ("Money moves", "资金流向"),
    "cases": ("Results that the tests demand", "测试必须得出的结果"),
    "published": ("published", "公布结果"),
    "derived": ("one step from published figures", "据公布数值推算"),
    "nocase": ("No published result was found: {}", "未找到公开结果：{}"),
    "source": ("Source", "依据"),
    "parties": ("Parties and accounts", "参与方与账户"),
    "devices": ("Devices", "终端"),
    "reports": ("Reports", "报表"),
    "journeys": ("Journeys", "场景"),
    "free": ("free", "自由"),
    "never": ("never", "禁止"),
    "rule": ("right {}", "权限{}"),
    "mac": (" with MAC", "（须MAC）"),
    "products": ("Products", "产品"),
    "limit": ("at most {}", "上限{}"),
    "result": ("the result", "结果"),
    "facts": ("Facts", "输入"),
    "rising": ("The result does not fall when these grow", "下列输入增大时，结果不减"),
    "falling": ("The result does not rise when these grow", "下列输入增大时，结果不增"),
    "unordered": ("The result neither grows nor shrinks with anything", "结果不随任何输入增减"),
    "glance": ("In figures", "规模"),
    "applications": ("applications {}", "应用{}个"),
    "rights of it": ("rights {}", "资格{}项"),
    "rules of it": ("tables of rules {}", "规则表{}张"),
    "stories": ("stories {}", "场景{}个"),
    "steps": ("steps {}", "共{}步"),
    "refused": ("refusals seen {}", "其中拒绝{}次"),
    "folded": ("{} steps", "共{}步"),
    "counts": ("counts", "统计"),
    "by": ("by", "按"),
}


def sector_page(sector: Sector, played: Iterable[Played], *, zh: bool = False) -> str:
    """Markdown, in English or Chinese, with the journeys as they went. The same declaration gives the same bytes."""
    return "\n".join(_lines(sector, played, zh)) + "\n"


def _lines(sector: Sector, played: Iterable[Played], zh: bool) -> Iterator[str]:
    def word(name: str, *parts: object) -> str:
        return _W[name][zh].format(*parts)

    yield f"# {sector.title_zh if zh else sector.title_en} (`{sector.name}`)"
    yield ""
    yield sector.about_zh if zh else sector.about_en
    yield ""
    authority = authority_title(sector.authority)
    yield f"- {word('authority')}: {authority.zh if zh else authority.en}"
    yield f"- {word('standards')}: {', '.join(sector.standards) or '-'}"
    yield f"- {word('archetypes')}: {', '.join(kind_word(kind, zh=zh) for kind in sector.archetypes)}"
    if sector.composes:
        yield f"- {word('composes')}: {', '.join(f'`{name}`' for name in sector.composes)}"
    told = list(played)
    yield f"- {word('glance')}: {_glance(sector, told, zh)}"
    for profile in sector.profiles:
        yield from _application(sector, profile, zh)
    if sector.trace is not None:
        for heading, columns, cells in trace_tables(sector.trace, zh=zh):
            yield from ("", f"## {heading}", "")
            yield from _table(columns, cells)
    for heading, columns, cells in service_tables(sector, zh=zh):
        yield from ("", f"## {heading}", "")
        yield from _table(columns, cells)
    yield from _rights(sector, zh)
    if sector.all_sheets or sector.tariffs:
        yield from ("", f"## {word('fares')}")
    for sheet in sector.all_sheets:
        yield from _sheet(sector, sheet, zh)
    for name, tariff in sector.tariffs.items():
        yield from ("", f"### {word('products')}: `{name}`", "")
        yield from _table((word("content"), word("value")), _products(tariff, zh))
    yield from ("", f"## {word('cases')}", "")
    yield from _cases(sector, zh)
    if sector.parties or sector.accounts:
        yield from ("", f"## {word('parties')}", "")
    for party in sector.parties:
        yield f"- {party.title_zh if zh else party.title_en} (`{party.code}`)"
    for account in sector.accounts:
        yield f"- {account.title_zh if zh else account.title_en} (`{account.code}`)"
    if sector.devices:
        yield from ("", f"## {word('devices')}", "")
    for device in sector.devices:
        yield f"- {device.title_zh if zh else device.title_en} (`{device.name}`): {kind_word(device.kind, zh=zh)}"
    if sector.reports:
        yield from ("", f"## {word('reports')}", "")
    for report in sector.reports:
        title = report.title_zh if zh else report.title_en
        counted, by = kind_word(report.counts, zh=zh), by_word(report.by, zh=zh)
        yield f"- {title} (`{report.name}`): {word('counts')} {counted}, {word('by')} {by}"
    yield from ("", f"## {word('journeys')}")
    for one in told:
        yield from _journey(one, zh)
    if not told:
        yield ""
        yield from (f"- {one.title_zh if zh else one.title_en} (`{one.name}`)" for one in sector.journeys)
    yield from ("", "---", "", word("made", sector.name))


def _glance(sector: Sector, told: Sequence[Played], zh: bool) -> str:
    """How much there is of it, and how much of that the stories see refused."""
    parts = [
        ("applications", len(sector.profiles)), ("rights of it", len(sector.entitlements)),
        ("rules of it", len(sector.all_sheets)), ("stories", len(sector.journeys)),
        ("steps", sum(len(one.told) for one in told)),
        ("refused", sum(each.counted is Counted.REFUSED for one in told for each in one.happenings)),
    ]  # fmt: skip
    return ("，" if zh else ", ").join(_W[name][zh].format(count) for name, count in parts if count)


def _rights(sector: Sector, zh: bool) -> Iterator[str]:
    if not sector.entitlements:
        return
    yield from ("", f"## {_W['rights'][zh]}", "")
    words = RightWords(sector, zh=zh)
    rows = [
        (f"{right.title_zh if zh else right.title_en} (`{right.name}`)",
         "; ".join(words.condition(right, one) for one in right.conditions),
         "; ".join(words.change(right, one) for one in right.changes), right.source)
        for right in sector.entitlements
    ]  # fmt: skip
    yield from _table(tuple(_W[name][zh] for name in ("right", "needs", "changes", "source")), rows)


def _cases(sector: Sector, zh: bool) -> Iterator[str]:
    if sector.no_worked_case:
        why = authority_title(sector.no_worked_case)
        yield _W["nocase"][zh].format(why.zh if zh else why.en)
    for case in sector.worked_cases:
        title, where = case.title_zh if zh else case.title_en, f" <{case.address}>" if case.address else ""
        word = f" [{_W['derived' if case.derived else 'published'][zh]}]"
        facts = case_facts(sector, case.facts, zh=zh)
        lines = {line.code: line for line in sector.sheet(case.sheet).lines} if case.sheet else {}
        gives = ("，" if zh else ", ").join(
            f"{lines[name].title_zh if zh else lines[name].title_en} {format_minor(value, lines[name].unit)}"
            for name, value in case.gives.items()
        )
        shown = f"{facts} → {gives}"
        if case.check:
            shown = f"{case.number[:-1]} → {case.number[-1]} (`{case.check}`)"
        yield f"- {title}: {shown}. {_W['source'][zh]}: {case.source}{where}{word}"


def _application(sector: Sector, profile: ApplicationProfile, zh: bool) -> Iterator[str]:
    def word(name: str, *parts: object) -> str:
        return _W[name][zh].format(*parts)

    title = profile.title_zh if zh else profile.title_en
    yield from ("", f"## {word('application')}: {title} (`{profile.name}`)", "")
    yield f"AID `{profile.aid.hex().upper()}`, v{profile.version}, {', '.join(profile.standards)}"
    if profile.purse is not None:
        unit = profile.purse.unit
        limit = word("limit", format_minor(profile.purse.limit, unit))
        yield from ("", f"{word('purse')}: {kind_word(unit, zh=zh)}, {limit}")
    yield ""
    rows = [
        (f"`{spec.folder:04X}/{spec.fid:04X}`" if spec.folder else f"`{spec.fid:04X}`",
         spec.title_zh if zh else spec.title_en, _right(spec.read_right, zh), _write(spec, zh))
        for spec in profile.files
    ]  # fmt: skip
    yield from _table((word("file"), word("content"), word("read"), word("write")), rows)
    yield ""
    keys = ", ".join(f"{key.use.name} {key.kid}/{key.version}" for key in profile.keys)
    yield f"{word('keys')}: {keys or '-'}"
    records = sector.records.get(profile.name, ())
    if records:
        yield from ("", f"### {word('records')}", "")
        yield from _table(
            (word("record"), word("content"), word("length"), word("coding")),
            [(f"`{one.fid:04X}` {one.number}: `{one.name}`", one.title_zh if zh else one.title_en, str(one.length),
              kind_word(one.coding, zh=zh)) for one in records],
        )  # fmt: skip


def _right(right: int, zh: bool) -> str:
    if right == FREE:
        return _W["free"][zh]
    return _W["never"][zh] if right == NEVER else _W["rule"][zh].format(f"{right:02X}")


def _write(spec: FileSpec, zh: bool) -> str:
    return _right(spec.write_right, zh) + (_W["mac"][zh] if spec.mac_required else "")


def _products(tariff: Tariff, zh: bool) -> list[tuple[str, str]]:
    products = [(f"{p.title_zh if zh else p.title_en} (`{p.code}`)", p.rule.text()) for p in tariff.products]
    caps = [
        (f"{cap.title_zh if zh else cap.title_en} (`{cap.code}`)", f"<= {format_minor(cap.most_fen)}")
        for cap in tariff.caps
    ]
    return products + caps


def _sheet(sector: Sector, sheet: Sheet, zh: bool) -> Iterator[str]:
    def word(name: str) -> str:
        return _W[name][zh]

    yield from ("", f"### {sheet.title_zh if zh else sheet.title_en} (`{sheet.name}`)", "")
    yield f"{word('source')}: {sheet.source}. {word('facts')}: {facts_listed(sector, sheet.facts, zh=zh)}"
    for named, facts in (("rising", sheet.rising), ("falling", sheet.falling)):
        if facts:
            yield from ("", f"{word(named)}: {facts_listed(sector, facts, zh=zh)}")
    if sheet.unordered is not None:
        yield from ("", f"{word('unordered')}: {sheet.unordered.value[zh]}")
    yield ""
    said = SheetWords(sector, sheet) if zh else str
    rows = [
        (f"{line.title_zh if zh else line.title_en} (`{line.code}`"
         + (f", {word('result')})" if line.code == sheet.result else ")"),
         expression_text(line.value, zh=zh, said=said), kind_word(line.unit, zh=zh),
         f"{_who(sector, line.payer, zh)} → {_who(sector, line.payee, zh)}" if line.payer else "")
        for line in sheet.lines
    ]  # fmt: skip
    head = (word("line"), word("value"), word("unit"), word("moves"))
    shown = len(head) if any(row[-1] for row in rows) else len(head) - 1  # no money moves
    yield from _table(head[:shown], [row[:shown] for row in rows])


def _who(sector: Sector, code: str, zh: bool) -> str:
    """An account or a party of the sector's own by its title; others are called by their codes."""
    rows: tuple[Account | Party, ...] = (*sector.accounts, *sector.parties)
    for row in rows:
        if row.code == code:
            return row.title_zh if zh else row.title_en
    return f"`{code}`"


def _journey(played: Played, zh: bool) -> Iterator[str]:
    journey = played.journey
    title = journey.title_zh if zh else journey.title_en
    yield from ("", f"### {title} (`{journey.name}`, {journey.date})", "")
    folded = len(played.told) > _LONG
    if folded:
        yield from (f"<details><summary>{_W['folded'][zh].format(len(played.told))}</summary>", "")
    for number, told in enumerate(played.told, 1):
        said = told.said.zh if zh else told.said.en
        yield f"{number}. {told.at:%m-%d %H:%M} {said.replace('*', _STAR)}"
    if folded:
        yield from ("", "</details>")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
