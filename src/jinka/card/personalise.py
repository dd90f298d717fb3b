"""From a profile and one holder's data to the APDU script that turns a blank card into that application.

JR/T 0025.2 fixes the layout of 0015: issuer 8 | type 1 | version 1 | card number 10 | start 4 | expiry 4 | own 2. The
last two bytes are Jinka's own: version of the TAC key, algorithm label. The script is the truth; cloning from a
template (`jinka.card.template`) must give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jinka.card.files import FILE_HEAD, GREY_BODY, PURSE_BODY, body_size
from jinka.codec import Command
from jinka.profile import ALGORITHM_LABELS, ApplicationProfile, FileKind, FileSpec, KeySpec, KeyUse

APPLICATION_TYPE = 0x02  # purse only
PUBLIC_SIZE = 30
CARD_NUMBER_AT, START_AT, EXPIRY_AT, OWN_AT = 10, 20, 24, 28
_KEY_RECORD = 24
_RIDE_FILE = 0x001A
_SPENT_SIZE = 12
_PIECE = 240
_QUOTA_MAX = 0xFFFE  # FFFF declares none; no card has so much
_LEAVE = Command(0x00, 0xA4, 0, 0, b"\x3f\x00")
_PURSE_TYPE_SIZE = b"\x02\x08"


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What makes one card different from the next. ``keys`` stand in the order of the profile's keys, 16 bytes each.

    The opening balance and counters are set before issue; ``ride_record`` is the 48 bytes after id and length.
    ``contents`` maps (folder, file), as in `FileSpec`, to a file's first bytes, or to its records one after another.
    """

    card_no: bytes
    keys: tuple[bytes, ...]
    holder_class: int = 1
    issuer: bytes = bytes(8)
    start: bytes = b"\x20\x18\x01\x01"
    expiry: bytes = b"\x20\x40\x12\x31"
    tac_version: int = 1
    balance: int = 0
    online_counter: int = 0
    offline_counter: int = 0
    ride_record: bytes = b""
    contents: Mapping[tuple[int, int], bytes] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Personal(card_no=******{self.card_no.hex()[-4:]})"


def key_version(key: KeySpec, personal: Personal) -> int:
    """The TAC key's version is chosen card by card, the others are the profile's."""
    return personal.tac_version if key.use is KeyUse.TAC else key.version


def public_data(profile: ApplicationProfile, personal: Personal) -> bytes:
    """The 30 bytes of file 0015; an application without a purse names the algorithm of its first key."""
    tac = next((key for key in profile.keys if key.use is KeyUse.TAC), profile.keys[0])
    own = bytes((personal.tac_version, ALGORITHM_LABELS[tac.algorithm]))
    kind = bytes((APPLICATION_TYPE, profile.version))
    return personal.issuer + kind + personal.card_no + personal.start + personal.expiry + own


def holder_data(personal: Personal, size: int) -> bytes:
    """File 0016: the holder's class, then nothing that names a person."""
    return bytes((personal.holder_class,)).ljust(size, b"\x00")


def purse_start(personal: Personal) -> bytes:
    """Opening balance and counters, the first 8 bytes of the purse file."""
    return (
        personal.balance.to_bytes(4, "big")
        + personal.online_counter.to_bytes(2, "big")
        + personal.offline_counter.to_bytes(2, "big")
    )


def script(profile: ApplicationProfile, personal: Personal) -> list[bytes]:
    """The commands, in order, that a blank card answers with 9000 each; at the end the application is sealed."""
    commands = [_create_folder(profile, profile.fid, 0, profile.aid)]
    for folder in _folders(profile):
        commands += [_enter(profile, folder), *_made(profile, folder)]
        commands += [*_filled(profile, personal, folder), *_below(profile, folder)]
    return [command.build() for command in (*commands, _LEAVE)]


def structure(profile: ApplicationProfile) -> list[bytes]:
    """The part of the script that makes folders and files, for an application that is filled later."""
    commands = [_create_folder(profile, profile.fid, 0, profile.aid)]
    for folder in _folders(profile):
        commands += [_enter(profile, folder), *_made(profile, folder), *_below(profile, folder)]
    return [command.build() for command in (*commands, _LEAVE)]


def contents(profile: ApplicationProfile, personal: Personal) -> list[bytes]:
    """The part of the script that fills files and keys, from the application's own folder on."""
    commands: list[Command] = []
    for folder in _folders(profile):
        commands += [_enter(profile, folder), *_filled(profile, personal, folder)]
    return [command.build() for command in commands]


def _folders(profile: ApplicationProfile) -> tuple[int, ...]:
    return (0, *(spec.fid for spec in profile.folders))


def _enter(profile: ApplicationProfile, folder: int) -> Command:
    return Command(0x00, 0xA4, 0, 0, (folder or profile.fid).to_bytes(2, "big"))


def _made(profile: ApplicationProfile, folder: int) -> list[Command]:
    return [_create(profile, spec) for spec in profile.files if spec.folder == folder]


def _below(profile: ApplicationProfile, folder: int) -> list[Command]:
    below = (spec for spec in profile.folders if spec.parent == folder and spec.fid != folder)
    return [_create_folder(profile, spec.fid, spec.fid, spec.name) for spec in below]


def _filled(profile: ApplicationProfile, personal: Personal, folder: int) -> list[Command]:
    commands = [
        _write_key(key, key_version(key, personal), key.initial or raw)
        for key, raw in zip(profile.keys, personal.keys, strict=True)
        if key.folder == folder
    ]
    for spec in profile.files:
        if spec.folder == folder:
            commands += _content(profile, spec, personal)
    return commands


