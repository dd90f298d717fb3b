"""A register of base records with a family in it, and a story of what departments may see of it. All of it is invented.

The story is played through the same functions as the commands, on a clock of its own that begins on a fixed day, so
every run tells the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinka.app.records import SECRET, Office, office
from jinka.identity.base_records import Look, Ref, Sought
from jinka.kit import NotFound, Refused

_NUMBER, _EMPLOYER = "440301199003072719", "91440300708461136T"
_BEGIN = int(dt.datetime(2026, 6, 1, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000
_UNTIL = dt.date(2026, 12, 31)
Told = tuple[str, str]


class _Clock:
    """A minute passes between any two acts."""

    def __init__(self) -> None:
        self.now = _BEGIN

    def now_micros(self) -> int:
        self.now += 60_000_000
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One step: what happened, and what came of it, in English and in Chinese."""

    told: Told
    result: Told
    ok: bool
    data: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"told": self.told[0], "result": self.result[0], "ok": self.ok, "data": self.data}


@dataclass(slots=True)
class _Story:
    open_: Office
    steps: list[Played] = field(default_factory=list)

    def tell(self, told: Told, act: Callable[[], Any], result: Callable[[Any], Told]) -> Any:
        """Play a step; a refusal is a result too."""
        try:
            found = act()
        except (Refused, NotFound) as refused:
            self.steps.append(
                Played(told=told, result=(f"refused: {refused.what}", "已拒绝，并已记录"), ok=False)
            )
            return None
        self.steps.append(Played(told=told, result=result(found), ok=True))
        return found

    def look(self, told: Told, department: str, purpose: str, *fields: str, **more: Any) -> None:
        """Play a look at the person."""
        asked = Look(
            department=department, officer="zhao-liu", purpose=purpose, kind="person", fields=fields, **more
        )
        self.tell(
            told,
            lambda: self.open_.look(asked, Sought(field="identity_number", value=_NUMBER)),
            lambda seen: (
                "shown: " + ", ".join(f"{name} ({why})" for name, why in seen.grounds.items()),
                "已显示：" + "、".join(f"{name}（{why}）" for name, why in seen.grounds.items()),
            ),
        )


def play(folder: Path) -> list[Played]:
    """Make the register in a new folder and play the story."""
    if (folder / SECRET).exists():
        raise Refused("a register is here already", where=str(folder), fix="name another folder with --dir")
    with office(folder, new=True, clock=_Clock()) as open_:
        story = _Story(open_)
        person = _family(story)
        _looks(story, person)
        _emergency(story)
        _copies(story, person)
        _credit(story, person)
        _ends(story, person)
    return story.steps


def _family(story: _Story) -> str:
    open_ = story.open_

    def write(target: str, department: str, **values: str) -> str:
        made = open_.write(target, values, department=department, officer="wang-wu", why="certificate 7")
        return str(made["record"])

    def make() -> str:
        person = write(
            "person",
            "public-security",
            identity_number=_NUMBER,
            name="李雷",
            sex="male",
            birth_date="1990-03-07",
        )
        employer = write(
            "organisation", "market-regulation", credit_code=_EMPLOYER, name="鹏城公司", status="active"
        )
        flat = write(
            "residence", "public-security", kind="registered", division="440305", address="深南大道1号"
        )
        car = write("vehicle", "traffic-police", plate="粤B12345", vin="1M8GDM9AXKP042788", use="private")
        job = write("employment", "human-resources", employer=employer, base_fen="1200000", status="employed")
        card = write("card", "card-centre", number="6214830000000017", issuer="鹏城通", status="active")
        for aid in ("A000000632010105", "D156000001"):
            purse = write("application", "card-centre", aid=aid, provider="鹏城通", status="active")
            write(card, "card-centre", applications=purse)
        write(person, "card-centre", cards=card, mobile="13800138000", emergency_contact="韩梅梅")
        write(person, "public-security", residences=flat)
        write(person, "traffic-police", vehicles=car)
        write(person, "human-resources", employments=job)
        return person

    person: str = story.tell(
        (
            "six sources write a person, a flat, a car, an employer, a job and a card with two applications",
            "六个来源部门登记个人、住所、车辆、单位、就业以及带两个应用的卡片",
        ),
        make,
        lambda found: (f"{found} and 8 records beside it", f"{found} 及相关 8 条记录"),
    )
    return person


