"""`jinka sector check`: the walker. Whatever a sector declares is tried: encodings, rights, prices, clearing,
journeys, reports.

A finding names what is missing or untrue. The same walker serves a third party's sector, so it takes nothing from the
project but the declaration. Cards are real virtual cards, asked by APDUs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from jinka.app.sector_cards import pin_bytes
from jinka.app.sector_codes import check_character
from jinka.app.sector_docs import sector_page
from jinka.app.sector_run import Played, play, report_rows
from jinka.app.sector_subscription import check_plans
from jinka.app.sector_trace_check import check_trace, trace_texts
from jinka.card import Card, Personal
from jinka.card.template import personalised
from jinka.codec import Command
from jinka.codec.fields import decode_field, encode_field
from jinka.declaration import Admit, Assess, Invoice, Journey, PayBySheet, Sector, Tap, Unlock, WorkedCase
from jinka.kit import Finding, JinkaError, Severity
from jinka.profile import FREE, ApplicationKind, ApplicationProfile, FileKind, FileSpec, KeyUse, PersonalDatum
from jinka.profile.package import decode, encode
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import Tariff
from jinka.tariff.sheet import Fact, Sheet

_PIN = "123456"
_DENIED = frozenset({0x6982, 0x6985, 0x6986, 0x6988, 0x6987})
_SAMPLES = 200
_EMV_RECORD = 0x70  # the template of a record that terminals read by place (EMV Book 3, 6.5.11)
_BEHIND_PIN = frozenset({PersonalDatum.NAME, PersonalDatum.IDENTITY_NUMBER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was tried, by name, with how often; and what is wrong."""

    sector: str
    tried: dict[str, int]
    findings: tuple[Finding, ...]
    played: tuple[Played, ...]


_P = TypeVar("_P")
Complain = Callable[[str, str, str], None]


def check_sector(sector: Sector, sectors: Iterable[Sector]) -> Checked:
    """Walk over one sector; nothing is raised for what is wrong with it."""
    findings: list[Finding] = []
    tried: dict[str, int] = {}
    known = list(sectors)
    played: list[Played] = []

    def complain(code: str, where: str, what: str) -> None:
        findings.append(
            Finding(code=code, severity=Severity.ERROR, where=f"{sector.name}.{where}", what=what)
        )

    def each(name: str, parts: Iterable[_P], walk: Callable[[_P], None]) -> None:
        for part in parts:
            tried[name] = tried.get(name, 0) + 1
            try:
                walk(part)
            except JinkaError as error:
                complain(name.upper().replace(" ", "_"), str(getattr(part, "name", name)), str(error))

    each("encodings", sector.profiles, lambda profile: _encodings(sector, profile, complain))
    each("access rights", sector.profiles, lambda profile: _rights(profile, complain))
    each("prices", sector.all_sheets, lambda sheet: _sheet(sector, sheet, complain))
    each("prices", sector.tariffs.values(), lambda tariff: _tariff(tariff, complain))
    each("worked cases", sector.worked_cases, lambda case: _case(sector, case, complain))
    each("journeys", sector.journeys, lambda journey: _journey(sector, journey, known, played, complain))
    tried["reports"] = len(sector.reports)
    _reports(sector, played, complain)
    tried["documentation"] = _documentation(sector, played, complain)
    if sector.trace is not None:
        tried["codes and places"] = check_trace(sector, complain)
    check_plans(sector, complain)
    _whole(sector, complain)
    return Checked(sector=sector.name, tried=tried, findings=tuple(findings), played=tuple(played))


# Encodings and rights


def example_card(profile: ApplicationProfile) -> Card:
    """A card of one application that holds the declared example of each file; keys of its own, PIN 123456."""
    pin_size = 8 if profile.application is ApplicationKind.USIM else 0
    keys = tuple(
        b""
        if key.initial
        else pin_bytes(_PIN).ljust(pin_size, b"\xff")
        if key.use is KeyUse.PIN
        else bytes((place + 1,)) * 16
        for place, key in enumerate(profile.keys)
    )
    contents = {
        (spec.folder, spec.fid): spec.example
        for spec in profile.files
        if spec.example and spec.kind in (FileKind.BINARY, FileKind.VARIABLE)
    }
    personal = Personal(card_no=bytes.fromhex("00005180000000012345"), keys=keys, contents=contents)
    return personalised(profile, personal, SeededRandomness("walker"))


