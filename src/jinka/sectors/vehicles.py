"""Vehicles and drivers: licence and vehicle cards, offences and points with their yearly cycle, inspection, tax.

The layouts of the cards are Jinka's: neither the chip of the driving licence nor GB/T 35789's electronic plate has a
published file or memory map. Cards and rights: `vehicle_cards`; tables: `vehicle_rules`.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Account,
    AccountHolds,
    Admit,
    Archetype,
    Ask,
    Assess,
    Counted,
    Device,
    DeviceKind,
    Journey,
    Keep,
    OpenAccount,
    PayOnline,
    Reads,
    ReadTag,
    Report,
    Sector,
    Stands,
    Step,
    TakeBack,
    Tell,
    Viewed,
    Write,
    WriteTag,
)
from jinka.sectors.vehicle_cards import CAR, DRIVER, DRIVER_RECORDS, LI, RIGHTS, VEHICLE, VEHICLE_RECORDS
from jinka.sectors.vehicle_rules import CASES, SHEETS

_OPEN = {"unpaid": "=points open", "open": "=fines open"}
_KEPT = {"points open": "points open", "fines open": "fines open"}


def _caught(offence: str, points: int, fine: int, word: str) -> tuple[Step, ...]:
    """One sheet says points and fine; both stand open, on the two cards, until they are settled."""
    return (
        Assess("points", {"offence": offence, "left": "=left", **_OPEN}, {"points": points, "fine": fine},
               remembers={"points": "points", f"{word} points": "points", word: "fine", "total": "total", **_KEPT}),
        Admit("li", "desk", "penalise", facts={"points": "=points", "unpaid": "=points open"},
              remembers={"left": "points left"}),
        Write("car", "desk", {"fines open": "=fines open"}, application=VEHICLE.name),
    )  # fmt: skip


def _settled(word: str, gives: dict[str, int]) -> tuple[Step, ...]:
    """What the bank reports as paid settles exactly this fine."""
    return (
        Assess("settled", {"paid": "=paid", "due": "=due", "fine": f"={word}", "points": f"={word} points", **_OPEN},
               gives, remembers=_KEPT),
        Write("li", "desk", {"points unpaid": "=points open"}),
        Write("car", "desk", {"fines open": "=fines open"}, application=VEHICLE.name),
    )  # fmt: skip


def _first() -> tuple[Step, ...]:
    return (
        Reads("li", "desk", {"points left": "12", "points unpaid": "0"},
              remembers={"left": "points left", "points open": "points unpaid"}, at="08:30"),
        Reads("car", "desk", {"fines open": "0"}, application=VEHICLE.name, remembers={"fines open": "fines open"}),
    )  # fmt: skip


_MARK = {"plate": "粤B12345", "months": "=months"}
_LEFT = {"left": "points left"}
_NOW = "since 2022-10-01"
_SIX_YEARS = Assess("inspection", {"use": "small private", "age": 6, "day": _NOW}, {"test": 1, "months": 24},
                    remembers={"months": "months"})  # fmt: skip
_STUDY = {"days": "=days", "tests": "=tests"}
_FINAL = {"from": "=left", "now": "=now"}
POINTS_YEAR = Journey(
    name="points", title_en="Offences, their fines and a cycle of points", title_zh="违法、罚款与一个记分周期",
    date=dt.date(2026, 3, 9), cards=(LI, CAR),
    steps=(
        Admit("li", "patrol", "drive", facts={"class": "C1"}, at="08:00"),
        Admit("li", "patrol", "drive", facts={"class": "A1"}, refused="OTHER_CLASS"),
        *_first(),
        *_caught("red light", 6, 20_000, "light"),
        *_caught("phone", 3, 20_000, "phone"),
        Reads("li", "patrol", {"points left": "3"}, refused=("licence number",)),
        Reads("li", "desk", {"name": "李雷"}, pin="246810"),
        _SIX_YEARS,
        Admit("car", "station", "mark", facts=_MARK, refused="FINE_OPEN"),
        OpenAccount("lilei", 80_000, pin="123456"),
        Tell("The decision gave fifteen days, until 24 March; he pays the red light's fine ten days late, the phone's "
             "not yet.", "处罚决定限15日内（3月24日前）缴款；闯红灯罚款逾期10日缴纳，打电话罚款未缴。"),
        Assess("fine", {"fine": "=light", "days late": "=days since 2026-03-24"}, {"late": 6_000, "due": 26_000},
               at="+25 10:00", remembers={"due": "due"}),
        PayOnline("lilei", "treasury.fines", "=due", pin="654321", refused="55"),
        PayOnline("lilei", "treasury.fines", "=due", pin="123456", remembers={"paid": "amount"}),
        *_settled("light", {"points open": 3, "fines open": 20_000}),
        Admit("car", "station", "mark", facts=_MARK, refused="FINE_OPEN"),
        Tell("The cycle ends: the phone's three points go over, since its fine is open.",
             "记分周期届满：打电话的罚款未缴，3分转入下一周期。"),
        Assess("cycle", {"left": "=left", "unpaid": "=points open"}, {"points": 9, "carried": 3, "fresh": 9},
               at="+36 09:00", remembers={"now": "fresh"}),
        Admit("li", "desk", "new-cycle", facts=_FINAL, refused="CYCLE_RUNS"),
        Admit("li", "desk", "penalise", facts={"points": "1", "unpaid": "=points open"}, refused="CYCLE_OVER",
              at="+37 09:00"),
        Admit("li", "desk", "new-cycle", facts=_FINAL, remembers=_LEFT),
        Assess("fine", {"fine": "=phone", "days late": "=days since 2026-03-24"}, {"late": 13_200, "due": 33_200},
               remembers={"due": "due"}),
        PayOnline("lilei", "treasury.fines", "=due", pin="123456", remembers={"paid": "amount"}),
        *_settled("phone", {"points open": 0, "fines open": 0}),
        Admit("car", "station", "mark", facts={**_MARK, "plate": "粤B99999"}, refused="OTHER_PLATE"),
        Admit("car", "station", "mark", facts=_MARK),
        Assess("reduction", {"online": 1, "classroom": 0, "service": 1, "before": 0, "left": "=left"},
               {"off": 2, "after": 11}, remembers={"now": "after"}),
        Admit("li", "desk", "credit", facts=_FINAL, remembers=_LEFT),
        Tell("He reverses on a motorway: with the point that is left there are thirteen.",
             "高速公路倒车：连同余下的1分，累积13分。"),
        Assess("points", {"offence": "reverse motorway", "left": "=left", **_OPEN}, {"points": 12, "total": 13},
               remembers={"points": "points", "total": "total", **_KEPT}),
        Admit("li", "desk", "penalise", facts={"points": "=points", "unpaid": "=points open"}, remembers=_LEFT),
        Admit("li", "desk", "credit", facts=_FINAL, refused="TWELVE_POINTS"),
        Write("car", "desk", {"fines open": "=fines open"}, application=VEHICLE.name),
        Admit("li", "patrol", "drive", facts={"class": "C1"}, refused="TWELVE_POINTS"),
        Assess("study", {"points": "=total", "large": 0}, {"days": 7, "tests": 1},
               remembers={"days": "days", "tests": "tests"}),
        Admit("li", "desk", "studied", facts=_STUDY, refused="NOT_STUDIED"),
        Write("li", "desk", {"study days": "7"}, at="+49 18:00"),
        Admit("li", "desk", "studied", facts=_STUDY, refused="NOT_TESTED"),
        Write("li", "desk", {"tests passed": "1"}, at="+50 09:00"),
        Admit("li", "desk", "studied", facts=_STUDY),
        Admit("li", "patrol", "drive", facts={"class": "C1"}),
        AccountHolds("lilei", 80_000 - 26_000 - 33_200),
        Stands("treasury.fines", 59_200),
        Tell("In April 2030 the licence has run out and was not renewed.", "2030年4月，驾驶证期满未换证。"),
        Admit("li", "patrol", "drive", facts={"class": "C1"}, refused="LICENCE_EXPIRED", at="+1499 09:00"),
    ),
)  # fmt: skip
ROADWORTHY = Journey(
    name="roadworthy", title_en="E-plate, inspection and tax", title_zh="电子标识、检验与车船税",
    date=dt.date(2026, 5, 11), cards=(CAR,),
    steps=(
        WriteTag("e-plate", "giai+", {"8004": "6901234440300000123", "91": "B12345"}, "E280116020001234", at="07:30"),
        ReadTag("e-plate", "portal", {"91": "B12345"}),
        Tell("Somebody drives with a copy of the plate; another tag nobody registered.",
             "有人使用复制的电子标识；另一枚标识未经登记。"),
        WriteTag("copy", "giai+", {"8004": "6901234440300000123", "91": "B12345"}, "E280116020009999", forged=True),
        ReadTag("copy", "portal", refused="OTHER_CHIP"),
        WriteTag("home-made", "giai+", {"8004": "6901234440300000999", "91": "B99999"}, "E280116020007777",
                 forged=True),
        ReadTag("home-made", "portal", refused="UNKNOWN"),
        Admit("car", "gate", "road", facts={"plate": "粤B12345"}, refused="NOT_INSPECTED", at="08:00"),
        Tell("The car is six years old: it is tested, and the mark is good for two years. At eight a mark without a "
             "test is enough, from ten on it is tested each year.",
             "车龄满6年：须上线检测，标志有效两年；满8年免检领标，10年以上每年检测。"),
        _SIX_YEARS,
        Admit("car", "station", "mark", facts=_MARK),
        Reads("car", "station", {"inspected until": "20280430"}),
        Admit("car", "station", "mark", facts=_MARK, refused="NOT_SHOWN"),
        Assess("inspection", {"use": "small private", "age": 8, "day": _NOW}, {"test": 0, "months": 24}),
        Assess("inspection", {"use": "small private", "age": 11, "day": _NOW}, {"test": 1, "months": 12}),
        Admit("car", "gate", "road", facts={"plate": "粤B12345"}, refused="TAX_DUE"),
        Assess("car-tax", {"ml": 1_600, "month": 1}, {"year": 42_000, "due": 42_000}),
        Write("car", "tax-desk", {"taxed until": "20261231"}),
        Admit("car", "gate", "road", facts={"plate": "粤B12345"}),
        Admit("car", "gate", "road", facts={"plate": "粤B99999"}, refused="OTHER_PLATE"),
        Assess("vessel-tax", {"tons": 2_000, "month": 5}, {"due": 533_333}),
        Stands("treasury.vehicle-tax", 575_333),
    ),
)  # fmt: skip
REVOKED = Journey(
    name="revoked", title_en="A fine is paid and its decision revoked", title_zh="缴款后处罚决定被撤销",
    date=dt.date(2026, 4, 1), cards=(LI, CAR),
    steps=(
        *_first(),
        *_caught("red light", 6, 20_000, "light"),
        OpenAccount("lilei", 30_000, pin="123456"),
        Assess("fine", {"fine": "=light", "days late": 0}, {"late": 0, "due": 20_000}, remembers={"due": "due"}),
        PayOnline("lilei", "treasury.fines", "=due", pin="123456", lost=True),
        AccountHolds("lilei", 30_000),
        PayOnline("lilei", "treasury.fines", "=due", pin="123456", as_="fine", remembers={"paid": "amount"}),
        PayOnline("lilei", "treasury.fines", "=due", pin="123456", refused="51"),
        *_settled("light", {"points open": 0, "fines open": 0}),
        Stands("treasury.fines", 20_000),
        Tell("The film shows another car: the decision is revoked on review, money and points are given back.",
             "录像所示并非本车：复议撤销处罚决定，退还罚款与记分。"),
        TakeBack("fine", at="+10 10:00"),
        AccountHolds("lilei", 30_000),
        Stands("treasury.fines", 0),
        Assess("points-back", {"left": "=left", "points": "=light points"}, {"restored": 12},
               remembers={"now": "restored"}),
        Admit("li", "desk", "credit", facts=_FINAL),
    ),
)  # fmt: skip
RECORDS_SEEN = Journey(
    name="records", title_en="Who may see a driver's record", title_zh="谁可查看驾驶人信息", date=dt.date(2026, 4, 2),
    steps=(
        Keep("licence", "driver", "traffic-police", {"file_number": "440300123456", "vehicle_class": "C1",
             "valid_to": "2030-04-15", "points": "9"}, at="09:00"),
        Keep("lilei", "person", "public-security", {"identity_number": "440301199003072719", "name": "李雷"}),
        Keep("lilei", "person", "traffic-police", {"licences": "@licence"}),
        Ask("licence", "traffic-police", "traffic-enforcement", {"points": "9"}, case="440300-2026-0815"),
        Ask("licence", "bank", "loan-review", fields=("points",), refused="NO_GROUND"),
        Viewed("lilei", (("traffic-police", "traffic-enforcement", True), ("bank", "loan-review", False))),
    ),
)  # fmt: skip


def _check(name: str, en: str, zh: str, application: str) -> Device:
    return Device(name, en, zh, DeviceKind.CHECK, application=application)


def _report(name: str, en: str, zh: str, counts: Counted, by: str) -> Report:
    return Report(name=name, title_en=en, title_zh=zh, counts=counts, by=by)


SECTOR = Sector(
    name="vehicles", title_en="Vehicles and drivers", title_zh="车辆与驾驶人",
    about_en="Driving and vehicle licences, points with their yearly cycle, inspection, vehicle tax, fines.",
    about_zh="驾驶证与行驶证，按年记分，检验，车船税，罚款。",
    authority="Traffic police 公安交通管理部门",
    standards=("公安部令第163号", "公安部令第164号", "国务院令第405号", "国务院令第611号"),
    archetypes=(Archetype.RECORD,), profiles=(DRIVER, VEHICLE),
    records={DRIVER.name: DRIVER_RECORDS, VEHICLE.name: VEHICLE_RECORDS},
    accounts=(
        Account("owner", "Owners of vehicles", "车主", overdraws=True),
        Account("treasury.vehicle-tax", "Vehicle tax", "车船税收入"),
        Account("treasury.fines", "Fines", "罚没收入"),
    ),
    devices=(
        _check("patrol", "the patrol's reader", "路面执勤终端", DRIVER.name),
        Device("desk", "the desk for offences", "违法处理窗口", DeviceKind.CHECK, application=DRIVER.name,
               also=(VEHICLE.name,)),
        _check("gate", "the reader at the road", "路口读写器", VEHICLE.name),
        _check("portal", "the portal over the road", "路侧电子标识读写器", VEHICLE.name),
        _check("station", "the inspection station", "检验机构", VEHICLE.name),
        _check("tax-desk", "the insurer that collects the tax", "代收车船税的保险机构", VEHICLE.name),
    ),
    sheets=SHEETS, entitlements=RIGHTS, worked_cases=CASES,
    reports=(
        _report("checks", "Checks passed", "核查通过", Counted.ADMITTED, "entitlement"),
        _report("refusals", "Refusals by reason", "拒绝原因", Counted.REFUSED, "reason"),
        _report("looks", "Looks at drivers' records", "信息查询", Counted.LOOKED, "department"),
        _report("revenue", "Paid to the treasury", "入库金额", Counted.MOVED, "account"),
    ),
    journeys=(POINTS_YEAR, ROADWORTHY, REVOKED, RECORDS_SEEN),
    words={"lilei": "李雷", "licence": "驾驶证", "e-plate": "电子标识", "copy": "复制品",
           "home-made": "自制品", "fine": "罚款", "<before>": "本周期已减分", "<left>": "剩余分值"},
)  # fmt: skip
