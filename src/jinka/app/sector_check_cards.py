"""The walker's part for cards: examples that come back, rights that hold, what is personal behind the PIN.

Everything is asked of a real virtual card by APDUs (ISO/IEC 7816-4, the access rights and secure messaging of
`jinka.card.access`). A right that is declared is seen to be granted, not merely not refused: what may be read is read,
what may be written is written and read again. Keys that open a state of their own are proven in journeys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jinka.app.sector_cards import pin_bytes
from jinka.card import Card, Personal
from jinka.card.template import personalised
from jinka.codec import Command
from jinka.codec.fields import decode_field, encode_field
from jinka.crypto.block import message_mac4
from jinka.declaration import Sector
from jinka.profile import (
    FREE,
    ApplicationKind,
    ApplicationProfile,
    FileKind,
    FileSpec,
    KeySpec,
    KeyUse,
    PersonalDatum,
)
from jinka.profile.package import decode, encode
from jinka.sim.randomness import SeededRandomness

Complain = Callable[[str, str, str], None]
_PIN = "123456"
_OK, _NO_RECORD = 0x9000, 0x6A83
_DENIED = frozenset({0x6982, 0x6985, 0x6986, 0x6988, 0x6987})
_EMV_RECORD = 0x70  # the template of a record that terminals read by place (EMV Book 3, 6.5.11)
_NOT_FREE = frozenset({PersonalDatum.NAME, PersonalDatum.IDENTITY_NUMBER, PersonalDatum.SENSITIVE})
_RECORDS = (FileKind.FIXED, FileKind.VARIABLE, FileKind.CYCLIC)
_INNER = (FileKind.KEY, FileKind.SECRET)
_PREVIOUS = 3  # P2 of UPDATE RECORD: the newest of a cyclic file


def example_card(profile: ApplicationProfile) -> Card:
    """A card of one application that holds the declared example of each file; keys of its own, PIN 123456."""
    pin_size = 8 if profile.application is ApplicationKind.USIM else 0
    keys = tuple(
        b""
        if key.initial
        else pin_bytes(_PIN).ljust(pin_size, b"\xff")
        if key.use is KeyUse.PIN
        else _example_key(place)
        for place, key in enumerate(profile.keys)
    )
    contents = {
        (spec.folder, spec.fid): spec.example
        for spec in profile.files
        if spec.example and spec.kind in (FileKind.BINARY, FileKind.VARIABLE, FileKind.FIXED)
    }
    personal = Personal(card_no=bytes.fromhex("00005180000000012345"), keys=keys, contents=contents)
    return personalised(profile, personal, SeededRandomness("walker"))


def _example_key(place: int) -> bytes:
    return bytes((2 * place + 2,)) * 16  # 3DES does not look at the lowest bit


def check_encodings(sector: Sector, profile: ApplicationProfile, complain: Complain) -> None:
    """Packages, records and examples come back byte by byte."""
    bare = decode(encode(profile))
    again = decode(encode(bare))
    if bare != again or (bare.aid, bare.version, len(bare.files)) != (
        profile.aid,
        profile.version,
        len(profile.files),
    ):
        complain("PACKAGE", profile.name, "the package does not give the application back")
    for row in sector.records.get(profile.name, ()):
        where = f"{profile.name}.{row.name}"
        if row.example[:2] != bytes((row.number, row.length)) or len(row.example) != row.length + 2:
            complain("RECORD", where, "the example is not id, length, value")
            continue
        value = decode_field(row.coding, row.example[2:])
        if not value or encode_field(row.coding, value, row.length) != row.example[2:]:
            complain("RECORD", where, f"the example {value!r} does not come back")
    card = example_card(profile)
    for spec in profile.files:
        if not spec.title_en or not spec.title_zh:
            complain("TITLE", f"{profile.name}.{spec.fid:04X}", "a file without a title in both languages")
        if spec.kind is FileKind.BINARY and spec.example:
            _enter(card, profile, spec, pin=spec.read_right != FREE)
            raw = card.transmit(Command(0x00, 0xB0, 0, 0, b"", len(spec.example)).build())
            if raw != spec.example + b"\x90\x00" and _reachable(profile, spec):
                complain("EXAMPLE", f"{profile.name}.{spec.fid:04X}", f"the card answers {raw[-2:].hex()}")
        elif spec.kind is FileKind.VARIABLE and spec.example:
            _enter(card, profile, spec, pin=spec.read_right != FREE)
            raw = _read(card, spec)
            size = spec.example[1] + 2
            if raw != spec.example[:size] + b"\x90\x00" and _reachable(profile, spec):
                complain("EXAMPLE", f"{profile.name}.{spec.fid:04X}", f"the card answers {raw[-2:].hex()}")


def _reachable(profile: ApplicationProfile, spec: FileSpec) -> bool:
    """Whether the holder's PIN, or nothing at all, opens the file; others open to keys that the walker has not."""
    return spec.read_right in (FREE, 0x11) and (spec.read_right == FREE or _has_pin(profile, spec.folder))


