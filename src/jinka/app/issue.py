"""`jinka issue`: an order of cards, from holders to sealed images, embossing files and registered numbers.

The folder is the bureau: its keys, its range of numbers and its registry serve all orders. An order is made in
slices; a slice counts when its line is in the log, and until then it is made again, with the same numbers and the
same bytes. Numbers are reserved durably before the first card is made, so none is ever given to two orders.

::

    bureau.json            range, region, and the mark that all of it is simulated
    bureau.log.jsonl       reservations and finished slices, flushed line by line; numbers masked
    custodians/, keys/     the ceremony's shares and the sealed store
    registry.sqlite        the registration of each card; a number stands in it once
    orders/NAME/           order.json, cards/SLICE/ROW.jcs (or scripts), emboss/SLICE.csv
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.app.card_files import (
    ISSUER_NUMBER,
    TEST_REGION,
    SystemRandomness,
    profile_named,
    sealed_file,
    template_of,
)
from jinka.app.card_script import write_script
from jinka.app.keyring import CUSTODIANS, open_keys, write_ceremony
from jinka.app.progress import Progress, Silent
from jinka.app.workspace import Workspace
from jinka.card import script
from jinka.codec import Algorithm
from jinka.codec.bcd import digits_to_bcd
from jinka.issuer.bureau import Holder, NumberRange, Reservation, check_holders, next_reservation
from jinka.issuer.embossing import EmbossLine, embossing_file, masked_number
from jinka.issuer.production import CardOrder, make_cards, personal_data
from jinka.keys import Purpose, SoftKeyService, hold_ceremony
from jinka.kit import Finding, NotFound, Usage
from jinka.node import FolderLock, append_line, read_lines, write_durable
from jinka.profile import ApplicationProfile, KeyUse
from jinka.registry import CARDS
from jinka.sim.parties import ISSUER
from jinka.store import open_database, register_cards
from jinka.tariff import HolderClass

SLICE = 1000
RANGE_DEFAULT = "5180000001000000-5180000001999999"
DATE_DEFAULT = "2018-01-01"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_CSV_MAX = 64 * 1024 * 1024
_OK = b"\x90\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueOptions:
    """One order. Either ``cards`` blank ones (no names) or the holders of a CSV file."""

    directory: Path
    profile: str
    cards: int = 0
    holders: Path | None = None
    order: str = "order-1"
    algorithm: Algorithm = Algorithm.TDES
    numbers: str = RANGE_DEFAULT
    scripts: bool = False  # APDU scripts for physical cards instead of images
    slice_size: int = SLICE

    def __post_init__(self) -> None:
        if (self.holders is None) == (self.cards == 0):
            raise Usage(
                "a count or a file of holders", where="--cards", fix="--cards 100, or --cards holders.csv"
            )
        if self.holders is None and not 0 < self.cards <= 1_000_000:
            raise Usage(f"{self.cards} cards", where="--cards", fix="1 to 1,000,000")
        if not _NAME.fullmatch(self.order):
            raise Usage(f"order name {self.order!r}", where="--order", fix="a-z, 0-9, - and _, at most 32")
        if self.slice_size < 1:
            raise Usage(f"slices of {self.slice_size}", where="slice", fix="1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What an order came to. ``made`` counts the cards of this run, ``before`` those of earlier ones."""

    order: str
    made: int
    before: int
    first: str  # masked
    last: str
    folder: Path
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        found = {name: getattr(self, name) for name in ("order", "made", "before", "first", "last")}
        return found | {"folder": str(self.folder), "findings": [f.as_dict() for f in self.findings]}


class Bureau:
    """The folder of a bureau, locked by one run at a time."""

    def __init__(self, folder: Path, numbers: NumberRange) -> None:
        self.folder = folder
        self.workspace = Workspace(folder)
        self.log = folder / "bureau.log.jsonl"
        self.registry = folder / "registry.sqlite"
        self.numbers = self._claim(numbers)

    def _claim(self, numbers: NumberRange) -> NumberRange:
        """Note down the range, or take the one that is: a bureau keeps its range for good."""
        about = self.folder / "bureau.json"
        if about.exists():
            found = NumberRange.parse(str(json.loads(about.read_text(encoding="utf-8")).get("range", "")))
            if found != numbers and str(numbers) != RANGE_DEFAULT:
                raise Usage(
                    f"the bureau here has the range {found}", where=str(about), fix="leave out --range"
                )
            return found
        body = {"format": 1, "simulated": True, "range": str(numbers), "region": TEST_REGION}
        write_durable(about, json.dumps(body, indent=2).encode() + b"\n")
        return numbers

    def keys(self) -> SoftKeyService:
        """Open the bureau's keys; hold the ceremony when there are none."""
        if not self.workspace.keystore.exists():
            ceremony = hold_ceremony(
                issuer=ISSUER,
                date=DATE_DEFAULT,
                custodians=CUSTODIANS,
                randomness=SystemRandomness(),
                simulated=True,
            )
            write_ceremony(self.workspace, ceremony)
        return open_keys(self.workspace, TEST_REGION)

    def noted(self, event: str) -> Iterator[dict[str, Any]]:
        """Entries of the log of one kind, oldest first."""
        for line in read_lines(self.log):
            entry = json.loads(line)
            if entry["event"] == event:
                yield entry

    def note(self, event: str, **facts: Any) -> None:
        """Append to the log, durably."""
        append_line(self.log, json.dumps({"event": event, **facts}, ensure_ascii=False))

    def reserve(self, order: str, count: int) -> Reservation:
        """The order's numbers. Offsets into the range are logged, not numbers."""
        base = self.numbers.first
        held = [
            Reservation(order=entry["order"], first=base + entry["offset"], count=entry["count"])
            for entry in self.noted("reserved")
        ]
        found = next_reservation(self.numbers, held, order, count)
        if found not in held:
            self.note("reserved", order=order, offset=found.first - base, count=count)
        return found


