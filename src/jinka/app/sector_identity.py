"""Plays the steps of certificates: keys made on cards, documents signed and verified, log-on by challenge.

A signature counts as received when somebody first verified it with success: one received before its certificate was
revoked keeps its force; one first shown after has none, whenever it says that it was made. One that is shown while its
certificate is on hold has force again when the hold is lifted. There is no time stamp service here; the recipient's
own time stands for it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinka.app.sector_authority import Offices, identity_application, offices, utc
from jinka.app.sector_cards import pin_bytes
from jinka.app.sector_officers import NoOfficer, require_officer
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_reasons import reason_text
from jinka.app.sector_remembered import remember, why_missing
from jinka.app.sector_world import World
from jinka.crypto.certificates import verify_message
from jinka.crypto.x509_fields import Subject
from jinka.declaration import Counted
from jinka.declaration.steps import Step
from jinka.declaration.steps_identity import Alter, Certify, LogOn, Revoke, Sign, Verify
from jinka.kit import NotFound, Refused, Usage
from jinka.reports.day import Text
from jinka.tariff.sheet import Fact
from jinka.terminal.identity import (
    CardSigner,
    IdentityStatus,
    IdentityTerminal,
    read_certificate,
    read_public_key,
)
from jinka.terminal.link import ChipRefused
from jinka.terminal.reading import select

_NONCE = 16
_BEFORE_POST = " / "  # in a common name
REASONS_ZH = {
    "ALTERED": "签名与内容不符",
    "REVOKED": "签署人证书已吊销或冻结",
    "UNTRUSTED": "证书不可信",
    "SIGNERS_MISSING": "签署岗位不齐",
    "GAP": "缺号",
    "REPEATED": "号码重复",
    "SUMS_DIFFER": "卡内累计数不符",
}
_STATUS_ZH = {
    IdentityStatus.NO_CERTIFICATE: "卡内无证书",
    IdentityStatus.ISSUER_UNKNOWN: "签发机构未知或证书无效",
    IdentityStatus.REVOKED: "证书已吊销或冻结",
    IdentityStatus.KEY_FALSE: "密钥不符",
    IdentityStatus.REFUSED: "口令错误或卡拒绝",
}
_ACTS = {"revoke": ("revoked", "吊销"), "suspend": ("suspended", "冻结"), "resume": ("resumed", "恢复")}


class Disbelieved(Refused):
    """A document is not believed; ``reason`` is ALTERED, REVOKED, UNTRUSTED, SIGNERS_MISSING or NOT_SHOWN."""

    def __init__(self, reason: str, what: str, where: str) -> None:
        super().__init__(what, where=where)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature as the recipient keeps it; ``covers`` is how many earlier ones it counter-signs."""

    card: str
    certificate: bytes
    value: bytes
    at: dt.datetime
    covers: int = 0


@dataclass(slots=True)
class Document:
    """What was signed, and by whom."""

    name: str
    text: str
    signatures: list[Signature] = field(default_factory=list)
    received: dict[bytes, dt.datetime] = field(default_factory=dict)  # by the signature: its first Verify

    def message(self, covers: int = 0) -> bytes:
        """The bytes that a card signs: the document, then each signature that is counter-signed."""
        parts = [b"jinka.document", self.name.encode(), self.text.encode()]
        parts += [one.certificate + one.value for one in self.signatures[:covers]]
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    def check(self, office: Offices, at: dt.datetime) -> list[tuple[Signature, str, str]]:
        """Each signature with its holder and post; raises `Disbelieved` for the first that is false."""
        found = office.newest_list(at)
        rows = []
        for one in self.signatures:
            try:
                holder = office.believe(one.certificate, one.at)
            except Refused as error:
                raise Disbelieved("UNTRUSTED", str(error), self.name) from error
            entry = found.entries.get(holder.serial)
            if entry is not None and entry.since <= self.received.get(one.value, at):
                raise Disbelieved("REVOKED", f"{holder.common_name}: {entry.reason.name}", self.name)
            try:
                verify_message(holder.public_der, self.message(one.covers), one.value)
            except Refused as error:
                raise Disbelieved("ALTERED", str(error), self.name) from error
            name, _, post = holder.common_name.partition(_BEFORE_POST)
            rows.append((one, name, post))
        for one in self.signatures:
            self.received.setdefault(one.value, at)
        return rows