def _encodings(sector: Sector, profile: ApplicationProfile, complain: Complain) -> None:
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
    by = 0x00 if spec.kind is FileKind.VARIABLE else 0x04  # its id, or its number
    if spec.kind is FileKind.VARIABLE and number == _EMV_RECORD:
        number, by = 1, (spec.fid & 0x1F) << 3 | 0x04
    return card.transmit(Command(0x00, 0xB2, number, by, b"", size).build())


def _rights(profile: ApplicationProfile, complain: Complain) -> None:
    """The matrix: what is declared for each file against what the card does, without and with the holder's PIN."""
    card = example_card(profile)
    for spec in profile.files:
        if spec.kind in (FileKind.PURSE, FileKind.FOLDER):
            continue
        for pin in (False, True) if _has_pin(profile, spec.folder) else (False,):
            where = f"{profile.name}.{spec.fid:04X}{' after the PIN' if pin else ''}"
            _enter(card, profile, spec, pin=pin)
            sw = int.from_bytes(_read(card, spec)[-2:], "big")
            inner = spec.kind in (FileKind.KEY, FileKind.SECRET)
            allowed = not inner and _allows(spec.read_right, int(pin))
            if allowed == (sw in _DENIED or (inner and sw == 0x9000)) and not (inner and sw != 0x9000):
                complain(
                    "RIGHTS",
                    where,
                    f"reading answers {sw:04X}, declared {'allowed' if allowed else 'refused'}",
                )
            _enter(card, profile, spec, pin=pin)
            sw = int.from_bytes(_overwrite(card, spec)[-2:], "big")
            if sw == 0x9000 and (inner or spec.mac_required or not _allows(spec.write_right, int(pin))):
                complain("RIGHTS", where, "the card lets itself be written without a key")


def _allows(right: int, state: int) -> bool:
    return right & 0x0F <= state <= right >> 4


def _overwrite(card: Card, spec: FileSpec) -> bytes:
    if spec.kind in (FileKind.BINARY, FileKind.SECRET, FileKind.KEY):
        return card.transmit(Command(0x00, 0xD6, 0, 0, b"\x00").build())
    if spec.kind is FileKind.VARIABLE:
        body = spec.example[: spec.example[1] + 2] if spec.example else b"\x01\x01\x00"
        return card.transmit(Command(0x00, 0xDC, body[0], 0x04, body).build())
    return card.transmit(Command(0x00, 0xDC, 1, 0x04, bytes(spec.record_length)).build())


# Prices and worked cases


def _sheet(sector: Sector, sheet: Sheet, complain: Complain) -> None:
    """The result does not fall when a fact that the sheet names as rising grows."""
    cases = [case.facts for case in sector.worked_cases if case.sheet == sheet.name]
    cases += [
        step.facts
        for journey in sector.journeys
        for step in journey.steps
        if isinstance(step, Assess) and step.sheet == sheet.name and not step.refused
    ]
    for facts in cases:
        if any(isinstance(fact, str) and fact.startswith("=") for fact in facts.values()):
            continue  # what an earlier step remembers is known only while the journey is played
        for name in sheet.rising:
            start = facts[name]
            if isinstance(start, int):
                _rises(sheet, dict(facts), name, max(start, 100), complain)
    if sheet.rising and not cases and all(fare.sheet is not sheet for fare in sector.fares):
        complain("PRICES", sheet.name, "no case or step fills the sheet, so nothing shows that it rises")


