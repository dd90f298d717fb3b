"""Whole applications from few words: a purse with its files, or records of an entitlement, as most sectors need them.

The purse has the files of JR/T 0025.2 (see `profile.purse`); the records lie in variable files, one id and length each
(LD/T 33), and are updated under the maintenance key. A sector that needs more writes its `ApplicationProfile` out.
"""

from __future__ import annotations

from collections.abc import Sequence

from jinka.codec import Algorithm
from jinka.codec.fields import Coding, encode_field
from jinka.kit import Unit
from jinka.profile import purse as files
from jinka.profile.records import DigitGroup, RecordSpec
from jinka.profile.spec import (
    FREE,
    ApplicationProfile,
    FileKind,
    FileSpec,
    KeySpec,
    KeyUse,
    PersonalDatum,
    PurseSpec,
)

RIDE_RECORD_ID, RIDE_RECORD_SIZE = 0x31, 48
SPENT_RECORD_ID, SPENT_RECORD_SIZE = 0x32, 12
AFTER_PIN = 0x11
BY_KEY, _ACCESS_KID = 0x22, 1  # the register is 1 after the PIN, 2 after the authority's access key
RECORD_FILE = 0x0005
_PERSONAL_OF_FILES = {
    0x0015: PersonalDatum.CARD_NUMBER,
    0x0016: PersonalDatum.HOLDER_CLASS,
    0x0018: PersonalDatum.MOVEMENT,
    0x001A: PersonalDatum.MOVEMENT,
}


def record(
    number: int,
    name: str,
    coding: Coding,
    length: int,
    example: str,
    title_en: str,
    title_zh: str,
    *,
    fid: int = RECORD_FILE,
    personal: PersonalDatum | None = None,
    groups: tuple[DigitGroup, ...] = (),
) -> RecordSpec:
    """One record of a variable file; ``example`` is its value as text."""
    body = encode_field(coding, example, length)
    return RecordSpec(
        name=name, fid=fid, number=number, length=length, coding=coding, title_en=title_en, title_zh=title_zh,
        example=bytes((number, length)) + body, personal=personal, groups=groups,
    )  # fmt: skip


def pin(*, initial: bytes = b"", tries: int = 3) -> KeySpec:
    """The holder's PIN; empty when each card gets one of its own."""
    return KeySpec(
        use=KeyUse.PIN,
        kid=0,
        version=1,
        algorithm=Algorithm.TDES,
        tries=tries,
        state_after=1,
        initial=initial,
    )


def access_key() -> KeySpec:
    """The key by which the authority's own devices open what the PIN does not (EXTERNAL AUTHENTICATE)."""
    return KeySpec(
        use=KeyUse.EXTERNAL_AUTHENTICATE,
        kid=_ACCESS_KID,
        version=1,
        algorithm=Algorithm.TDES,
        service_purpose="access",
        state_after=BY_KEY & 0x0F,
    )


def record_files(
    records: Sequence[RecordSpec], *, after_pin: Sequence[int] = (), by_key: Sequence[int] = ()
) -> tuple[FileSpec, ...]:
    """A variable file for each file that the records name; those in ``after_pin`` open with the holder's PIN alone,
    those in ``by_key`` with the authority's access key alone.
    """
    made = []
    for fid in dict.fromkeys(spec.fid for spec in records):
        own = [spec for spec in records if spec.fid == fid]
        made.append(
            FileSpec(
                fid=fid,
                kind=FileKind.VARIABLE,
                size=sum(2 + spec.length for spec in own),
                read_right=AFTER_PIN if fid in after_pin else BY_KEY if fid in by_key else FREE,
                write_right=FREE,
                mac_required=True,
                title_en="Records: " + ", ".join(spec.title_en for spec in own),
                title_zh="记录：" + "、".join(spec.title_zh for spec in own),
                example=b"".join(spec.example for spec in own),
            )
        )
    return tuple(made)