def _create_folder(profile: ApplicationProfile, fid: int, folder: int, name: bytes) -> Command:
    """The application's own folder (``folder`` 0) or one below it; its quota is all that the profile puts below."""
    within = _within(profile, folder)
    quota = sum(
        FILE_HEAD + body_size(spec.kind, spec.size, spec.records, spec.record_length)
        for spec in profile.files
        if spec.folder in within
    )
    quota += sum(
        GREY_BODY - PURSE_BODY for spec in profile.files if spec.folder in within and _grey(profile, spec)
    )
    quota += sum(FILE_HEAD + len(spec.name) for spec in profile.folders if spec.parent in within)
    quota = min(quota, _QUOTA_MAX)
    kind = bytes((0xFF if folder else profile.application or 0xFF,))
    body = b"\x38" + quota.to_bytes(2, "big") + b"\xef\xef\x95\xff" + kind + name
    return Command(0x80, 0xE0, fid >> 8, fid & 0xFF, body)


def _within(profile: ApplicationProfile, folder: int) -> set[int]:
    """A folder and all below it, in whatever order a package declares them, or in a circle."""
    within, size = {folder}, 0
    while len(within) > size:
        size = len(within)
        within |= {spec.fid for spec in profile.folders if spec.parent in within}
    return within


def _grey(profile: ApplicationProfile, spec: FileSpec) -> bytes:
    """What CREATE FILE says of the grey lock: the purse may have one, a passbook beside it has none."""
    purse = profile.purse
    return b"" if purse is None or purse.grey is None or spec.fid != purse.fid else purse.grey.parameters


def _create(profile: ApplicationProfile, spec: FileSpec) -> Command:
    kind = bytes((spec.kind | (0x80 if spec.mac_required else 0),))
    rights = bytes((spec.read_right, spec.write_right))
    if spec.kind is FileKind.PURSE:
        purse = profile.purse_spec
        own = bytes((purse.tac_kid, purse.log_sfi)) + purse.limit.to_bytes(4, "big") + _grey(profile, spec)
        body = kind + _PURSE_TYPE_SIZE + rights + own
    elif spec.kind in (FileKind.FIXED, FileKind.CYCLIC):
        body = kind + bytes((spec.records, spec.record_length)) + rights + b"\xff\xff"
    elif spec.kind is FileKind.KEY:
        body = kind + spec.size.to_bytes(2, "big") + b"\x95" + bytes((spec.write_right,)) + b"\xff\xff"
    else:
        body = kind + spec.size.to_bytes(2, "big") + rights + b"\xff\xff"
    return Command(0x80, 0xE0, spec.fid >> 8, spec.fid & 0xFF, body)


def _write_key(key: KeySpec, version: int, raw: bytes) -> Command:
    head = bytes((key.use, key.use_right, key.change_right))
    label, tries = ALGORITHM_LABELS[key.algorithm], key.tries << 4 | key.tries
    if key.use in (KeyUse.MAINTENANCE, KeyUse.PIN_UNBLOCK, KeyUse.PIN_RELOAD):
        own = bytes((label, tries))
    elif key.use in (KeyUse.PIN, KeyUse.EXTERNAL_AUTHENTICATE):
        own = bytes((label << 4 | key.state_after, tries))
    else:
        own = bytes((version, label))
    return Command(0x80, 0xD4, 0x01, key.kid, head + own + raw)


def _given(spec: FileSpec, body: bytes) -> Iterator[Command]:
    """Select the file, then write its bytes in pieces, or append its records."""
    yield Command(0x00, 0xA4, 0, 0, spec.fid.to_bytes(2, "big"))
    if spec.kind in (FileKind.BINARY, FileKind.SECRET):
        for at in range(0, len(body), _PIECE):
            yield Command(0x00, 0xD6, at >> 8, at & 0xFF, body[at : at + _PIECE])
        return
    at = 0
    while at < len(body):
        size = 2 + body[at + 1] if spec.kind is FileKind.VARIABLE else spec.record_length
        yield Command(0x00, 0xE2, 0, 0x04, body[at : at + size])
        at += size


def _content(profile: ApplicationProfile, spec: FileSpec, personal: Personal) -> list[Command]:
    given = personal.contents.get((spec.folder, spec.fid))
    if given is not None:
        return list(_given(spec, given))
    if spec.fid == 0x0015:
        return [Command(0x00, 0xD6, 0x80 | spec.sfi, 0, public_data(profile, personal))]
    if spec.fid == 0x0016:
        return [Command(0x00, 0xD6, 0x80 | spec.sfi, 0, holder_data(personal, spec.size))]
    if spec.kind is FileKind.PURSE:
        if spec.fid != profile.purse_spec.fid:  # a passbook beside the purse begins empty
            return []
        return [Command(0x00, 0xD6, 0x80 | spec.sfi, 0, purse_start(personal))]
    if spec.fid == _RIDE_FILE and profile.ride_record_id:
        spent = (
            bytes((profile.spent_record_id, _SPENT_SIZE)) + bytes(_SPENT_SIZE)
            if profile.spent_record_id
            else b""
        )
        body = personal.ride_record or bytes(spec.size - 2 - len(spent))
        ride = bytes((profile.ride_record_id, len(body))) + body
        return [Command(0x00, 0xE2, 0, spec.sfi << 3 | 4, record) for record in (ride, spent) if record]
    return []
