"""An application profile as bytes: what is loaded onto a card instead of code, in BER-TLV (ISO/IEC 8825-1).

Jinka's own format, version 1: ``60 { 80 format, 81 name, 82 version, 83 AID, 84 identifier, 85 kind, 86 ride record,
87 folder.., 88 file.., 89 key.., 8A purse }``. Titles, authority, standards and example bytes are for people and stay
behind. A package holds no key and no personal data; those come by STORE DATA.
"""

from __future__ import annotations

from jinka.codec import Algorithm
from jinka.codec.tlv import TlvError, parse, tlv
from jinka.kit import Fault, JinkaError, Unit, Usage
from jinka.profile.spec import (
    ALGORITHM_LABELS,
    ApplicationKind,
    ApplicationProfile,
    FileKind,
    FileSpec,
    FolderSpec,
    GreySpec,
    KeySpec,
    KeyUse,
    PurseSpec,
    algorithm_of,
)

FORMAT = 1
SIZE_MAX = 3072
PARTS_MAX = 64
_PACKAGE = 0x60
_FORMAT, _NAME, _VERSION, _AID, _FID, _KIND, _RIDE, _FOLDER, _FILE, _KEY, _PURSE = range(0x80, 0x8B)
_SINGLE = frozenset({_FORMAT, _NAME, _VERSION, _AID, _FID, _KIND, _RIDE, _PURSE})
_MAC = 0x80  # in the kind byte of a file
_GREY_FLAG_LOW, _GREY_FLAG_7C = 1, 2


class PackageError(JinkaError):
    """The bytes are no package that can be made into an application."""

    fault = Fault.PEER


def encode(profile: ApplicationProfile) -> bytes:
    """The package of a profile; `Usage` when it is larger than a card takes."""
    purse = [] if profile.purse is None else [tlv(_PURSE, _purse_bytes(profile.purse))]
    raw = tlv(
        _PACKAGE,
        tlv(_FORMAT, bytes((FORMAT,))),
        tlv(_NAME, profile.name.encode()),
        tlv(_VERSION, bytes((profile.version,))),
        tlv(_AID, profile.aid),
        tlv(_FID, profile.fid.to_bytes(2, "big")),
        tlv(_KIND, bytes((profile.application,))),
        tlv(_RIDE, bytes((profile.ride_record_id, profile.spent_record_id)).rstrip(b"\0") or b"\0"),
        *(tlv(_FOLDER, _folder_bytes(spec)) for spec in profile.folders),
        *(tlv(_FILE, _file_bytes(spec)) for spec in profile.files),
        *(tlv(_KEY, _key_bytes(spec)) for spec in profile.keys),
        *purse,
    )
    if len(raw) > SIZE_MAX:
        raise Usage(f"a package of {len(raw)} bytes", where=profile.name, fix=f"at most {SIZE_MAX} bytes")
    return raw


def decode(raw: bytes) -> ApplicationProfile:
    """The profile without its texts; `PackageError` for anything but a well-formed package."""
    if len(raw) > SIZE_MAX:
        raise PackageError(f"{len(raw)} bytes", where="package", fix=f"at most {SIZE_MAX}")
    try:
        outer = list(parse(raw))
        if len(outer) != 1 or outer[0][0] != _PACKAGE:
            raise PackageError("not one object 60", where="offset 0", fix="build it from a profile")
        return _profile(list(parse(outer[0][1])))
    except (TlvError, Usage, UnicodeDecodeError, ValueError) as error:
        raise PackageError(str(error), where="package", fix="build it from a profile") from None


def _profile(parts: list[tuple[int, bytes, int]]) -> ApplicationProfile:
    single: dict[int, bytes] = {}
    lists: dict[int, list[bytes]] = {_FOLDER: [], _FILE: [], _KEY: []}
    for tag, value, at in parts:
        if tag in lists:
            lists[tag].append(value)
        elif tag in _SINGLE and tag not in single:
            single[tag] = value
        else:
            raise PackageError(f"tag {tag:X} is unknown or twice", where=f"offset {at}")
    missing = _SINGLE - set(single) - {_PURSE}
    if missing or single[_FORMAT] != bytes((FORMAT,)):
        raise PackageError("parts are missing or of another format", where="package", fix="use format 1")
    if any(len(found) > PARTS_MAX for found in lists.values()):
        raise PackageError("too many parts", where="package", fix=f"at most {PARTS_MAX} of a kind")
    if not 5 <= len(single[_AID]) <= 16:
        raise PackageError("an AID has 5 to 16 bytes", where="package AID")
    return ApplicationProfile(
        name=single[_NAME].decode(),
        version=_number(single[_VERSION], 1),
        aid=single[_AID],
        fid=_number(single[_FID], 2),
        title_en="",
        title_zh="",
        authority="",
        standards=(),
        files=tuple(map(_file, lists[_FILE])),
        keys=tuple(map(_key, lists[_KEY])),
        purse=_purse(single[_PURSE]) if _PURSE in single else None,
        application=ApplicationKind(_number(single[_KIND], 1)),
        folders=tuple(map(_folder, lists[_FOLDER])),
        ride_record_id=_number(single[_RIDE][:1], 1),
        spent_record_id=_number(single[_RIDE][1:], 1) if len(single[_RIDE]) > 1 else 0,
    )