def _looks(story: _Story, person: str) -> None:
    bank, loan = "bank", "loan-review"
    story.look(
        ("a bank opens an account: name and number (real-name rule)", "银行开户核对姓名和号码（实名制）"),
        bank, "account-opening", "name", "identity_number", case="account 88",
    )  # fmt: skip
    story.look(
        ("the bank asks for the name and the employment, for a loan", "银行为贷款查询姓名与就业"),
        bank, loan, "name", "employments", case="loan 9",
    )  # fmt: skip
    story.tell(
        ("the holder consents to that, until the end of the year", "本人同意，有效至年底"),
        lambda: story.open_.consent(
            person, department=bank, purpose=loan, kind="person", fields=["name", "employments"], until=_UNTIL,
            separate=False, guardian="", officer="holder",
        ),
        lambda found: (f"consent {found['consent']}", f"同意 {found['consent']}"),
    )  # fmt: skip
    story.look(("the bank asks again", "银行再次查询"), bank, loan, "name", "employments", case="loan 9")
    story.look(
        ("the bank uses the consent for another purpose", "银行将同意用于其他目的"),
        bank, "benefit-check", "name", "employments",
    )  # fmt: skip
    story.tell(
        ("the holder withdraws the consent", "本人撤回同意"),
        lambda: story.open_.withdraw(person, 1, officer="holder"),
        lambda found: (f"consent {found['consent']} is withdrawn", "已撤回"),
    )
    story.look(
        ("the bank asks once more", "银行又一次查询"), bank, loan, "name", "employments", case="loan 9"
    )
    story.look(
        ("tax asks for the cards, which no rule gives it", "税务查询卡片，无任何规则允许"),
        "tax", "tax-assessment", "cards",
    )  # fmt: skip


def _emergency(story: _Story) -> None:
    story.look(
        ("a hospital breaks the glass: name and whom to call", "医院紧急查询姓名和紧急联系人"),
        "health", "treatment", "name", "emergency_contact", reason="unconscious after an accident", emergency=True,
    )  # fmt: skip
    story.tell(
        ("the supervision reviews that look", "监督部门复核该次查询"),
        lambda: story.open_.step(
            1, "justify", actor="supervision", officer="wu-qi", text="ambulance report 31"
        ),
        lambda case: (f"{case['machine']} {case['case']}: {case['state']}", "认定正当"),
    )


def _copies(story: _Story, person: str) -> None:
    insurance = "social-insurance"
    asked = Look(
        department=insurance, officer="sun-ba", purpose="insurance-enrolment", kind="person",
        fields=("name", "residences"), case="enrolment 5",
    )  # fmt: skip
    story.tell(
        ("social insurance begins a copy of name and residence", "社保建立姓名和居住信息副本"),
        lambda: story.open_.open_copy(asked, Sought(ref=Ref.parse(person))),
        lambda found: (f"copy {found['copy']}", f"副本 {found['copy']}"),
    )

    def correct() -> list[dict[str, Any]]:
        case = story.open_.object_to(
            person, person, 2, officer="holder", text="the second character is wrong"
        )
        story.open_.step(
            case["case"],
            "correct",
            actor="public-security",
            officer="wang-wu",
            text="register 12",
            value="李蕾",
        )
        return story.open_.outbox(insurance, "sun-ba")

    told = story.tell(
        ("the holder objects to the name; its source corrects it", "本人对姓名提出异议，来源部门更正"),
        correct,
        lambda found: (
            f"the copy is told: {len(found)} messages, the last of version {found[-1]['version']}",
            f"副本收到 {len(found)} 条消息",
        ),
    )
    story.tell(
        ("social insurance applies and acknowledges them", "社保更新副本并确认"),
        lambda: story.open_.acknowledge(insurance, [one["message"] for one in told]),
        lambda found: (f"{found['acknowledged']} acknowledged", f"已确认 {found['acknowledged']} 条"),
    )


def _credit(story: _Story, person: str) -> None:
    story.tell(
        ("the bank reports an overdue instalment that ended", "银行报送一笔已结清的逾期"),
        lambda: story.open_.report_credit(
            person, institution="bank", officer="zhao-liu", sign="bad", text="instalment overdue",
            amount_fen=350_000, since=dt.date(2025, 11, 5), ended=dt.date(2026, 1, 5), replaces=0,
        ),
        lambda found: (f"to be deleted on {found['delete_on']}", f"应于 {found['delete_on']} 删除"),
    )  # fmt: skip
    story.tell(
        ("the holder disputes it", "本人提出征信异议"),
        lambda: story.open_.dispute_credit(person, 1, officer="holder", text="paid in time"),
        lambda found: (f"marked; answer due {found['due']}", f"已标注；答复期限 {found['due']}"),
    )
    story.tell(
        ("the holder reads the own record", "本人查询自己的信用记录"),
        lambda: story.open_.own_credit(person, officer="holder"),
        lambda found: (
            f"{len(found.entries)} entry, disputed: {found.entries[0]['disputed']}; no fee",
            f"{len(found.entries)} 条，异议标注：有；免费",
        ),
    )


def _ends(story: _Story, person: str) -> None:
    def looked(rows: list[dict[str, Any]]) -> tuple[int, int]:
        found = [row for row in rows if row["act"].startswith(("look", "copy.sent"))]
        return len(found), sum(row["outcome"] == "refused" for row in found)

    story.tell(
        ("the holder reads who looked", "本人查看谁查询过"),
        lambda: looked(story.open_.log(person)),
        lambda found: (
            f"{found[0]} looks, {found[1]} of them refused",
            f"共 {found[0]} 次查询，其中 {found[1]} 次被拒绝",
        ),
    )
    story.tell(
        ("the log is examined", "检验日志"),
        lambda: story.open_.examine(),
        lambda report: (
            f"{report.entries} entries, {'sound' if report.sound else 'not sound'}",
            f"{report.entries} 条，{'完好' if report.sound else '已被改动'}",
        ),
    )
