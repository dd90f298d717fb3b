"""The cards of hazardous goods: duty cards, containers' tags, permits for precursors. The layouts are Jinka's."""

from __future__ import annotations

from jinka.codec.fields import Coding
from jinka.declaration import JourneyCard, Start
from jinka.profile import ApplicationProfile
from jinka.profile.applications import pin, record, record_application
from jinka.profile.spec import PersonalDatum

SIGNS = "jinka.identity"
_AUTHORITY = "Emergency management 应急管理部门"
_OFFICER = (
    record(1, "name", Coding.TEXT, 30, "李勇", "Name", "姓名", fid=0x0006, personal=PersonalDatum.NAME),
    record(1, "post", Coding.TEXT, 12, "keeper", "Post", "岗位"),
    record(2, "stores", Coding.TEXT, 40, "warehouse", "Stores", "库别"),
    record(3, "good until", Coding.DATE, 4, "20281231", "Good until", "有效期"),
)
OFFICER = record_application(
    name="cn.hazardous.officer", aid=b"JINKA.HAZ.1", fid=0x3F54, title_en="Duty card", title_zh="岗位证",
    authority=_AUTHORITY, standards=("LD/T 33",), records=_OFFICER, after_pin=(0x0006,), extra_keys=(pin(),),
)  # fmt: skip
_CONTAINER = (
    record(1, "seal", Coding.TEXT, 16, "H100", "Seal", "封志号"),
    record(2, "keeper", Coding.TEXT, 20, "no", "Released by the keeper", "保管员放行"),
    record(3, "commander", Coding.TEXT, 20, "no", "Released by the commander", "负责人放行"),
    record(4, "driver", Coding.TEXT, 20, "no", "Driver admitted", "驾驶员已验"),
    record(5, "escort", Coding.TEXT, 20, "no", "Escort admitted", "押运员已验"),
    record(6, "number", Coding.TEXT, 12, "CSQU3054383", "Container number", "箱号"),
)
CONTAINER = record_application(
    name="cn.hazardous.container", aid=b"JINKA.HAZ.2", fid=0x3F55, title_en="Container's electronic tag",
    title_zh="集装箱电子标签", authority=_AUTHORITY, standards=("LD/T 33", "ISO 6346"), records=_CONTAINER,
)  # fmt: skip
_PERMIT = (
    record(1, "journeys", Coding.NUMBER, 1, "1", "Journeys left", "剩余运次"),
    record(2, "good until", Coding.DATE, 4, "20260630", "Good until", "有效期"),
)
PERMIT = record_application(
    name="cn.hazardous.permit", aid=b"JINKA.HAZ.3", fid=0x3F56, title_en="Transport permit for precursors",
    title_zh="易制毒化学品运输许可证", authority="Public security 公安机关", standards=("LD/T 33",), records=_PERMIT,
)  # fmt: skip
PROFILES: tuple[ApplicationProfile, ...] = (CONTAINER, OFFICER, PERMIT)
CARD_RECORDS = {OFFICER.name: _OFFICER, CONTAINER.name: _CONTAINER, PERMIT.name: _PERMIT}


def officer(
    name: str, en: str, zh: str, post: str, stores: str, until: str = "20281231", *, signs: bool = False
) -> JourneyCard:
    duty = Start(application=OFFICER.name, pin="135790", records={
        "name": "李勇", "post": post, "stores": stores, "good until": until})  # fmt: skip
    return JourneyCard(name, en, zh, (duty, Start(application=SIGNS, pin="246802")) if signs else (duty,))


def container_tag(name: str, en: str, zh: str) -> JourneyCard:
    return JourneyCard(name, en, zh, (Start(application=CONTAINER.name, records={
        "seal": "none", "keeper": "no", "commander": "no", "driver": "no", "escort": "no", "number": "CSQU3054383",
    }),))  # fmt: skip


def permit(name: str, en: str, zh: str, journeys: str, until: str) -> JourneyCard:
    return JourneyCard(name, en, zh, (Start(application=PERMIT.name, records={
        "journeys": journeys, "good until": until}),))  # fmt: skip
