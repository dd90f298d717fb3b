"""The public's page: is the code in my hand known, and what does that prove. In Chinese and English, without script.

It stands before the EPCIS interface and asks for no right, so it tells nothing of a chain's partners: times and counts,
no places. Checks of one client are bounded, and those of one code count once a day, so that nobody makes a code look
suspect by asking again and again; one address behind a proxy is the proxy's. Who asked is forgotten with the process.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ipaddress
import threading
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from jinka.api.limits import Buckets
from jinka.api.problems import TooMany
from jinka.codec.tags import canonical_id, digital_link, parse_elements
from jinka.kit import Clock, JinkaError, Refused
from jinka.reports.trace_graph import short_name
from jinka.store.trace_checks import SqlChecks
from jinka.trace.check import CheckAnswer, Verdict, answer_check

CODE_MAX = 200
PER_MINUTE = 60
ASKED_MAX = 200_000
DAY_MICROS = 86_400_000_000
_STYLE = (
    "body{font:17px/1.6 system-ui,'Noto Sans CJK SC',sans-serif;margin:0 auto;max-width:38rem;padding:1.5rem;"
    "color:#1b2430;background:#fff}h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:1.8rem}"
    "input{font:inherit;width:100%;box-sizing:border-box;padding:.6rem;border:1px solid #8a97a8;border-radius:.5rem}"
    "button{font:inherit;margin-top:.7rem;padding:.55rem 1.4rem;border:0;border-radius:.5rem;background:#0b57d0;"
    "color:#fff}.verdict{padding:.9rem 1.1rem;border-radius:.6rem;background:#e8f0fe;font-weight:600}"
    ".warns{background:#fce8e6;color:#8c1d18}.soft{color:#5b6878;font-size:.92rem}dl{display:grid;"
    "grid-template-columns:max-content 1fr;gap:.3rem 1.2rem}dt{color:#5b6878}dd{margin:0;overflow-wrap:anywhere}"
    "header{display:flex;justify-content:space-between}a{color:#0b57d0}@media(prefers-color-scheme:dark){body{"
    "color:#e6ebf2;background:#12171e}.verdict{background:#1c2b45}.warns{background:#4a1f1c;color:#ffd9d6}"
    ".soft,dt{color:#9aa7b8}a{color:#8ab4f8}}"
)
_W = {
    "title": ("Check a code", "编码核验"), "code": ("The code or link on the product", "产品上的编码或链接"),
    "check": ("Check", "核验"), "other": ("中文", "English"), "thing": ("Code", "编码"), "lot": ("Lot", "批次"),
    "records": ("What the records say", "记录显示"), "meaning": ("What that may mean", "可能的含义"),
    "since": ("First recorded", "首次记录"), "seen": ("Last recorded", "最近记录"),
    "ended": ("Sold or ended", "售出或终结"),
    "events": ("Events", "事件数"), "recall": ("Recall", "召回"), "checks": ("Times checked", "核验次数"),
    "no": ("This is no code that can be checked.", "无法识别该编码。"),
    "many": ("Too many checks. Wait a minute.", "核验过于频繁，请稍后再试。"),
    "later": ("The records are being put in order. Come again later.", "记录正在整理，请稍后再试。"),
    "proof": (
        "A record proves that events of this code were reported. It does not prove that what you hold is that very "
        "thing: who copies a product copies its code too.",
        "记录只能证明有人上报过该编码的事件，不能证明您手中的产品就是该件产品：仿冒者也会复制编码。",
    ),
    "nothing": (
        "That no record is found does not prove a copy: not every maker reports here.",
        "查无记录并不等于假冒：并非所有生产者都在此上报。",
    ),
    "guess": ("A guess, no proof", "仅为推测，并非证明"),
}  # fmt: skip


class CheckPage:
    """ASGI: GET ``/check`` (under ``mount``) is answered here, everything else by ``app``."""

    def __init__(self, app: ASGIApp, checks: SqlChecks, clock: Clock, *, mount: str = "") -> None:
        self._app, self._checks, self._clock = app, checks, clock
        self._path = f"/{mount}/check" if mount else "/check"
        self._buckets = Buckets(clock)
        self._asked = Asked(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        await (await run_in_threadpool(self._answer, request))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        code = request.query_params.get("code", "")[: CODE_MAX + 1].strip()
        zh = request.query_params.get("lang", _preferred(request)) == "zh"
        if not code:
            return _page(zh=zh)
        client = client_of(request.client.host if request.client else "")
        try:
            self._buckets.take(client, PER_MINUTE)
        except TooMany:
            return _page(zh=zh, code=code, fault=_W["many"][zh], status=429)
        name = thing_of(code)
        if not name:
            return _page(zh=zh, code=code, fault=_W["no"][zh], status=400)
        count = self._asked.first(client, name)
        try:
            facts = self._checks.facts(name, self._clock.now_micros(), count=count)
        except Refused:  # the edges are being made again, or have to be
            return _page(zh=zh, code=code, fault=_W["later"][zh], status=503)
        answer = answer_check(facts)
        return _page(zh=zh, code=code, answer=answer)


class Asked:
    """Which client asked for which code within a day, in memory; the oldest of too many are forgotten."""

    def __init__(self, clock: Clock, *, most: int = ASKED_MAX) -> None:
        self._clock, self._most, self._lock = clock, most, threading.Lock()
        self._when: dict[bytes, int] = {}

    def first(self, client: str, name: str) -> bool:
        """Whether it is the first time within a day."""
        key, now = hashlib.sha256(f"{client}\0{name}".encode()).digest()[:16], self._clock.now_micros()
        with self._lock:
            before = self._when.get(key)
            if before is not None and now - before < DAY_MICROS:
                return False
            self._when.pop(key, None)
            self._when[key] = now
            while len(self._when) > self._most:
                del self._when[next(iter(self._when))]
            return True


def client_of(host: str) -> str:
    """Whom an address stands for: of IPv6 the network of 64 bits, which is one customer's."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((found, 64), strict=False))
    return host


