"""Base records: persons, organisations, vehicles and what is theirs, shared as law, purpose and consent allow.

Kinds and fields, departments, purposes and rules are data (`Part`), which sectors bring: none stands here. `decide`
says whether a look is allowed and by which ground; every look, allowed or refused, becomes a `Note` in a chained log
that the holder reads. Follows the Personal Information Protection Law
(个人信息保护法) and the Regulation on the Credit Reporting Industry (征信业管理条例). No I/O, clock or randomness;
what is stored, and sealed, is the business of `store`.
"""

from jinka.identity.base_records.access import (
    Consent,
    Decision,
    Ground,
    Look,
    LookRefused,
    Sought,
    Why,
    check_consent,
    check_look,
    decide,
)
from jinka.identity.base_records.cases import DISPUTE, MACHINES, MARKED, OBJECTION, REVIEW, Act, Case, Machine
from jinka.identity.base_records.catalogue import (
    ANYONE,
    UPKEEP,
    Catalogue,
    Clause,
    Law,
    Named,
    Part,
    ViewRule,
    check_reach,
)
from jinka.identity.base_records.checks import checked, plate, vin
from jinka.identity.base_records.copies import ERASE, Copy, Held, Message
from jinka.identity.base_records.credit import Entry, Sign, expired, fee_due, standing
from jinka.identity.base_records.fields import FieldSpec, FieldType, RecordKind, Ref, Sensitivity
from jinka.identity.base_records.notes import ORIGIN, LogRow, Note, believed, check_notes, plain, proofs
from jinka.identity.base_records.statements import Record, Statement, check_source

__all__ = [
    "ANYONE",
    "DISPUTE",
    "ERASE",
    "MACHINES",
    "MARKED",
    "OBJECTION",
    "ORIGIN",
    "REVIEW",
    "UPKEEP",
    "Act",
    "Case",
    "Catalogue",
    "Clause",
    "Consent",
    "Copy",
    "Decision",
    "Entry",
    "FieldSpec",
    "FieldType",
    "Ground",
    "Held",
    "Law",
    "LogRow",
    "Look",
    "LookRefused",
    "Machine",
    "Message",
    "Named",
    "Note",
    "Part",
    "Record",
    "RecordKind",
    "Ref",
    "Sensitivity",
    "Sign",
    "Sought",
    "Statement",
    "ViewRule",
    "Why",
    "believed",
    "check_consent",
    "check_look",
    "check_notes",
    "check_reach",
    "check_source",
    "checked",
    "decide",
    "expired",
    "fee_due",
    "plain",
    "plate",
    "proofs",
    "standing",
    "vin",
]