def purse_application(
    *,
    name: str,
    aid: bytes,
    fid: int,
    title_en: str,
    title_zh: str,
    authority: str,
    standards: tuple[str, ...],
    limit: int,
    unit: Unit = Unit.FEN,
    version: int = 1,
    records: Sequence[RecordSpec] = (),
    after_pin: Sequence[int] = (),
    extra_keys: tuple[KeySpec, ...] = (),
    unloads: bool = False,
    counts_spent: bool = False,
) -> ApplicationProfile:
    """A purse in ``unit`` with a ride record for entries and exits, and records of its own besides.

    ``unloads`` lets the issuer take its balance off again; ``counts_spent`` keeps what was spent this month and today.
    """
    keys = (
        *(files.service_key(KeyUse.PURCHASE, "purchase", version, version) for version in (1, 2, 3)),
        files.service_key(KeyUse.LOAD, "load", 1),
        *((files.service_key(KeyUse.UNLOAD, "unload", 1),) if unloads else ()),
        files.service_key(KeyUse.TAC, "tac"),
        files.service_key(KeyUse.MAINTENANCE, "maintenance"),
        *extra_keys,
    )
    spent = bytes((SPENT_RECORD_ID, SPENT_RECORD_SIZE)) + bytes(SPENT_RECORD_SIZE) if counts_spent else b""
    ride = FileSpec(
        fid=0x001A, kind=FileKind.VARIABLE, size=RIDE_RECORD_SIZE + 2 + len(spent), write_right=FREE, mac_required=True,
        title_en="Ride record (composite application)", title_zh="复合应用文件（乘车记录）",
        example=bytes((RIDE_RECORD_ID, RIDE_RECORD_SIZE)) + bytes(RIDE_RECORD_SIZE) + spent,
    )  # fmt: skip
    made = (
        files.key_file(keys),
        files.public_data(_public_example(version)),
        files.holder(),
        files.purse("Electronic purse", "电子钱包"),
        files.transaction_log(),
        ride,
        *record_files(records, after_pin=after_pin),
    )
    return ApplicationProfile(
        name=name, version=version, aid=aid, fid=fid, title_en=title_en, title_zh=title_zh, authority=authority,
        standards=standards, files=made, keys=keys,
        purse=PurseSpec(fid=0x0002, unit=unit, limit=limit, tac_kid=0, log_sfi=0x18),
        personal=(*_PERSONAL_OF_FILES.items(), *_personal(records)), ride_record_id=RIDE_RECORD_ID,
        spent_record_id=SPENT_RECORD_ID if counts_spent else 0,
    )  # fmt: skip


def record_application(
    *,
    name: str,
    aid: bytes,
    fid: int,
    title_en: str,
    title_zh: str,
    authority: str,
    standards: tuple[str, ...],
    records: Sequence[RecordSpec],
    version: int = 1,
    after_pin: Sequence[int] = (),
    by_key: Sequence[int] = (),
    extra_keys: tuple[KeySpec, ...] = (),
    extra_files: tuple[FileSpec, ...] = (),
) -> ApplicationProfile:
    """Records and the card's public data, no money. Whatever opens with the PIN needs `pin` among ``extra_keys``;
    files in ``by_key`` bring the access key with them.
    """
    access = (access_key(),) if by_key else ()
    keys = (files.service_key(KeyUse.MAINTENANCE, "maintenance"), *extra_keys, *access)
    made = (
        files.key_file(keys),
        files.public_data(_public_example(version)),
        *record_files(records, after_pin=after_pin, by_key=by_key),
        *extra_files,
    )
    return ApplicationProfile(
        name=name, version=version, aid=aid, fid=fid, title_en=title_en, title_zh=title_zh, authority=authority,
        standards=standards, files=made, keys=keys,
        personal=((0x0015, PersonalDatum.CARD_NUMBER), *_personal(records)),
    )  # fmt: skip


def _personal(records: Sequence[RecordSpec]) -> tuple[tuple[int, PersonalDatum], ...]:
    return tuple((spec.fid, spec.personal) for spec in records if spec.personal is not None)


def _public_example(version: int) -> bytes:
    return (
        bytes.fromhex("4403000000000001 02")
        + bytes((version,))
        + bytes.fromhex("00005180000000012345 20240101 20341231 0100")
    )
