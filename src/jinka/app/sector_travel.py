"""Plays the steps of travel documents: a state issues one, somebody forges it, an inspection terminal judges it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jinka.app.sector_authority import utc
from jinka.app.sector_masking import masked_number
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_world import World
from jinka.card import Personal
from jinka.card.template import personalised
from jinka.card.travel import PRIVATE_FID
from jinka.card.travel_issue import document_data, security_object
from jinka.codec import lds
from jinka.codec.mrz import Mrz, MrzFormat
from jinka.crypto.certificates import Authority
from jinka.crypto.rsa_sign import ChipKeyKind, generate_pair
from jinka.declaration import Counted
from jinka.declaration.steps import Step
from jinka.declaration.steps_identity import Forge, Inspect, IssueDocument
from jinka.kit import NotFound, Usage
from jinka.profile import ApplicationKind, ApplicationProfile
from jinka.reports.day import Text
from jinka.terminal.inspection import InspectionTerminal, Result, Verdict

_FACE = b"\xff\xd8\xff\xe0" + b"a simulated photograph" * 8 + b"\xff\xd9"
_WIDTH, _HEIGHT = 240, 320
_GROUPS = (1, 2, 14, 15)
_VERDICTS_ZH = {
    Verdict.COPY_NOT_EXCLUDED: "不能排除复制",
    Verdict.SIGNER_UNKNOWN: "签名者不可信",
    Verdict.EXPIRED: "已过期",
    Verdict.FORGED: "伪造",
    Verdict.UNREADABLE: "不可读",
}
_FORGED = {
    "name": ("another name in data group 1", "改写DG1姓名"),
    "photo": ("another photograph in data group 2", "替换DG2人像"),
    "clone": ("all that can be read, on another chip", "可读数据全部复制到另一芯片"),
    "signer": ("signed under a country of the forger's own", "以自造国家签名者签发"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    zone: Mrz
    data: Personal


@dataclass(slots=True)
class _States:
    """The states of a journey: a country signer for each, and the documents by name."""

    countries: dict[str, Authority] = field(default_factory=dict)
    documents: dict[str, _Made] = field(default_factory=dict)
    serial: int = 1

    def document(self, name: str) -> _Made:
        if name not in self.documents:
            raise NotFound(f"no document {name!r}", where="travel documents", fix="issue it first")
        return self.documents[name]


def _states(world: World) -> _States:
    return world.service("travel documents", _States)


def _country(world: World, state: str) -> Authority:
    known = _states(world).countries
    if state not in known:
        known[state] = _new_country(world, state)
    return known[state]


def _new_country(world: World, state: str) -> Authority:
    start = utc(world) - dt.timedelta(days=1)
    return Authority.root(state[:2], f"Country signer {state}", start, start + dt.timedelta(days=15 * 365))


def _signer(world: World, country: Authority, state: str, days: int) -> Authority:
    states = _states(world)
    states.serial += 1
    start = utc(world) - dt.timedelta(hours=1)
    return country.signer(
        state[:2], f"Document signer {states.serial}", states.serial, start, start + dt.timedelta(days=days)
    )


def _profile(world: World) -> ApplicationProfile:
    for sector in (world.sector, *world.catalogue.values()):
        for profile in sector.profiles:
            if profile.application is ApplicationKind.TRAVEL:
                return profile
    raise NotFound("no application of travel documents", where=world.sector.name, fix="compose one")


def play_issue_document(step: IssueDocument, world: World) -> Text:
    zone = Mrz(
        format=MrzFormat.TD3, document_type="P", issuer=step.state, number=step.number, nationality=step.state,
        surname=step.surname, given_names=step.given_names, birth=step.birth, sex=step.sex, expiry=step.expiry,
        optional=step.optional,
    )  # fmt: skip
    signer = _signer(world, _country(world, step.state), step.state, step.signer_days)
    data = document_data(zone, _FACE, width=_WIDTH, height=_HEIGHT, signer=signer)
    _states(world).documents[step.document] = _Made(zone=zone, data=data)
    printed = masked_number(zone.lines()[1])
    return Text(
        f"{step.state} issues {step.document}; the second line of its zone reads `{printed}`",
        f"{step.state}签发{step.document}，机读区第二行为`{printed}`",
    )


def play_forge(step: Forge, world: World) -> Text:
    states = _states(world)
    made = states.document(step.document)
    contents = dict(made.data.contents)
    if step.lie == "name":
        other = replace(made.zone, given_names="OTTO")
        contents[0, lds.group_fid(1)] = lds.encode_zone(other.lines())
    elif step.lie == "photo":
        contents[0, lds.group_fid(2)] = lds.encode_face(_FACE[:-2] + b"!", width=_WIDTH, height=_HEIGHT)
    elif step.lie == "clone":
        contents[0, PRIVATE_FID] = bytes((ChipKeyKind.P256,)) + generate_pair(ChipKeyKind.P256)[0]
    elif step.lie == "signer":
        signer = _signer(world, _new_country(world, made.zone.issuer), made.zone.issuer, 3650)
        groups = {number: contents[0, lds.group_fid(number)] for number in _GROUPS}
        contents[0, lds.SOD] = security_object(groups, signer)
    else:
        raise Usage(f"no lie {step.lie!r}", where=step.document, fix="one of " + ", ".join(_FORGED))
    states.documents[step.false] = replace(made, data=replace(made.data, contents=contents))
    en, zh = _FORGED[step.lie]
    return Text(
        f"Somebody makes {step.false} out of {step.document}: {en}",
        f"有人由{step.document}伪造{step.false}：{zh}",
    )


def play_inspect(step: Inspect, world: World) -> Text:
    states, device = _states(world), world.device(step.device)[1]
    made = states.document(step.document)
    printed = states.document(step.printed or step.document).zone
    chip = personalised(_profile(world), made.data, world.randomness)
    anchors = [country.certificate for country in states.countries.values()]
    terminal = InspectionTerminal(anchors, world.randomness)
    found = terminal.inspect(chip, "\n".join(printed.lines()), utc(world))
    verdict = found.verdict
    world.count(Counted.INSPECTED, device=step.device, reason=verdict.name)
    failed = [check for check, result in found.results.items() if result is Result.FAILED]
    head = Text(f"{device.title_en} inspects {step.document}", f"{device.title_zh}查验{step.document}")
    if verdict is not Verdict.GENUINE:
        expect_refused(step.refused, verdict.name, "; ".join(found.reasons.values()))
        world.count(Counted.REFUSED, device=step.device, reason=verdict.name)
        return Text(
            f"{head.en}: {verdict.name}, not so: {', '.join(check.value[0] for check in failed)}",
            f"{head.zh}：{_VERDICTS_ZH[verdict]}（{verdict.name}），未通过："
            f"{'、'.join(check.value[1] for check in failed)}",
        )
    expect_done(step.refused)
    world.count(Counted.ADMITTED, device=step.device, entitlement="inspection")
    return Text(f"{head.en}: genuine, all {len(found.results)} checks hold",
                f"{head.zh}：真实，{len(found.results)}项检查全部通过")  # fmt: skip


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    IssueDocument: play_issue_document,
    Forge: play_forge,
    Inspect: play_inspect,
}
