"""Plays the steps of base records over a register on SQLite: kept, consented to, looked at, told to their holder."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from jinka.app.sector_catalogue import parts_of
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_remembered import remember, texts_of
from jinka.app.sector_world import ZONE, StepFailed, World
from jinka.crypto.number_vault import KEY_BYTES, NumberVault
from jinka.declaration import Counted
from jinka.declaration.steps_base import Agree, Ask, Keep, Review, Viewed, Withdraw
from jinka.identity.base_records import Catalogue, Consent, Look, LookRefused, Ref, Sought
from jinka.identity.base_records.cases import SUPERVISION
from jinka.identity.base_records.notes import BROKEN_GLASS, LOOK
from jinka.keys import Outcome
from jinka.kit import JinkaError, NotFound, Refused, utc_micros
from jinka.reports.day import Text
from jinka.store.base_records import BaseRecords, Said
from jinka.store.base_records_cases import act_on_case

OFFICER, _REVIEWER = "officer-1", "officer-2"


class _Clock:
    def __init__(self, world: World) -> None:
        self._world = world

    def now_micros(self) -> int:
        return utc_micros(self._world.now, ZONE)


@dataclass(slots=True)
class Register:
    """The base records of a world, with a journey's names for what is in them."""

    books: BaseRecords
    refs: dict[str, Ref] = field(default_factory=dict)
    consents: dict[str, int] = field(default_factory=dict)
    reviews: dict[str, int] = field(default_factory=dict)  # the last of a record

    def ref(self, name: str) -> Ref:
        if name not in self.refs:
            raise NotFound(f"no record {name!r}", where="base records", fix="Keep it first")
        return self.refs[name]


def register_of(world: World) -> Register:
    """The register of a world, made when it is first asked for."""

    def make() -> Register:
        vault = NumberVault(world.randomness.token_bytes(KEY_BYTES), world.randomness)
        return Register(BaseRecords(world.database("base"), declared_records(world), vault, _Clock(world)))

    return world.service("base records", make)


def declared_records(world: World) -> Catalogue:
    """Departments, kinds and rules of a world's sectors."""
    sectors = {one.name: one for one in (*world.catalogue.values(), world.sector)}
    return Catalogue(parts_of(sectors.values()))


def play_keep(step: Keep, world: World) -> Text:
    found = register_of(world)
    values = {
        name: str(found.ref(value[1:])) if value.startswith("@") else value
        for name, value in texts_of(world, step.values).items()
    }
    title = department_title(found, step.department)
    try:
        made = found.books.write(
            found.refs.get(step.record, step.kind), [Said(field=name, value=value) for name, value in values.items()],
            department=step.department, officer=OFFICER, why=world.journey.name,
        )  # fmt: skip
    except JinkaError as error:
        expect_refused(step.refused, "REFUSED", error)
        return Text(f"{title.en} may not write that: {error.what}", f"{title.zh}无权写入")
    expect_done(step.refused)
    found.refs[step.record] = made.ref
    kind = found.books.catalogue.kind(step.kind)
    names = [kind.by_name[name].title for name in values]
    return Text(
        f"{title.en} keeps of {step.record}: " + ", ".join(name[0] for name in names),
        f"{title.zh}登记{step.record}：" + "、".join(name[1] for name in names),
    )


def play_agree(step: Agree, world: World) -> Text:
    found = register_of(world)
    draft = Consent(
        number=0, holder=0, department=step.department, purpose=step.purpose, kind=step.kind,
        fields=frozenset(step.fields), separate=step.separate, guardian=0, given_us=0, until_us=0,
    )  # fmt: skip
    until = world.now.date() + dt.timedelta(days=step.days)
    given = found.books.consent(found.ref(step.holder), draft, until=until, officer=OFFICER)
    found.consents[step.as_ or step.department] = given.number
    title, why = department_title(found, step.department), found.books.catalogue.purposes[step.purpose].title
    return Text(
        f"{step.holder} lets {title.en} see {', '.join(step.fields)} for {why[0]} until {until}",
        f"{step.holder}同意{title.zh}为{why[1]}查看{len(step.fields)}项信息，至{until}",
    )


def play_withdraw(step: Withdraw, world: World) -> Text:
    found = register_of(world)
    if step.consent not in found.consents:
        raise NotFound(f"no consent {step.consent!r}", where=step.holder)
    found.books.withdraw(found.ref(step.holder), found.consents[step.consent], officer=OFFICER)
    return Text(f"{step.holder} takes the consent back", f"{step.holder}撤回同意")