def _number(raw: bytes, size: int) -> int:
    if len(raw) != size:
        raise PackageError(f"{len(raw)} bytes instead of {size}", where="package")
    return int.from_bytes(raw, "big")


def _folder_bytes(spec: FolderSpec) -> bytes:
    return (
        spec.fid.to_bytes(2, "big") + spec.parent.to_bytes(2, "big") + bytes((spec.create_right,)) + spec.name
    )


def _folder(raw: bytes) -> FolderSpec:
    if not 10 <= len(raw) <= 21:
        raise PackageError("a folder's name has 5 to 16 bytes", where="package folder")
    return FolderSpec(
        fid=int.from_bytes(raw[:2], "big"),
        parent=int.from_bytes(raw[2:4], "big"),
        create_right=raw[4],
        name=raw[5:],
        title_en="",
        title_zh="",
    )


def _file_bytes(spec: FileSpec) -> bytes:
    """Folder 2 | identifier 2 | kind 1 | size 2 | records 1 | their length 1 | rights 2."""
    kind = spec.kind | (_MAC if spec.mac_required else 0)
    numbers = bytes((spec.records, spec.record_length, spec.read_right, spec.write_right))
    head = spec.folder.to_bytes(2, "big") + spec.fid.to_bytes(2, "big")
    return head + bytes((kind,)) + spec.size.to_bytes(2, "big") + numbers


def _file(raw: bytes) -> FileSpec:
    if len(raw) != 11:
        raise PackageError(f"a file of {len(raw)} bytes", where="package file", fix="11 bytes")
    kind = FileKind(raw[4] & ~_MAC)
    if kind is FileKind.FOLDER:
        raise PackageError("a folder among the files", where="package file", fix="tag 87")
    return FileSpec(
        folder=int.from_bytes(raw[:2], "big"),
        fid=int.from_bytes(raw[2:4], "big"),
        kind=kind,
        mac_required=bool(raw[4] & _MAC),
        size=int.from_bytes(raw[5:7], "big"),
        records=raw[7],
        record_length=raw[8],
        read_right=raw[9],
        write_right=raw[10],
        title_en="",
        title_zh="",
    )


def _key_bytes(spec: KeySpec) -> bytes:
    """Folder 2 | use | index | version | algorithm label | rights 2 | tries | state after."""
    return spec.folder.to_bytes(2, "big") + bytes(
        (
            spec.use,
            spec.kid,
            spec.version,
            ALGORITHM_LABELS[spec.algorithm],
            spec.use_right,
            spec.change_right,
            spec.tries,
            spec.state_after,
        )
    )


def _key(raw: bytes) -> KeySpec:
    if len(raw) != 10:
        raise PackageError(f"a key of {len(raw)} bytes", where="package key", fix="10 bytes")
    algorithm: Algorithm = algorithm_of(raw[5])
    return KeySpec(
        folder=int.from_bytes(raw[:2], "big"),
        use=KeyUse(raw[2]),
        kid=raw[3],
        version=raw[4],
        algorithm=algorithm,
        use_right=raw[6],
        change_right=raw[7],
        tries=raw[8],
        state_after=raw[9],
    )


def _purse_bytes(spec: PurseSpec) -> bytes:
    """Identifier 2 | TAC key 1 | log 1 | limit 4 | unit's length 1 | unit | parameters of the grey lock 5, if any."""
    unit = spec.unit.code.encode()
    grey = spec.grey.parameters if spec.grey is not None else b""
    head = spec.fid.to_bytes(2, "big") + bytes((spec.tac_kid, spec.log_sfi))
    return head + spec.limit.to_bytes(4, "big") + bytes((len(unit),)) + unit + grey


def _purse(raw: bytes) -> PurseSpec:
    if len(raw) < 9 or len(raw) not in (9 + raw[8], 14 + raw[8]):
        raise PackageError(f"a purse of {len(raw)} bytes", where="package purse")
    code, grey = raw[9 : 9 + raw[8]].decode(), raw[9 + raw[8] :]
    unit = next((unit for unit in Unit if unit.code == code), None)
    if unit is None:
        raise PackageError(f"unit {code!r}", where="package purse", fix="a unit of jinka.kit")
    return PurseSpec(
        fid=int.from_bytes(raw[:2], "big"),
        tac_kid=raw[2],
        log_sfi=raw[3],
        limit=int.from_bytes(raw[4:8], "big"),
        unit=unit,
        grey=_grey(grey) if grey else None,
    )


def _grey(raw: bytes) -> GreySpec:
    return GreySpec(
        lock_type=raw[0],
        unlock_type=raw[1],
        online_type=raw[2],
        lock_key=KeyUse(raw[3]),
        mac2_binds_low_byte=bool(raw[4] & _GREY_FLAG_LOW),
        online_unlock_is_7c=bool(raw[4] & _GREY_FLAG_7C),
    )