def thing_of(code: str) -> str:
    """The canonical id of a link, a URN or an element string; empty for anything else."""
    if len(code) > CODE_MAX:
        return ""
    try:
        text = (
            code
            if code.startswith(("urn:epc:", "http://", "https://"))
            else digital_link(parse_elements(code))
        )
    except JinkaError:
        return ""
    name = canonical_id(text)
    return name if name.startswith(("https://id.gs1.org/", "urn:epc:id:")) else ""


def _preferred(request: Request) -> str:
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


def _page(
    *, zh: bool, code: str = "", fault: str = "", answer: CheckAnswer | None = None, status: int = 200
) -> Response:
    body = _environment().get_template("trace_check.html.j2").render(
        w={name: pair[zh] for name, pair in _W.items()}, lang="zh-CN" if zh else "en", other="en" if zh else "zh",
        code=code, fault=fault, style=Markup(_STYLE), answer=answer, shown=_shown(answer, zh=zh) if answer else {},  # noqa: S704 our own
    )  # fmt: skip
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'"
    headers = {
        "content-security-policy": policy, "cache-control": "no-store", "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }  # fmt: skip
    return HTMLResponse(body, status_code=status, headers=headers)


def _shown(answer: CheckAnswer, *, zh: bool) -> dict[str, Any]:
    words = {"thing": short_name(answer.name), "lot": ", ".join(short_name(lot) for lot in answer.lots)}
    words |= {"since": _time(answer.since_us), "seen": _time(answer.seen_us), "ended": _time(answer.ended_us)}
    words["events"] = str(answer.events) if answer.events else ""
    words["recall"] = ", ".join(map(str, answer.recalls))
    words["checks"] = str(answer.checks) if answer.checks else ""
    which = 1 if zh else 2
    return {
        "verdict": answer.verdict.value[which],
        "warns": answer.verdict.warns,
        "rows": [(_W[name][zh], text) for name, text in words.items() if text],
        "contradictions": [each.sign.value[which] for each in answer.contradictions],
        "guesses": [each.sign.value[which] for each in answer.guesses],
        "unknown": answer.verdict in (Verdict.UNKNOWN, Verdict.NEVER_MADE),
    }


def _time(at_us: int | None) -> str:
    return "" if at_us is None else f"{dt.datetime.fromtimestamp(at_us / 1e6, dt.UTC):%Y-%m-%d %H:%M} UTC"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("jinka.api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