def documents(world: World) -> dict[str, Document]:
    """The documents of a journey by name."""
    made: dict[str, Document] = world.service("signed documents", dict)
    return made


def document_of(world: World, name: str) -> Document:
    if name not in documents(world):
        raise NotFound(f"no document {name!r}", where=world.journey.name, fix="Sign it with its text first")
    return documents(world)[name]


def sign(world: World, card_name: str, document: Document, pin: str, *, counter: bool = False) -> Signature:
    """Have a card sign a document by APDU, with the certificate that lies on it; raises `ChipRefused`."""
    card = world.card(card_name)
    profile = identity_application(card)
    select(card.link, profile.aid)
    certificate = read_certificate(card.link)
    if certificate is None:
        raise ChipRefused("read certificate", 0x6A82)
    covers = len(document.signatures) if counter else 0
    signer = CardSigner(card.link, profile.aid, pin_bytes(pin), read_public_key(card.link, profile.aid))
    value = signer.sign(document.message(covers))
    made = Signature(card=card_name, certificate=certificate, value=value, at=utc(world), covers=covers)
    document.signatures.append(made)
    world.count(Counted.SIGNED, application=profile.name, device=card_name)
    return made


def play_certify(step: Certify, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    profile = identity_application(card)
    subject = Subject(
        common_name=f"{step.holder}{_BEFORE_POST}{step.post}" if step.post else step.holder,
        organisation=step.organisation, organisation_code=step.code,
    )  # fmt: skip
    try:
        require_officer(step, world)
        offices(world).certify(
            card, subject, clerk=step.clerk, pin=pin_bytes(step.pin), world=world,
        )  # fmt: skip
    except NoOfficer as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.device, application=profile.name, reason=error.reason)
        words = reason_text(error.reason)
        return Text(
            f"No certificate for {step.holder} as {step.post} of {step.organisation}: {words.en}",
            f"{step.holder}以{step.organisation}{step.post}身份申请证书被驳回：{words.zh}（{error.reason}）",
        )
    except Refused as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, device=step.device, application=profile.name, reason="CERTIFICATE")
        return Text(
            f"No certificate for {step.holder}: {error.what}",
            f"{step.holder}的证书申请被驳回",
        )
    expect_done(step.refused)
    world.count(Counted.WRITTEN, record="certificate", application=profile.name, device=step.device)
    post_en, post_zh = (f", {step.post}", f"（{step.post}）") if step.post else ("", "")
    return Text(
        f"{card.title.en} makes its key pair at {device.title_en}; two officers approve, a third issues: "
        f"the certificate of {step.holder}{post_en} is on the card",
        f"{card.title.zh}在{device.title_zh}片内生成密钥对，两人审批、第三人签发，{step.holder}{post_zh}的证书写入卡中",
    )


def play_sign(step: Sign, world: World) -> Text:
    card, known = world.card(step.card), documents(world)
    if step.text and step.document in known:
        raise Usage("the document says something already", where=step.document, fix="Alter it")
    document = known.get(step.document) or Document(step.document, step.text)
    if not document.text:
        raise Usage(
            "a document without a text", where=step.document, fix="give text where it is signed first"
        )
    try:
        sign(world, step.card, document, step.pin, counter=step.counter)
    except ChipRefused as error:
        reason = "WRONG_PIN" if error.sw & 0xFFF0 == 0x63C0 else f"{error.sw:04X}"
        expect_refused(step.refused, reason, error)
        world.count(Counted.REFUSED, application=identity_application(card).name, reason=reason)
        return Text(
            f"{card.title.en} does not sign {step.document} ({reason})",
            f"{card.title.zh}拒绝签署{step.document}（{reason}）",
        )
    expect_done(step.refused)
    known[step.document] = document
    verb_en, verb_zh = ("counter-signs", "加签") if step.counter else ("signs", "签署")
    said = f": {step.text}" if step.text else ""
    return Text(
        f"{card.title.en} {verb_en} {step.document}{said}", f"{card.title.zh}{verb_zh}{step.document}{said}"
    )


def play_alter(step: Alter, world: World) -> Text:
    document_of(world, step.document).text = step.text
    return Text(
        f"Somebody changes {step.document} to: {step.text}", f"有人把{step.document}改为：{step.text}"
    )


