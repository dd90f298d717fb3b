"""The report on a stolen PSAM: which keys it exposes, what is at risk and until when, what is not, and what to do.

A PSAM of JR/T 0025 holds parents of purchase keys at the national level, so that it meets every card: whoever opens it
has the purchase keys of all cards that carry that version, of every city. What each key does says what follows. No
key, no check of a key's value and no card number is in the report.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from html import escape
from typing import Any

from jinka.reports.day import Text
from jinka.reports.words import Language

_STYLE = (
    "body{font:11pt/1.5 sans-serif;margin:2cm;color:#111;background:#fff}h1{font-size:16pt}h2{font-size:12pt}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3em .8em .3em 0;vertical-align:top;"
    "border-bottom:1px solid #999}small{display:block;color:#555}"
)
_STATES = {
    "active": Text(en="in use", zh="使用中"),
    "retired": Text(en="retired", zh="已停用"),
    "compromised": Text(en="withdrawn as compromised", zh="已按泄露撤销"),
    "destroyed": Text(en="destroyed", zh="已销毁"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """One key that the module held."""

    name: str
    state: str  # of the catalogue
    next_version: str  # the next one in use that it did not hold, or empty
    cards: int | None  # registered cards that carry this version; None: no registry was given


@dataclass(frozen=True, slots=True, kw_only=True)
class StolenPsam:
    """What is known. ``listed`` is whether the registry has it withdrawn; dates are YYYY-MM-DD, empty: not settled."""

    psam_id: str
    terminal: str
    operator: str
    listed: bool | None  # None: it is not in the registry, or no registry was given
    stolen_on: str
    closed_on: str  # from this day on no terminal asks for the exposed versions
    last_expiry: str  # until when cards that carry them may be used
    assumed: bool  # nobody noted what it held: all versions are taken as exposed
    simulated: bool
    exposed: tuple[Exposed, ...]

    @property
    def settled(self) -> bool:
        """Whether all that can be done was done: listed, withdrawn, and no terminal asks for it any more."""
        gone = all(key.state in ("compromised", "destroyed") for key in self.exposed)
        return bool(self.listed) and gone and bool(self.closed_on)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, the sentences included."""
        return {
            "psam": self.psam_id,
            "terminal": self.terminal,
            "operator": self.operator,
            "listed": self.listed,
            "stolen_on": self.stolen_on,
            "closed_on": self.closed_on,
            "last_expiry": self.last_expiry,
            "assumed": self.assumed,
            "simulated": self.simulated,
            "settled": self.settled,
            "exposed": [
                {"key": k.name, "state": k.state, "next_version": k.next_version, "cards": k.cards}
                for k in self.exposed
            ],
            "at_risk": [{"what": _both(what), "until": _both(until)} for what, until in self.at_risk()],
            "not_at_risk": [_both(text) for text in self.not_at_risk()],
            "to_do": [{"done": done, "what": _both(text)} for done, text in self.to_do()],
        }

    def at_risk(self) -> list[tuple[Text, Text]]:
        """(what, until when)."""
        from_then = Text(
            en=f"{self.closed_on}, when the last terminal stops asking for these versions"
            if self.closed_on
            else "open: terminals still ask for these versions",
            zh=f"{self.closed_on}，全部终端不再使用上述版本"
            if self.closed_on
            else "未定：仍有终端使用上述版本",
        )
        cards = Text(
            en=f"{self.last_expiry}, when the last card that carries them expires, or has them replaced"
            if self.last_expiry
            else "open: until the cards that carry them expire or have them replaced",
            zh=f"{self.last_expiry}，最后一张载有该版本的卡到期或更换密钥"
            if self.last_expiry
            else "未定：至载有该版本的卡到期或更换密钥",
        )
        found = []
        if any(key.name.startswith("purchase/") for key in self.exposed):
            found = [
                (
                    Text(
                        en="Counterfeit cards of every city pass MAC2 at offline terminals; the operator learns of "
                        "the loss in clearing, where their TAC is wrong",
                        zh="任一城市的伪造卡可在脱机终端通过 MAC2；清算时 TAC 错误，损失由运营方承担",
                    ),
                    from_then,
                ),
                (
                    Text(
                        en="A forged terminal debits real cards against their holders' will; the TACs are real, so "
                        "look for two uses of one terminal's serials before paying",
                        zh="伪造终端可在持卡人不知情时扣款；TAC 真实，付款前须核查终端流水号重复",
                    ),
                    cards,
                ),
            ]
        if any(key.name.startswith("grey_lock/") for key in self.exposed):
            found.append(
                (
                    Text(
                        en="Fuel purses are locked and released with amounts that no pump measured",
                        zh="加油钱包可被任意锁定并以虚假金额解锁",
                    ),
                    from_then,
                )
            )
        return found

    def not_at_risk(self) -> list[Text]:
        """What the module never held."""
        found = [
            Text(
                en="Loads, unloads and limits: their keys are the issuer's alone",
                zh="圈存、圈提与透支限额：密钥仅发卡机构持有",
            ),
            Text(
                en="TACs and the books: no forged record is paid as a counterfeit card's",
                zh="TAC 与账务：伪造卡的记录不会获得支付",
            ),
        ]
        if any(key.next_version for key in self.exposed):
            found.append(Text(en="The versions that it did not hold", zh="该模块未持有的密钥版本"))
        return found

    def to_do(self) -> list[tuple[bool, Text]]:
        """(whether it was done, what)."""
        withdrawn = all(key.state in ("compromised", "destroyed") for key in self.exposed)
        ready = all(key.next_version for key in self.exposed)
        return [
            (bool(self.listed), Text(en="Withdraw the module in the registry", zh="在登记系统中撤销该模块")),
            (
                ready,
                Text(
                    en="Have a version in use that the module did not hold", zh="具备该模块未持有的可用版本"
                ),
            ),
            (
                bool(self.closed_on),
                Text(
                    en="Switch all terminals of all cities to it by a date",
                    zh="所有城市的终端按日期切换至该版本",
                ),
            ),
            (
                withdrawn,
                Text(
                    en="Withdraw the versions in a ceremony (jinka keys compromise)",
                    zh="通过密钥仪式撤销泄露版本",
                ),
            ),
        ]

    def as_json(self) -> str:
        """The data as JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2) + "\n"

    def as_text(self, language: Language = Language.EN) -> str:
        """For a terminal, in one language."""
        word = _chooser(language)
        lines = [word(_title(self)), ""]
        lines += [f"{word(label)}: {value}" for label, value in self._facts(word)]
        lines += ["", word(Text(en="Exposed", zh="已暴露")) + ":"]
        lines += ["  " + "  ".join(row) for row in self._key_rows(word)]
        lines += ["", word(Text(en="At risk, and until when", zh="风险及期限")) + ":"]
        for what, until in self.at_risk():
            lines += [f"  {word(what)}", f"    {word(Text(en='until', zh='至'))} {word(until)}"]
        lines += ["", word(Text(en="Not at risk", zh="不受影响")) + ":"]
        lines += [f"  {word(text)}" for text in self.not_at_risk()]
        lines += ["", word(Text(en="To do", zh="待办")) + ":"]
        lines += [f"  [{'x' if done else ' '}] {word(text)}" for done, text in self.to_do()]
        return "\n".join(lines) + "\n"

    def as_html(self) -> str:
        """One self-contained page with both languages; it loads nothing."""
        digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
        rows = [
            _section(
                Text(en="Facts", zh="事实"), [[label, value] for label, value in self._facts(_chooser(None))]
            ),
            _section(Text(en="Exposed", zh="已暴露"), self._key_rows(_chooser(None))),
            _section(
                Text(en="At risk, and until when", zh="风险及期限"), [list(row) for row in self.at_risk()]
            ),
            _section(Text(en="Not at risk", zh="不受影响"), [[text] for text in self.not_at_risk()]),
            _section(
                Text(en="To do", zh="待办"), [["✓" if done else "☐", text] for done, text in self.to_do()]
            ),
        ]
        title = _title(self)
        return (
            '<!doctype html><html lang="zh"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
            f"content=\"default-src 'none'; style-src 'sha256-{digest}'\">"
            f"<title>{escape(title.zh)} {escape(title.en)}</title><style>{_STYLE}</style></head><body>"
            f"<h1>{_cell(title)}</h1>{''.join(rows)}</body></html>\n"
        )

    def _facts(self, word: Any) -> list[tuple[Text, Any]]:
        unknown = word(Text(en="not known", zh="未知"))
        listed = {True: Text(en="withdrawn", zh="已撤销"), False: Text(en="still active", zh="仍为有效")}
        return [
            (Text(en="Module", zh="模块序列号"), self.psam_id),
            (Text(en="Terminal", zh="终端"), self.terminal or unknown),
            (Text(en="Operator", zh="运营方"), self.operator or unknown),
            (
                Text(en="Registry", zh="登记状态"),
                unknown if self.listed is None else word(listed[self.listed]),
            ),
            (Text(en="Stolen on", zh="失窃日期"), self.stolen_on or unknown),
            (
                Text(en="What it held", zh="所持密钥"),
                word(
                    Text(en="not noted: all versions are assumed", zh="无记录：按全部版本处理")
                    if self.assumed
                    else Text(en="as its orders say", zh="依据下发记录")
                ),
            ),
        ]

    def _key_rows(self, word: Any) -> list[list[Any]]:
        after = Text(en="no version to go to", zh="无可切换版本")
        return [
            [key.name, word(_STATES[key.state]), word(_count(key.cards)),
             f"→ {key.next_version}" if key.next_version else word(after)]
            for key in self.exposed
        ]  # fmt: skip


def _title(report: StolenPsam) -> Text:
    mark = Text(en=" (simulated)", zh="（模拟）") if report.simulated else Text(en="", zh="")
    return Text(en=f"Stolen security module{mark.en}", zh=f"安全模块失窃报告{mark.zh}")


def _count(cards: int | None) -> Text:
    if cards is None:
        return Text(en="cards: not known", zh="卡数未知")
    return Text(en=f"{cards:,} cards", zh=f"{cards:,} 张卡")


def _chooser(language: Language | None) -> Any:
    if language is None:
        return lambda text: text
    return lambda text: getattr(text, language.value)


def _both(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}


def _cell(value: Text | str) -> str:
    if isinstance(value, Text):
        return f"{escape(value.zh)}<small lang=en>{escape(value.en)}</small>"
    return escape(value)


def _section(title: Text, rows: list[list[Any]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{_cell(title)}</h2><table>{body}</table>"