def play_ask(step: Ask, world: World) -> Text:
    found = register_of(world)
    ref = found.ref(step.record)
    title, why = department_title(found, step.department), found.books.catalogue.purposes[step.purpose].title
    fields = step.fields or tuple(step.shows)
    look = Look(
        department=step.department, officer=OFFICER, purpose=step.purpose, kind=ref.kind, fields=fields,
        case=step.case, reason=step.reason, emergency=step.emergency,
    )  # fmt: skip
    head = Text(f"{title.en} asks for {', '.join(fields)} of {step.record} ({why[0]})",
                f"{title.zh}为{why[1]}查询{step.record}的{len(fields)}项信息")  # fmt: skip
    try:
        seen = found.books.look(look, Sought(ref=ref))
    except LookRefused as refused:
        expect_refused(step.refused, refused.why.name, refused)
        world.count(Counted.REFUSED, department=step.department, reason=refused.why.name)
        world.count(Counted.LOOKED, department=step.department, record=ref.kind)
        return Text(f"{head.en}: refused, and noted", f"{head.zh}：拒绝，并已留痕")
    expect_done(step.refused)
    if seen.review:
        found.reviews[step.record] = seen.review
    elif step.emergency:
        raise StepFailed("an ordinary ground was enough: no emergency, no review", where=step.record)
    shown = {name: values[-1] for name, values in seen.values.items() if values}
    if shown != dict(step.shows):
        raise StepFailed(
            f"shown was {', '.join(shown) or 'nothing'} with other values or fields", where=step.record
        )
    remember(world, step.remembers, shown)
    world.count(Counted.LOOKED, department=step.department, record=ref.kind)
    grounds = "; ".join(sorted(set(seen.grounds.values())))
    review = Text(" (a review follows)", "（须事后复核）") if seen.review else Text("", "")
    return Text(
        f"{head.en}: shown, by {grounds}{review.en}",
        f"{head.zh}：可查，依据{grounds.replace('consent ', '本人同意书')}{review.zh}",
    )


def play_review(step: Review, world: World) -> Text:
    found = register_of(world)
    if step.record not in found.reviews:
        raise NotFound("no emergency look", where=step.record, fix="Ask with emergency first")
    title = department_title(found, step.by)
    try:
        with found.books.book() as book:
            case = act_on_case(
                book, found.reviews[step.record], step.act, actor=step.by,
                officer=_REVIEWER if step.by == SUPERVISION else OFFICER, text=step.reason,
            )  # fmt: skip
    except Refused as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, department=step.by, reason="REVIEW")
        return Text(f"{title.en}: {step.act} is refused ({error.what})", f"{title.zh}的复核操作被拒绝")
    expect_done(step.refused)
    said = case.machine.step(step.act).title
    return Text(
        f"{title.en} on the emergency look at {step.record}: {said[0]} ({step.reason})",
        f"{title.zh}就{step.record}的紧急查询：{said[1]}（{step.reason}）",
    )


def play_viewed(step: Viewed, world: World) -> Text:
    found = register_of(world)
    rows = [
        row.as_dict() for row in found.books.looks(found.ref(step.holder)) if row.act in (LOOK, BROKEN_GLASS)
    ]
    looks = tuple((row["department"], row["purpose"], row["outcome"] == Outcome.OK.value) for row in rows)
    if looks != tuple(step.looks):
        raise StepFailed(f"the holder sees {looks}, not {step.looks}", where=step.holder)
    told = []
    for row, (department, purpose, shown) in zip(rows, looks, strict=True):
        at = f"{dt.datetime.fromtimestamp(row['at_micros'] // 1_000_000, ZoneInfo(ZONE)):%m-%d %H:%M}"
        title, why = department_title(found, department), found.books.catalogue.purposes[purpose].title
        told.append(Text(
            f"{at} {title.en} for {why[0]} ({'shown' if shown else 'refused'})",
            f"{at} {title.zh}，{why[1]}（{'已查' if shown else '被拒'}）",
        ))  # fmt: skip
    return Text(
        f"{step.holder} reads who looked: " + "; ".join(one.en for one in told),
        f"{step.holder}查看访问记录：" + "；".join(one.zh for one in told),
    )


def department_title(found: Register, code: str) -> Text:
    """What a department is called."""
    title = found.books.catalogue.departments[code].title
    return Text(title[0], title[1])