def play_verify(step: Verify, world: World) -> Text:
    document, device = document_of(world, step.document), world.device(step.device)[1]
    head = Text(f"{device.title_en} verifies {step.document}", f"{device.title_zh}验签{step.document}")
    try:
        for name in step.remembers:
            world.remembered.pop(name, None)
        rows = document.check(offices(world), utc(world))
        _require_posts(step, rows)
        if missing := why_missing(world, [f"={name}" for name in step.after]):
            raise Disbelieved(missing, f"needs {', '.join(step.after)}", step.document)
    except Disbelieved as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.device, reason=error.reason)
        return Text(
            f"{head.en}: {error.reason} ({error.what})",
            f"{head.zh}：不通过，{reason_text(error.reason).zh}（{error.reason}）",
        )
    expect_done(step.refused)
    remember(world, step.remembers, _said_in(document.text))
    world.count(Counted.ADMITTED, device=step.device, entitlement="verify")
    names = list(dict.fromkeys(_shown(name, post) for _, name, post in rows))
    return Text(
        f"{head.en}: signed by {', '.join(names)}",
        f"{head.zh}：{'、'.join(names)}签署，链、状态、时间均有效",
    )


def _shown(name: str, post: str) -> str:
    return f"{name} ({post})" if post else name


def _said_in(text: str) -> dict[str, Fact]:
    """The parts of a text, ``word value`` between semicolons, by their words; money with two decimals in fen."""
    said: dict[str, Fact] = {"signed": 1}
    for part in text.split(";"):
        word, _, value = part.strip().partition(" ")
        value = value.removesuffix(" %")
        yuan, dot, fen = value.partition(".")
        is_money = yuan.isdigit() and dot and fen.isdigit() and len(fen) == 2
        said[word] = int(yuan + fen) if is_money else int(value) if value.isdigit() else value
    return said


def _require_posts(step: Verify, rows: list[tuple[Signature, str, str]]) -> None:
    """Two signatures of one holder count once, whatever his posts are."""
    by_holder: dict[str, str] = {}
    for _, name, post in rows:
        by_holder.setdefault(name, post)
    there = Counter(by_holder.values())
    short = {post: count - there[post] for post, count in step.needs.items() if there[post] < count}
    if short:
        lacking = ", ".join(f"{count} {post}" for post, count in short.items())
        raise Disbelieved("SIGNERS_MISSING", f"lacks {lacking}", step.document)


def play_log_on(step: LogOn, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    office, at = offices(world), utc(world)
    counter = IdentityTerminal(
        identity_application(card).aid, world.terminal_number(step.device),
        [office.issuing.certificate.der], world.randomness,
    )  # fmt: skip
    found = counter.identify(card.link, pin_bytes(step.pin), at)
    status, reason = found.status, found.reason or f"{found.step} {found.sw:04X}"
    if found.holder is not None:
        try:
            office.ask_state(found.holder.serial, world.randomness.token_bytes(_NONCE), at)
        except Refused as error:
            status, reason = IdentityStatus.REVOKED, error.what.split(" since")[0]
    if status is not IdentityStatus.PROVEN or found.holder is None:
        expect_refused(step.refused, status.name, reason)
        world.count(Counted.REFUSED, device=step.device, reason=status.name)
        return Text(
            f"{card.title.en} does not log on at {device.title_en}: {status.value}",
            f"{card.title.zh}在{device.title_zh}登录失败：{_STATUS_ZH[status]}（{status.name}）",
        )
    expect_done(step.refused)
    world.count(Counted.ADMITTED, device=step.device, entitlement="log-on")
    name, _, post = found.holder.name.partition(_BEFORE_POST)
    who = _shown(name, post)
    return Text(
        f"{card.title.en} answers the challenge of {device.title_en}; OCSP says good: {who} is logged on",
        f"{card.title.zh}应答{device.title_zh}的随机挑战，OCSP状态有效：{who}已登录",
    )


def play_revoke(step: Revoke, world: World) -> Text:
    card = world.card(step.card)
    offices(world).act(step.card, step.act, utc(world))
    en, zh = _ACTS[step.act]
    return Text(f"The certificate of {card.title.en} is {en}", f"{card.title.zh}的证书已{zh}")


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    Certify: play_certify,
    Sign: play_sign,
    Alter: play_alter,
    Verify: play_verify,
    LogOn: play_log_on,
    Revoke: play_revoke,
}
