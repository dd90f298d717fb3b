"""Persons, organisations and where they live, as base records: who keeps which field, and how sensitive it is.

What a resident identity card shows (Resident Identity Card Law, 居民身份证法, Art. 3) is a person's core. Where one
lives is kept as the register of residence has it, organisations as GB 32100 numbers them, licences by the classes of
the order on driving licences (机动车驾驶证申领和使用规定). Nothing about health, faith, fingerprints or faces is
here.
"""

from __future__ import annotations

from jinka.identity.base_records.fields import FieldType, RecordKind
from jinka.sectors.state_fields import (
    CARDS,
    EDUCATION,
    INTERNAL,
    LABOUR,
    MARKET,
    OPEN,
    PERSONAL,
    POLICE,
    SENSITIVE,
    TRAFFIC,
    field_of,
    refers_to,
)

PERSON = RecordKind(
    name="person",
    title=("person", "自然人"),
    person=True,
    fields=(
        field_of(
            "identity_number",
            ("citizen number", "公民身份号码"),
            FieldType.CITIZEN,
            POLICE,
            PERSONAL,
            key=True,
        ),
        field_of("name", ("name", "姓名"), FieldType.TEXT, POLICE, PERSONAL),
        field_of("sex", ("sex", "性别"), FieldType.WORD, POLICE, PERSONAL, "male", "female"),
        field_of("ethnic_group", ("ethnic group", "民族"), FieldType.TEXT, POLICE, SENSITIVE),
        field_of("birth_date", ("date of birth", "出生日期"), FieldType.DATE, POLICE, PERSONAL),
        field_of("death_date", ("date of death", "死亡日期"), FieldType.DATE, POLICE, PERSONAL),
        field_of("mobile", ("mobile number", "手机号码"), FieldType.MOBILE, CARDS, PERSONAL),
        field_of("emergency_contact", ("emergency contact", "紧急联系人"), FieldType.TEXT, CARDS, PERSONAL),
        refers_to("guardians", ("guardians", "监护人"), "person", POLICE, many=True),
        refers_to("residences", ("residences", "居住登记"), "residence", POLICE, many=True, holds=True),
        refers_to("licences", ("driving licences", "驾驶证"), "driver", TRAFFIC, many=True, holds=True),
        refers_to("vehicles", ("vehicles", "机动车"), "vehicle", TRAFFIC, many=True, holds=True),
        refers_to("employments", ("employments", "就业"), "employment", LABOUR, many=True, holds=True),
        refers_to("enrolments", ("school enrolments", "学籍"), "enrolment", EDUCATION, many=True, holds=True),
        refers_to("cards", ("cards", "卡片"), "card", CARDS, SENSITIVE, many=True, holds=True),
    ),
)

ORGANISATION = RecordKind(
    name="organisation",
    title=("organisation", "组织机构"),
    fields=(
        field_of(
            "credit_code",
            ("social credit code", "统一社会信用代码"),
            FieldType.ORGANISATION,
            MARKET,
            OPEN,
            key=True,
        ),
        field_of("name", ("name", "名称"), FieldType.TEXT, MARKET, OPEN),
        field_of("address", ("address", "住所"), FieldType.TEXT, MARKET, OPEN),
        field_of("founded", ("founded", "成立日期"), FieldType.DATE, MARKET, OPEN),
        field_of(
            "status",
            ("status", "登记状态"),
            FieldType.WORD,
            MARKET,
            OPEN,
            "active",
            "revoked",
            "deregistered",
        ),
        field_of("contact", ("contact person", "联络员"), FieldType.TEXT, MARKET, PERSONAL),
        refers_to("legal_representative", ("legal representative", "法定代表人"), "person", MARKET, PERSONAL),
        refers_to("officers", ("officers", "主要人员"), "person", MARKET, PERSONAL, many=True),
        refers_to("fleet", ("vehicles", "机动车"), "vehicle", TRAFFIC, INTERNAL, many=True, holds=True),
    ),
)

RESIDENCE = RecordKind(
    name="residence",
    title=("residence", "居住登记"),
    fields=(
        field_of(
            "kind",
            ("kind", "类别"),
            FieldType.WORD,
            POLICE,
            PERSONAL,
            "registered",
            "residence-permit",
            "temporary",
        ),
        field_of("division", ("division", "行政区划"), FieldType.DIVISION, POLICE, PERSONAL),
        field_of("address", ("address", "地址"), FieldType.TEXT, POLICE, PERSONAL),
        field_of("since", ("since", "登记日期"), FieldType.DATE, POLICE, PERSONAL),
    ),
)