def issue(options: IssueOptions, progress: Progress | None = None) -> Issued:
    """Make an order, or finish one that was interrupted; with findings in the holders' file nothing is made."""
    progress = progress or Silent()
    profile = profile_named(options.profile, options.algorithm)
    _check_profile(profile)
    holders, findings, digest = _holders(options, profile)
    folder = options.directory / "orders" / options.order
    if findings:
        return Issued(
            order=options.order, made=0, before=0, first="", last="", folder=folder, findings=tuple(findings)
        )
    numbers = NumberRange.parse(options.numbers)
    with FolderLock(options.directory):
        bureau = Bureau(options.directory, numbers)
        _claim_order(folder, options, profile, digest, len(holders))
        keys = bureau.keys()
        reservation = bureau.reserve(options.order, len(holders))
        maker = _Maker(options, profile, keys, reservation, bureau, folder)
        return maker.run(holders, progress)


def _check_profile(profile: ApplicationProfile) -> None:
    known = {purpose.value for purpose in Purpose}
    missing = sorted({key.service_purpose for key in profile.keys if not key.initial} - known)
    if profile.purse is None or missing:
        what = "it has no purse" if profile.purse is None else f"no key service derives {', '.join(missing)}"
        raise Usage(f"cards of this application are not made in bulk: {what}", where=profile.name)


