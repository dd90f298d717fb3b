"""The kinds of base records that are declared here: who keeps which field, and how sensitive it is.

What a resident identity card shows (Resident Identity Card Law, 居民身份证法, Art. 3) is a person's core. Where one
lives is kept as the register of residence has it, organisations as GB 32100 numbers them, licences by the classes of
the order on driving licences (机动车驾驶证申领和使用规定). Nothing about health, faith, fingerprints or faces is
here.
"""

from __future__ import annotations

from jinka.identity.base_records.fields import FieldSpec, FieldType, RecordKind, Sensitivity, Words

POLICE, TRAFFIC, MARKET = "public-security", "traffic-police", "market-regulation"
LABOUR, EDUCATION, CARDS = "human-resources", "education", "card-centre"
BUREAU = "credit-bureau"
_OPEN, _INTERNAL = Sensitivity.OPEN, Sensitivity.INTERNAL
_PERSONAL, _SENSITIVE = Sensitivity.PERSONAL, Sensitivity.SENSITIVE
_CLASSES = ("A1", "A2", "A3", "B1", "B2", "C1", "C2", "C3", "C4", "C5", "C6", "D", "E", "F", "M", "N", "P")


def _field(
    name: str,
    title: Words,
    kind: FieldType,
    source: str,
    sensitivity: Sensitivity,
    *words: str,
    key: bool = False,
) -> FieldSpec:
    return FieldSpec(
        name=name, title=title, type=kind, source=source, sensitivity=sensitivity, words=words, key=key
    )


def _refers(
    name: str, title: Words, target: str, source: str, sensitivity: Sensitivity = _PERSONAL, *,
    many: bool = False, holds: bool = False,
) -> FieldSpec:  # fmt: skip
    return FieldSpec(
        name=name, title=title, type=FieldType.REFERENCE, source=source, sensitivity=sensitivity, target=target,
        many=many, holds=holds,
    )  # fmt: skip


PERSON = RecordKind(
    name="person",
    title=("person", "自然人"),
    person=True,
    fields=(
        _field(
            "identity_number",
            ("citizen number", "公民身份号码"),
            FieldType.CITIZEN,
            POLICE,
            _PERSONAL,
            key=True,
        ),
        _field("name", ("name", "姓名"), FieldType.TEXT, POLICE, _PERSONAL),
        _field("sex", ("sex", "性别"), FieldType.WORD, POLICE, _PERSONAL, "male", "female"),
        _field("ethnic_group", ("ethnic group", "民族"), FieldType.TEXT, POLICE, _SENSITIVE),
        _field("birth_date", ("date of birth", "出生日期"), FieldType.DATE, POLICE, _PERSONAL),
        _field("death_date", ("date of death", "死亡日期"), FieldType.DATE, POLICE, _PERSONAL),
        _field("mobile", ("mobile number", "手机号码"), FieldType.MOBILE, CARDS, _PERSONAL),
        _field("emergency_contact", ("emergency contact", "紧急联系人"), FieldType.TEXT, CARDS, _PERSONAL),
        _refers("guardians", ("guardians", "监护人"), "person", POLICE, many=True),
        _refers("residences", ("residences", "居住登记"), "residence", POLICE, many=True, holds=True),
        _refers("licences", ("driving licences", "驾驶证"), "driver", TRAFFIC, many=True, holds=True),
        _refers("vehicles", ("vehicles", "机动车"), "vehicle", TRAFFIC, many=True, holds=True),
        _refers("employments", ("employments", "就业"), "employment", LABOUR, many=True, holds=True),
        _refers("enrolments", ("school enrolments", "学籍"), "enrolment", EDUCATION, many=True, holds=True),
        _refers("cards", ("cards", "卡片"), "card", CARDS, _SENSITIVE, many=True, holds=True),
    ),
)

ORGANISATION = RecordKind(
    name="organisation",
    title=("organisation", "组织机构"),
    fields=(
        _field(
            "credit_code",
            ("social credit code", "统一社会信用代码"),
            FieldType.ORGANISATION,
            MARKET,
            _OPEN,
            key=True,
        ),
        _field("name", ("name", "名称"), FieldType.TEXT, MARKET, _OPEN),
        _field("address", ("address", "住所"), FieldType.TEXT, MARKET, _OPEN),
        _field("founded", ("founded", "成立日期"), FieldType.DATE, MARKET, _OPEN),
        _field(
            "status",
            ("status", "登记状态"),
            FieldType.WORD,
            MARKET,
            _OPEN,
            "active",
            "revoked",
            "deregistered",
        ),
        _field("contact", ("contact person", "联络员"), FieldType.TEXT, MARKET, _PERSONAL),
        _refers("officers", ("officers", "主要人员"), "person", MARKET, _PERSONAL, many=True),
        _refers("fleet", ("vehicles", "机动车"), "vehicle", TRAFFIC, _INTERNAL, many=True, holds=True),
    ),
)

RESIDENCE = RecordKind(
    name="residence",
    title=("residence", "居住登记"),
    fields=(
        _field(
            "kind",
            ("kind", "类别"),
            FieldType.WORD,
            POLICE,
            _PERSONAL,
            "registered",
            "residence-permit",
            "temporary",
        ),
        _field("division", ("division", "行政区划"), FieldType.DIVISION, POLICE, _PERSONAL),
        _field("address", ("address", "地址"), FieldType.TEXT, POLICE, _PERSONAL),
        _field("since", ("since", "登记日期"), FieldType.DATE, POLICE, _PERSONAL),
    ),
)