def _tariff(tariff: Tariff, complain: Complain) -> None:
    """No product charges less for a higher fare."""
    for product in tariff.products:
        fares = [tariff.gross_max_fen * at // _SAMPLES for at in range(_SAMPLES + 1)]
        charges = [product.rule.price(fare) for fare in fares]
        if any(later < earlier for earlier, later in pairwise(charges)):
            complain("PRICES", product.code, "a higher fare is charged less")


def _rises(sheet: Sheet, facts: dict[str, Fact], name: str, start: int, complain: Complain) -> None:
    before = -1
    for at in range(_SAMPLES + 1):
        facts[name] = 2 * start * at // _SAMPLES
        try:
            now = sheet.fill(facts)[sheet.result]
        except JinkaError:
            continue  # facts that the rule refuses are no price
        if now < before:
            complain(
                "PRICES", f"{sheet.name}.{name}", f"the result falls from {before} to {now} at {facts[name]}"
            )
            return
        before = now


def _case(sector: Sector, case: WorkedCase, complain: Complain) -> None:
    if not case.source:
        complain("WORKED_CASE", case.title_en, "a case without its source")
    if case.check:
        found = check_character(case.check, case.number[:-1])
        if found != case.number[-1]:
            complain(
                "WORKED_CASE", case.check, f"{case.number[:-1]} ends in {found}, published is {case.number}"
            )
        return
    sheet = sector.sheet(case.sheet)
    lines = sheet.fill(case.facts)
    for code, wanted in case.gives.items():
        if lines[code] != wanted:
            complain("WORKED_CASE", f"{sheet.name}.{code}", f"comes to {lines[code]}, published is {wanted}")


# Journeys, reports, documentation, and the whole


def _journey(
    sector: Sector, journey: Journey, sectors: list[Sector], played: list[Played], complain: Complain
) -> None:
    done = play(sector, journey, sectors)
    played.append(done)
    if done.uncleared:
        complain("CLEARING", journey.name, f"{done.uncleared} records were never cleared: end with Clear")


def _reports(sector: Sector, played: list[Played], complain: Complain) -> None:
    happenings = [one for done in played for one in done.happenings]
    for report in sector.reports:
        if not report_rows(report, happenings):
            complain("REPORT", report.name, "no journey gives it a single row")
        if not (report.title_en and report.title_zh):
            complain("REPORT", report.name, "no title in both languages")
    if not sector.reports:
        complain("REPORT", "reports", "no report: its numbers appear nowhere")


def _documentation(sector: Sector, played: list[Played], complain: Complain) -> int:
    pages = [sector_page(sector, played, zh=zh) for zh in (False, True)]
    named = [
        *(profile.name for profile in sector.profiles), *(sheet.name for sheet in sector.all_sheets),
        *(right.name for right in sector.entitlements), *(journey.name for journey in sector.journeys),
    ]  # fmt: skip
    for page in pages:
        for name in named:
            if name not in page:
                complain("DOCUMENTATION", name, "is not on the page")
    return len(pages)


def _whole(sector: Sector, complain: Complain) -> None:
    """What is declared is used, said in two languages, and what is personal is behind the holder's PIN."""
    for where, en, zh in _texts(sector):
        if not en.strip() or not any("\u4e00" <= letter <= "\u9fff" for letter in zh):
            complain("TEXT", where, "not said in both languages")
    steps = [step for journey in sector.journeys for step in journey.steps]
    used = {getattr(step, "device", "") for step in steps}
    at_meters = {getattr(step, "meter", getattr(step, "new", "")) for step in steps}
    for meter in sector.meters:
        if meter.name not in at_meters:
            complain("UNUSED", meter.name, "no journey uses the meter")
    for device in sector.devices:
        if device.name not in used:
            complain("UNUSED", device.name, "no journey uses the device")
    tried = {
        (s.entitlement, bool(s.refused))
        for j in sector.journeys
        for s in j.steps
        if isinstance(s, Admit | Invoice)
    }
    for right in sector.entitlements:
        for refused in (False, True):
            if (right.name, refused) not in tried:
                complain(
                    "UNUSED", right.name, f"no journey in which it is {'refused' if refused else 'granted'}"
                )
    if not sector.journeys:
        complain("JOURNEYS", "journeys", "no journey")
    if any(profile.purse for profile in sector.profiles) and not any(
        isinstance(step, Tap | PayBySheet | Unlock) for journey in sector.journeys for step in journey.steps
    ):
        complain("UNUSED", "profiles", "a purse that no journey pays with")
    for profile in sector.profiles:
        by_file = {spec.fid: spec for spec in profile.files if not spec.folder}
        for fid, datum in profile.personal:
            found = by_file.get(fid)
            # A certificate is for everybody to read, and EMV shows its holder's name to every terminal.
            public = profile.application in (ApplicationKind.IDENTITY, ApplicationKind.EMV)
            if datum in _BEHIND_PIN and found is not None and not public and _allows(found.read_right, 0):
                complain(
                    "PERSONAL", f"{profile.name}.{fid:04X}", f"the holder's {datum.value} is free to read"
                )


def _texts(sector: Sector) -> Iterator[tuple[str, str, str]]:
    yield "title", sector.title_en, sector.title_zh
    yield "about", sector.about_en, sector.about_zh
    for group in (sector.profiles, sector.parties, sector.accounts, sector.devices, sector.entitlements,
                  sector.all_sheets, sector.journeys, sector.reports, sector.meters, sector.plans):  # fmt: skip
        for one in group:
            yield str(getattr(one, "name", getattr(one, "code", ""))), one.title_en, one.title_zh
    if sector.trace is not None:
        yield from trace_texts(sector.trace)
    for sheet in sector.all_sheets:
        for line in sheet.lines:
            yield f"{sheet.name}.{line.code}", line.title_en, line.title_zh