def _holders(options: IssueOptions, profile: ApplicationProfile) -> tuple[list[Holder], list[Finding], str]:
    if options.holders is None:
        return [Holder()] * options.cards, [], f"blank {options.cards}"
    try:
        raw = options.holders.read_bytes()
    except FileNotFoundError:
        raise NotFound("no such file", where=str(options.holders), fix="a count, or a CSV file") from None
    except OSError as problem:
        raise Usage(f"cannot be read: {problem.strerror}", where=str(options.holders)) from None
    if len(raw) > _CSV_MAX:
        raise Usage(f"{len(raw)} bytes", where=str(options.holders), fix=f"at most {_CSV_MAX}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Usage(f"not UTF-8 at byte {problem.start}", where=str(options.holders)) from None
    limit = profile.purse.limit if profile.purse is not None else 0
    holders, findings = check_holders(text, balance_limit=limit, where=options.holders.name)
    return holders, findings, hashlib.sha256(raw).hexdigest()


def _claim_order(
    folder: Path, options: IssueOptions, profile: ApplicationProfile, digest: str, count: int
) -> None:
    wanted = {
        "profile": profile.name,
        "version": profile.version,
        "algorithm": options.algorithm.name,
        "holders": digest,
        "cards": count,
        "scripts": options.scripts,
        "slice": options.slice_size,
    }
    about = folder / "order.json"
    if not about.exists():
        write_durable(about, json.dumps(wanted, indent=2).encode() + b"\n")
        return
    found = json.loads(about.read_text(encoding="utf-8"))
    if found != wanted:
        differing = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
        raise Usage(
            f"another order has this name (different: {', '.join(differing)})",
            where=options.order,
            fix="name it otherwise with --order",
        )


class _Maker:
    """One order being made, slice by slice."""

    def __init__(
        self,
        options: IssueOptions,
        profile: ApplicationProfile,
        keys: SoftKeyService,
        reservation: Reservation,
        bureau: Bureau,
        folder: Path,
    ) -> None:
        self._options, self._profile, self._keys = options, profile, keys
        self._reservation, self._bureau, self._folder = reservation, bureau, folder
        self._template = template_of(profile, options.algorithm)
        self._engine = open_database(bureau.registry)

    def run(self, holders: Sequence[Holder], progress: Progress) -> Issued:
        size, order = self._options.slice_size, self._options.order
        done = {entry["slice"] for entry in self._bureau.noted("made") if entry["order"] == order}
        made = before = 0
        progress.step("cards", 0, len(holders))
        for number, start in enumerate(range(0, len(holders), size)):
            part = holders[start : start + size]
            if number in done:
                before += len(part)
            else:
                self._make(number, start, part)
                made += len(part)
            progress.step("cards", made + before, len(holders))
        self._engine.dispose()
        return Issued(
            order=order,
            made=made,
            before=before,
            first=masked_number(self._reservation.number(0)),
            last=masked_number(self._reservation.number(len(holders) - 1)),
            folder=self._folder,
        )

    def _make(self, number: int, start: int, holders: Sequence[Holder]) -> None:
        """Files first, then the registration, then the line that makes the slice count."""
        digits = [self._reservation.number(start + row) for row in range(len(holders))]
        orders = [_card_order(text, holder) for text, holder in zip(digits, holders, strict=True)]
        bodies = self._scripts(orders) if self._options.scripts else self._images(orders)
        self._write_files(number, start, bodies)
        lines = [
            EmbossLine(
                row=start + row + 1,
                number=text,
                expiry=order.expiry,
                name=holder.name,
                holder_class=holder.holder_class.name,
            )
            for row, (text, order, holder) in enumerate(zip(digits, orders, holders, strict=True))
        ]
        write_durable(self._folder / "emboss" / f"{number:04d}.csv", embossing_file(lines), private=True)
        register_cards(self._engine, self._registrations(orders))
        self._bureau.note(
            "made", order=self._options.order, slice=number, cards=len(orders),
            first=masked_number(digits[0]), last=masked_number(digits[-1]),
        )  # fmt: skip

    def _images(self, orders: Sequence[CardOrder]) -> list[bytes]:
        images = make_cards(
            orders,
            template=self._template,
            algorithm=self._options.algorithm,
            issuer=ISSUER_NUMBER,
            keys=self._keys,
        )
        return [image.to_bytes() for image in images]

    def _scripts(self, orders: Sequence[CardOrder]) -> list[bytes]:
        """Transcripts with the keys in the clear; they leave this process sealed."""
        everyone = personal_data(
            orders,
            profile=self._profile,
            algorithm=self._options.algorithm,
            issuer=ISSUER_NUMBER,
            keys=self._keys,
        )
        title = f"{self._profile.name} {self._profile.version}: a blank card answers 9000 to each"
        return [
            _wanted_only_9000(write_script([(c, _OK) for c in script(self._profile, who)], title=title))
            for who in everyone
        ]

    def _write_files(self, number: int, start: int, bodies: Sequence[bytes]) -> None:
        """A folder of sealed files that gets its name when all of them are on the disk."""
        place = self._folder / ("scripts" if self._options.scripts else "cards") / f"{number:04d}"
        beside = place.with_name(f".{place.name}.new")
        for stale in (beside, place):  # of a run that was killed
            if stale.exists():
                shutil.rmtree(stale)
        beside.mkdir(parents=True)
        for row, body in enumerate(bodies, start + 1):
            context = f"jinka.issue/1|{self._options.order}|{row}"
            _write_flushed(beside / f"{row:07d}.jcs", sealed_file(body, context, self._keys))
        beside.rename(place)
        _flush_folder(place)
        _flush_folder(place.parent)

    def _registrations(self, orders: Sequence[CardOrder]) -> pa.Table:
        tac = next(key for key in self._profile.keys if key.use is KeyUse.TAC)
        return pa.Table.from_pylist(
            [
                {
                    "card_no": order.card_no,
                    "issuer": ISSUER,
                    "profile": self._profile.name,
                    "profile_version": self._profile.version,
                    "holder": int(order.holder),
                    "algorithm": int(tac.algorithm),
                    "key_version": tac.version,
                    "opening_counter": 0,
                    "opening_online": 0,
                    "opening_balance": order.balance,
                    "status": 1,
                }
                for order in orders
            ],
            schema=CARDS,
        )


def _card_order(digits: str, holder: Holder) -> CardOrder:
    order = CardOrder(
        card_no=digits_to_bcd(digits, 10),
        holder=HolderClass(holder.holder_class),
        balance=holder.balance,
    )
    dates = {name: value for name in ("start", "expiry") if (value := getattr(holder, name))}
    return dataclasses.replace(order, **dates)


def _wanted_only_9000(text: str) -> bytes:
    """A blank card's answers may carry data (SELECT its FCI); the bureau asks for the status word."""
    return text.replace("\n< 9000", "\n< *9000").encode()


def _write_flushed(path: Path, raw: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(raw)
        out.flush()
        os.fsync(out.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