def _has_pin(profile: ApplicationProfile, folder: int) -> bool:
    return any(
        key.use is KeyUse.PIN and key.folder == folder and key.state_after == 1 for key in profile.keys
    )


def _enter(card: Card, profile: ApplicationProfile, spec: FileSpec, *, pin: bool) -> None:
    """From a fresh start to the file, after the PIN if one is asked."""
    card.power_up()
    card.transmit(Command(0x00, 0xA4, 0x04, 0, profile.aid).build())
    if spec.folder:
        card.transmit(Command(0x00, 0xA4, 0, 0, spec.folder.to_bytes(2, "big")).build())
    if pin and _has_pin(profile, spec.folder):
        key = next(key for key in profile.keys if key.use is KeyUse.PIN and key.folder == spec.folder)
        right = (key.initial or pin_bytes(_PIN)).rstrip(b"\xff").ljust(8, b"\xff")  # a USIM wants all eight
        card.transmit(Command(0x00, 0x20, 0, key.kid, right).build())
    card.transmit(Command(0x00, 0xA4, 0, 0, spec.fid.to_bytes(2, "big")).build())


def _read(card: Card, spec: FileSpec) -> bytes:
    if spec.kind is FileKind.BINARY:
        return card.transmit(Command(0x00, 0xB0, 0, 0, b"", 1).build())
    number = spec.example[0] if spec.kind is FileKind.VARIABLE and spec.example else 1
    size = spec.example[1] + 2 if spec.kind is FileKind.VARIABLE and spec.example else spec.record_length or 1
    by = 0x00 if spec.kind is FileKind.VARIABLE and spec.example else 0x04  # its id, or its number
    if spec.kind is FileKind.VARIABLE and number == _EMV_RECORD:
        number, by = 1, (spec.fid & 0x1F) << 3 | 0x04
    return card.transmit(Command(0x00, 0xB2, number, by, b"", size).build())


def check_rights(profile: ApplicationProfile, complain: Complain) -> None:
    """The matrix: what is declared for each file against what the card does, without and with the holder's PIN."""
    card = example_card(profile)
    for spec in profile.files:
        if spec.kind in (FileKind.PURSE, FileKind.FOLDER):
            continue
        for pin in (False, True) if _has_pin(profile, spec.folder) else (False,):
            where = f"{profile.name}.{spec.fid:04X}{' after the PIN' if pin else ''}"
            _enter(card, profile, spec, pin=pin)
            if wrong := _reading(spec, _status(_read(card, spec)), pin):
                complain("RIGHTS", where, wrong)
            for wrong in _writing(card, profile, spec, pin):
                complain("RIGHTS", where, wrong)


def _allows(right: int, state: int) -> bool:
    return right & 0x0F <= state <= right >> 4


def _status(answer: bytes) -> int:
    return int.from_bytes(answer[-2:], "big")


def _reading(spec: FileSpec, sw: int, pin: bool) -> str:
    """What is wrong with the answer to a read; a record file that holds nothing yet has no record (6A83)."""
    if spec.kind in _INNER:
        return "the card gives out what no command may read" if sw == _OK else ""
    if not _allows(spec.read_right, int(pin)):
        return "" if sw in _DENIED else f"reading answers {sw:04X}, declared refused"
    empty = spec.kind in _RECORDS and not spec.example
    if sw == _OK or (empty and sw == _NO_RECORD):
        return ""
    return f"reading answers {sw:04X}, declared allowed"


def _writing(card: Card, profile: ApplicationProfile, spec: FileSpec, pin: bool) -> Iterator[str]:
    """What is wrong with writes in clear and with a MAC. One that is allowed must take, and be there when read."""
    right = spec.kind not in _INNER and _allows(spec.write_right, int(pin))
    yield from _written(card, profile, spec, pin, None, allowed=right and not spec.mac_required)
    for place, key in enumerate(profile.keys):
        if key.use is KeyUse.MAINTENANCE and key.folder == spec.folder:
            _enter(card, profile, spec, pin=pin)
            if _status(_overwrite(card, spec, b"", (key, _example_key(place + 1)))) == _OK:
                yield "the card lets itself be written under another key"
            yield from _written(card, profile, spec, pin, (key, _example_key(place)), allowed=right)


