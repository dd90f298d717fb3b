"""What persons and organisations have, as base records: vehicles, licences, employment, insurance, cards, credit."""

from __future__ import annotations

from jinka.identity.base_records.credit import BUREAU
from jinka.identity.base_records.fields import FieldType, RecordKind
from jinka.sectors.state_fields import (
    CARDS,
    EDUCATION,
    INTERNAL,
    LABOUR,
    OPEN,
    PERSONAL,
    SENSITIVE,
    TRAFFIC,
    field_of,
    refers_to,
)
from jinka.sectors.state_people import ORGANISATION, PERSON, RESIDENCE

_CLASSES = ("A1", "A2", "A3", "B1", "B2", "C1", "C2", "C3", "C4", "C5", "C6", "D", "E", "F", "M", "N", "P")

VEHICLE = RecordKind(
    name="vehicle",
    title=("vehicle", "机动车"),
    fields=(
        field_of("plate", ("plate", "号牌号码"), FieldType.PLATE, TRAFFIC, PERSONAL, key=True),
        field_of(
            "vin", ("identification number", "车辆识别代号"), FieldType.VIN, TRAFFIC, PERSONAL, key=True
        ),
        field_of("model", ("make and model", "厂牌型号"), FieldType.TEXT, TRAFFIC, INTERNAL),
        field_of(
            "use",
            ("use", "使用性质"),
            FieldType.WORD,
            TRAFFIC,
            INTERNAL,
            "private",
            "hire",
            "freight",
            "special",
        ),
        field_of("displacement_ml", ("displacement, ml", "排量（毫升）"), FieldType.COUNT, TRAFFIC, INTERNAL),
        field_of("registered", ("first registered", "初次登记日期"), FieldType.DATE, TRAFFIC, INTERNAL),
        field_of(
            "inspected_until", ("inspection valid until", "检验有效期止"), FieldType.DATE, TRAFFIC, INTERNAL
        ),
        field_of(
            "status",
            ("status", "状态"),
            FieldType.WORD,
            TRAFFIC,
            INTERNAL,
            "normal",
            "stolen",
            "scrapped",
            "exported",
        ),
    ),
)

DRIVER = RecordKind(
    name="driver",
    title=("driving licence", "机动车驾驶证"),
    fields=(
        field_of("file_number", ("file number", "档案编号"), FieldType.TEXT, TRAFFIC, PERSONAL, key=True),
        field_of("vehicle_class", ("class", "准驾车型"), FieldType.WORD, TRAFFIC, PERSONAL, *_CLASSES),
        field_of("issued", ("first issued", "初次领证日期"), FieldType.DATE, TRAFFIC, PERSONAL),
        field_of("valid_to", ("valid to", "有效期止"), FieldType.DATE, TRAFFIC, PERSONAL),
        field_of(
            "points", ("points in this cycle", "本记分周期累积记分"), FieldType.COUNT, TRAFFIC, PERSONAL
        ),
        field_of(
            "status", ("status", "状态"), FieldType.WORD, TRAFFIC, PERSONAL, "normal", "suspended", "revoked"
        ),
    ),
)

EMPLOYMENT = RecordKind(
    name="employment",
    title=("employment", "就业"),
    fields=(
        refers_to("employer", ("employer", "用人单位"), "organisation", LABOUR),
        field_of("since", ("since", "入职日期"), FieldType.DATE, LABOUR, PERSONAL),
        field_of(
            "base_fen",
            ("contribution base, fen a month", "缴费基数（分/月）"),
            FieldType.COUNT,
            LABOUR,
            SENSITIVE,
        ),
        field_of(
            "status", ("status", "状态"), FieldType.WORD, LABOUR, PERSONAL, "employed", "ended", "retired"
        ),
    ),
)

ENROLMENT = RecordKind(
    name="enrolment",
    title=("school enrolment", "学籍"),
    fields=(
        field_of(
            "student_number", ("student number", "学籍号"), FieldType.TEXT, EDUCATION, PERSONAL, key=True
        ),
        refers_to("school", ("school", "学校"), "organisation", EDUCATION),
        field_of("grade", ("grade", "年级"), FieldType.TEXT, EDUCATION, PERSONAL),
        field_of(
            "status",
            ("status", "状态"),
            FieldType.WORD,
            EDUCATION,
            PERSONAL,
            "enrolled",
            "suspended",
            "left",
            "graduated",
        ),
    ),
)

CARD = RecordKind(
    name="card",
    title=("card", "卡片"),
    fields=(
        field_of("number", ("card number", "卡号"), FieldType.CARD, CARDS, SENSITIVE, key=True),
        field_of("issuer", ("issuer", "发卡机构"), FieldType.TEXT, CARDS, INTERNAL),
        field_of(
            "status",
            ("status", "状态"),
            FieldType.WORD,
            CARDS,
            INTERNAL,
            "active",
            "blocked",
            "replaced",
            "returned",
        ),
        refers_to(
            "applications", ("applications", "应用"), "application", CARDS, INTERNAL, many=True, holds=True
        ),
    ),
)

APPLICATION = RecordKind(
    name="application",
    title=("application on a card", "卡上应用"),
    fields=(
        field_of("aid", ("AID", "应用标识符"), FieldType.AID, CARDS, INTERNAL),
        field_of("provider", ("provider", "应用提供方"), FieldType.TEXT, CARDS, INTERNAL),
        field_of("status", ("status", "状态"), FieldType.WORD, CARDS, INTERNAL, "active", "blocked", "ended"),
    ),
)

# Its entries are kept apart (`credit`), since they must be deleted in time; who may see them is decided as of all.
CREDIT = RecordKind(
    name="credit",
    title=("personal credit", "个人信用"),
    about="person",
    fields=(
        field_of("entries", ("entries", "信用信息"), FieldType.TEXT, BUREAU, SENSITIVE),
        field_of(
            "public_entries",
            ("entries published by law", "依法公开的信息"),
            FieldType.TEXT,
            BUREAU,
            PERSONAL,
        ),
    ),
)
ENTERPRISE_CREDIT = RecordKind(
    name="enterprise-credit",
    title=("enterprise credit", "企业信用"),
    about="organisation",
    fields=(
        field_of("entries", ("entries", "信用信息"), FieldType.TEXT, BUREAU, INTERNAL),
        field_of(
            "public_entries", ("entries published by law", "依法公开的信息"), FieldType.TEXT, BUREAU, OPEN
        ),
    ),
)

KINDS = (
    PERSON, ORGANISATION, RESIDENCE, VEHICLE, DRIVER, EMPLOYMENT, ENROLMENT, CARD, APPLICATION, CREDIT,
    ENTERPRISE_CREDIT,
)  # fmt: skip