VEHICLE = RecordKind(
    name="vehicle",
    title=("vehicle", "机动车"),
    fields=(
        _field("plate", ("plate", "号牌号码"), FieldType.PLATE, TRAFFIC, _PERSONAL, key=True),
        _field("vin", ("identification number", "车辆识别代号"), FieldType.VIN, TRAFFIC, _PERSONAL, key=True),
        _field("model", ("make and model", "厂牌型号"), FieldType.TEXT, TRAFFIC, _INTERNAL),
        _field(
            "use",
            ("use", "使用性质"),
            FieldType.WORD,
            TRAFFIC,
            _INTERNAL,
            "private",
            "hire",
            "freight",
            "special",
        ),
        _field("displacement_ml", ("displacement, ml", "排量（毫升）"), FieldType.COUNT, TRAFFIC, _INTERNAL),
        _field("registered", ("first registered", "初次登记日期"), FieldType.DATE, TRAFFIC, _INTERNAL),
        _field(
            "inspected_until", ("inspection valid until", "检验有效期止"), FieldType.DATE, TRAFFIC, _INTERNAL
        ),
        _field(
            "status",
            ("status", "状态"),
            FieldType.WORD,
            TRAFFIC,
            _INTERNAL,
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
        _field("file_number", ("file number", "档案编号"), FieldType.TEXT, TRAFFIC, _PERSONAL, key=True),
        _field("vehicle_class", ("class", "准驾车型"), FieldType.WORD, TRAFFIC, _PERSONAL, *_CLASSES),
        _field("issued", ("first issued", "初次领证日期"), FieldType.DATE, TRAFFIC, _PERSONAL),
        _field("valid_to", ("valid to", "有效期止"), FieldType.DATE, TRAFFIC, _PERSONAL),
        _field("points", ("points in this cycle", "本记分周期累积记分"), FieldType.COUNT, TRAFFIC, _PERSONAL),
        _field(
            "status", ("status", "状态"), FieldType.WORD, TRAFFIC, _PERSONAL, "normal", "suspended", "revoked"
        ),
    ),
)

EMPLOYMENT = RecordKind(
    name="employment",
    title=("employment", "就业"),
    fields=(
        _refers("employer", ("employer", "用人单位"), "organisation", LABOUR),
        _field("since", ("since", "入职日期"), FieldType.DATE, LABOUR, _PERSONAL),
        _field(
            "base_fen",
            ("contribution base, fen a month", "缴费基数（分/月）"),
            FieldType.COUNT,
            LABOUR,
            _SENSITIVE,
        ),
        _field(
            "status", ("status", "状态"), FieldType.WORD, LABOUR, _PERSONAL, "employed", "ended", "retired"
        ),
    ),
)

ENROLMENT = RecordKind(
    name="enrolment",
    title=("school enrolment", "学籍"),
    fields=(
        _field(
            "student_number", ("student number", "学籍号"), FieldType.TEXT, EDUCATION, _PERSONAL, key=True
        ),
        _refers("school", ("school", "学校"), "organisation", EDUCATION),
        _field("grade", ("grade", "年级"), FieldType.TEXT, EDUCATION, _PERSONAL),
        _field(
            "status",
            ("status", "状态"),
            FieldType.WORD,
            EDUCATION,
            _PERSONAL,
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
        _field("number", ("card number", "卡号"), FieldType.CARD, CARDS, _SENSITIVE, key=True),
        _field("issuer", ("issuer", "发卡机构"), FieldType.TEXT, CARDS, _INTERNAL),
        _field(
            "status",
            ("status", "状态"),
            FieldType.WORD,
            CARDS,
            _INTERNAL,
            "active",
            "blocked",
            "replaced",
            "returned",
        ),
        _refers(
            "applications", ("applications", "应用"), "application", CARDS, _INTERNAL, many=True, holds=True
        ),
    ),
)

APPLICATION = RecordKind(
    name="application",
    title=("application on a card", "卡上应用"),
    fields=(
        _field("aid", ("AID", "应用标识符"), FieldType.AID, CARDS, _INTERNAL),
        _field("provider", ("provider", "应用提供方"), FieldType.TEXT, CARDS, _INTERNAL),
        _field("status", ("status", "状态"), FieldType.WORD, CARDS, _INTERNAL, "active", "blocked", "ended"),
    ),
)

# Its entries are kept apart (`credit`), since they must be deleted in time; who may see them is decided as of all.
CREDIT = RecordKind(
    name="credit",
    title=("personal credit", "个人信用"),
    about="person",
    fields=(
        _field("entries", ("entries", "信用信息"), FieldType.TEXT, BUREAU, _SENSITIVE),
        _field(
            "public_entries",
            ("entries published by law", "依法公开的信息"),
            FieldType.TEXT,
            BUREAU,
            _PERSONAL,
        ),
    ),
)
ENTERPRISE_CREDIT = RecordKind(
    name="enterprise-credit",
    title=("enterprise credit", "企业信用"),
    about="organisation",
    fields=(
        _field("entries", ("entries", "信用信息"), FieldType.TEXT, BUREAU, _INTERNAL),
        _field(
            "public_entries", ("entries published by law", "依法公开的信息"), FieldType.TEXT, BUREAU, _OPEN
        ),
    ),
)

KINDS = (
    PERSON, ORGANISATION, RESIDENCE, VEHICLE, DRIVER, EMPLOYMENT, ENROLMENT, CARD, APPLICATION, CREDIT,
    ENTERPRISE_CREDIT,
)  # fmt: skip