def _written(
    card: Card,
    profile: ApplicationProfile,
    spec: FileSpec,
    pin: bool,
    key: tuple[KeySpec, bytes] | None,
    *,
    allowed: bool,
) -> Iterator[str]:
    how = "in clear" if key is None else "under the right key"
    before = _seen(card, profile, spec)
    _enter(card, profile, spec, pin=pin)
    sw = _status(_overwrite(card, spec, before, key))
    if not allowed:
        if sw == _OK:
            yield f"the card lets itself be written {how}, declared refused"
        return
    if sw == _NO_RECORD and not spec.example:
        return  # there is nothing yet that could be replaced
    if sw != _OK:
        yield f"writing {how} answers {sw:04X}, declared allowed"
        return
    after = _seen(card, profile, spec)
    if after and after != _changed(spec, before):
        yield f"what was written {how} is not there when it is read"


def _seen(card: Card, profile: ApplicationProfile, spec: FileSpec) -> bytes:
    """What the file shows to its holder, who presents the PIN where one is asked; empty where that is nothing."""
    _enter(card, profile, spec, pin=spec.read_right != FREE)
    raw = _read(card, spec)
    return raw[:-2] if _status(raw) == _OK else b""


def _changed(spec: FileSpec, before: bytes) -> bytes:
    """Other contents of the same form: a variable record keeps its id and length."""
    if spec.kind is FileKind.VARIABLE:
        old = before or spec.example[: spec.example[1] + 2] if spec.example else before or b"\x01\x01\x00"
        return old[:2] + bytes(byte ^ 0xFF for byte in old[2:])
    size = 1 if spec.kind not in _RECORDS else spec.record_length
    return bytes(byte ^ 0xFF for byte in before or bytes(size))


def _overwrite(card: Card, spec: FileSpec, before: bytes, key: tuple[KeySpec, bytes] | None) -> bytes:
    """Write other contents into the file that was entered, in clear or under a maintenance key."""
    body = _changed(spec, before)
    ins, p1, p2 = 0xDC, 1, 0x04
    if spec.kind not in _RECORDS:
        ins, p1, p2 = 0xD6, 0, 0
    elif spec.kind is FileKind.CYCLIC:
        p1, p2 = 0, _PREVIOUS
    elif spec.kind is FileKind.VARIABLE:
        p1, p2 = body[0], 0x00  # by its id
    if key is None:
        return card.transmit(Command(0x00, ins, p1, p2, body).build())
    rand4 = card.transmit(bytes.fromhex("0084000004"))[:4]
    message = bytes((0x04, ins, p1, p2, len(body) + 4)) + body
    return card.transmit(message + message_mac4(key[0].algorithm, key[1], rand4, message))


def check_personal(sector: Sector, profile: ApplicationProfile, complain: Complain) -> None:
    """Names and identity numbers lie behind the PIN, sensitive data at least not free, whether the application says
    that they are there or a record.
    """
    # A certificate is for everybody to read, and EMV shows its holder's name to every terminal.
    if profile.application in (ApplicationKind.IDENTITY, ApplicationKind.EMV):
        return
    free = {(spec.folder, spec.fid) for spec in profile.files if _allows(spec.read_right, 0)}
    held = [(f"{fid:04X}", (0, fid), datum) for fid, datum in profile.personal]
    held += [
        (row.name, (row.folder, row.fid), row.personal)
        for row in sector.records.get(profile.name, ())
        if row.personal is not None
    ]
    for name, place, datum in held:
        if datum in _NOT_FREE and place in free:
            complain("PERSONAL", f"{profile.name}.{name}", f"the holder's {datum.value} is free to read")


def check_protected(sector: Sector, complain: Complain) -> None:
    """A record that a right is judged by, or that its use changes, is written under a key and by nobody else."""
    files = {
        (profile.name, spec.folder, spec.fid): spec for profile in sector.profiles for spec in profile.files
    }
    for right in sector.entitlements:
        named = {one.record for one in right.conditions} | {one.record for one in right.changes}
        for row in sector.records.get(right.application, ()):
            spec = files.get((right.application, row.folder, row.fid))
            if row.name not in named or spec is None or spec.mac_required:
                continue
            if any(_allows(spec.write_right, state) for state in (0, 1)):
                complain(
                    "RIGHTS",
                    f"{right.application}.{row.name}",
                    f"{right.name} is judged by it, and anybody may write it: ask for a MAC",
                )
