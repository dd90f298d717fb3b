"""The printed forms of a key ceremony: one custodian's secret on one sheet, as text and as HTML, in both languages.

A form goes into an envelope that is sealed, signed across and kept by one person (dual control, split knowledge;
ISO 11568-2). It carries the line to type, its check value, and what is needed to find its place: issuer, ceremony,
number, the check value of the whole, and the digest of the first record. It never carries two parts.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from html import escape

from jinka.keys import Share, Sharing
from jinka.keys.components import Component
from jinka.reports.day import Text

_STYLE = (
    "body{font:12pt/1.5 serif;margin:2cm;color:#000;background:#fff}h1{font-size:16pt}table{border-collapse:collapse}"
    "th{text-align:left;font-weight:normal;padding:.2em 1em .2em 0;vertical-align:top}td{padding:.2em 0}"
    "p.secret{font:14pt/2 monospace;border:2px solid #000;padding:.5em;word-spacing:.3em;overflow-wrap:anywhere}"
    "p.sign{margin-top:2em}small{display:block}"
)
_RULES = (
    Text(
        en="Print it once, put it into an envelope, sign across the seal, delete the file. Show it to nobody.",
        zh="只打印一次，装入信封，骑缝签名，然后删除文件。不得向任何人出示。",
    ),
    Text(
        en="Nobody may hold two parts. If the seal is broken, report it: the key counts as compromised.",
        zh="任何人不得同时持有两份。封口破损须立即报告：该密钥视为已泄露。",
    ),
)
_SIMULATED = Text(en="SIMULATED: worth nothing", zh="模拟：不具备任何价值")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyForm:
    """One sheet. ``secret`` is the line that its custodian types."""

    title: Text
    rows: tuple[tuple[Text, str], ...]
    secret: str = field(repr=False)
    simulated: bool

    def as_text(self) -> str:
        """For a line printer or an editor."""
        lines = [f"{self.title.zh}  {self.title.en}", "=" * 78, ""]
        if self.simulated:
            lines += [f"*** {_SIMULATED.zh} {_SIMULATED.en} ***", ""]
        for label, value in self.rows:
            lines += [f"{label.zh} {label.en}:", f"    {value}"]
        lines += ["", "抄录 Type this line:", ""]
        lines += [f"    {piece}" for piece in _pieces(self.secret)]
        lines += [""]
        for rule in _RULES:
            lines += [rule.zh, rule.en]
        lines += ["", "签名 Signature: ______________________    日期 Date: ______________", ""]
        return "\n".join(lines)

    def as_html(self) -> str:
        """One self-contained page; it loads nothing."""
        digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{digest}'"
        rows = "".join(
            f"<tr><th scope=row>{escape(label.zh)}<small lang=en>{escape(label.en)}</small></th>"
            f"<td>{escape(value)}</td></tr>"
            for label, value in self.rows
        )
        rules = "".join(
            f"<p>{escape(rule.zh)}<small lang=en>{escape(rule.en)}</small></p>" for rule in _RULES
        )
        mark = f"<p><strong>{_SIMULATED.zh} {_SIMULATED.en}</strong></p>" if self.simulated else ""
        return (
            f'<!doctype html><html lang="zh"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
            f"<title>{escape(self.title.zh)} {escape(self.title.en)}</title><style>{_STYLE}</style></head><body>"
            f"<h1>{escape(self.title.zh)} <span lang=en>{escape(self.title.en)}</span></h1>{mark}"
            f"<table>{rows}</table><p>抄录 <span lang=en>Type this line</span>:</p>"
            f'<p class="secret">{escape(self.secret)}</p>{rules}'
            '<p class="sign">签名 <span lang=en>Signature</span> ____________________ '
            "日期 <span lang=en>Date</span> ____________</p></body></html>\n"
        )


def share_form(share: Share, *, needed: int, made: int, date: str, record: str) -> KeyForm:
    """The sheet of one share of a wrapping key; ``record`` is the digest of the ceremony's record."""
    whole = share.sharing is Sharing.COMPONENTS
    kind = Text(en="Component", zh="密钥分量") if whole else Text(en="Share", zh="密钥份额")
    return KeyForm(
        title=Text(en=f"Key {kind.en.lower()} of one custodian", zh=f"{kind.zh}（仅限一名保管人）"),
        rows=(
            (Text(en="Custodian", zh="保管人"), share.custodian),
            (Text(en="Issuer", zh="发卡机构"), share.issuer),
            (Text(en="Date of the ceremony", zh="密钥仪式日期"), date),
            (Text(en="Number", zh="编号"), f"{share.x} / {made}"),
            (Text(en="How many open the store", zh="开启密钥库所需份数"), f"{needed} / {made}"),
            (Text(en="Check value of this part", zh="本份校验值"), share.own_check.upper()),
            (Text(en="Check value of the wrapping key", zh="保护密钥校验值"), share.check.upper()),
            (Text(en="Digest of the record (SHA-256)", zh="记录摘要（SHA-256）"), record),
        ),
        secret=share.typed(),
        simulated=share.simulated,
    )


def component_form(component: Component, *, issuer: str, date: str, simulated: bool) -> KeyForm:
    """The sheet of one component of one key."""
    return KeyForm(
        title=Text(en="Key component of one custodian", zh="密钥分量（仅限一名保管人）"),
        rows=(
            (Text(en="Custodian", zh="保管人"), component.custodian),
            (Text(en="Issuer", zh="发卡机构"), issuer),
            (Text(en="Key", zh="密钥"), str(component.key)),
            (Text(en="Date of the ceremony", zh="密钥仪式日期"), date),
            (Text(en="Number", zh="编号"), f"{component.number} / {component.of}"),
            (Text(en="Check value of this component", zh="本分量校验值"), component.own_check.upper()),
            (Text(en="Check value of the key", zh="密钥校验值"), component.key_check.upper()),
        ),
        secret=component.typed(),
        simulated=simulated,
    )


def _pieces(secret: str) -> list[str]:
    """The line, broken behind groups so that it fits a page."""
    words = secret.split(" ")
    return [" ".join(words[at : at + 8]) for at in range(0, len(words), 8)]
