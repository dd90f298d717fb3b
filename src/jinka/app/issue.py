"""`jinka issue`: an order of cards, from holders to sealed images, embossing files and registered numbers.

The folder is the bureau: its keys, its range of numbers and its registry serve all orders. An order is made in
slices; a slice counts when its line is in the log, and until then it is made again, with the same numbers, keys and
PINs. Numbers are reserved durably before the first card is made, so none is ever given to two orders.

::

    bureau.json            range, region, and the mark that all of it is simulated
    bureau.log.jsonl       reservations and finished slices, flushed line by line; numbers masked
    custodians/, keys/     the ceremony's shares, unless they are elsewhere; the sealed store; what was done with its
                           keys, audit-service.jsonl: on the disk before the files that came of it
    keys/bank/             what signs bank cards, and RSA keys for them: `jinka.app.bank_authority`
    keys/applications.jcs  the sealed secret that keys and PINs of applications without a purse follow from
    registry.sqlite        the range, as the register granted it, and each card; a number stands in it once
    audit.jsonl            who granted it: the register's audit log
    orders/NAME/           order.json, cards/SLICE/ROW.jcs (or scripts), emboss/SLICE.csv,
                           letters/SLICE.jcs (sealed: PINs)
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jinka.app.bank_authority import CardKeyRack
from jinka.app.bureau_folder import RANGE_DEFAULT, Bureau, bureau_keys
from jinka.app.card_files import (
    profile_named,
    read_opened,
    sealed_file,
    write_sealed,
)
from jinka.app.issue_bank import BankDesk, OfflineAuth, bank_folder, spec_of
from jinka.app.issue_cards import (
    CardMaker,
    IssuedCard,
    balance_limit,
    check_holders_for,
    check_profile,
    is_bank,
    is_purse,
)
from jinka.app.issue_gate import Making
from jinka.app.issue_register import OrderAtRegister
from jinka.app.ordered_keys import OrderedKeys
from jinka.app.progress import Progress, Silent
from jinka.app.registrar import utc_today
from jinka.codec import Algorithm
from jinka.issuer.bureau import Holder, NumberRange, Reservation, check_holders
from jinka.issuer.embossing import EmbossLine, embossing_file, masked_number
from jinka.keys import SoftKeyService
from jinka.keys.port import ChipKeys
from jinka.kit import Finding, NotFound, Usage
from jinka.node import FolderLock, file_errors, write_durable
from jinka.node.system import SystemClock
from jinka.profile import ApplicationProfile
from jinka.sim.parties import ISSUER
from jinka.store import open_database, register_cards, register_in

SLICE = 1000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_CSV_MAX = 64 * 1024 * 1024


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
    oda: OfflineAuth = OfflineAuth.DDA  # of bank cards
    share_files: tuple[Path, ...] = ()  # custodians' shares; by default those in the folder
    card_keys: Path | None = None  # an issuer's order of keys; by default the bureau has the roots itself
    making: Making = field(
        default_factory=Making
    )  # what a register asks of an order; see `jinka.app.issue_gate`

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


def issue(options: IssueOptions, progress: Progress | None = None) -> Issued:
    """Make an order, or finish one that was interrupted; with findings in the holders' file nothing is made."""
    progress = progress or Silent()
    profile = profile_named(options.profile, options.algorithm)
    check_profile(profile, options.algorithm)
    if is_bank(profile):
        spec_of(profile, options.algorithm, options.oda)
    if options.card_keys is not None and not (is_bank(profile) or is_purse(profile)):
        raise Usage("its keys follow from the bureau's secret", where=profile.name, fix="leave out --keys")
    holders, findings, digest = _holders(options, profile)
    folder = options.directory / "orders" / options.order
    if findings:
        return Issued(
            order=options.order, made=0, before=0, first="", last="", folder=folder, findings=tuple(findings)
        )
    numbers = NumberRange.parse(options.numbers)
    with file_errors(options.directory), FolderLock(options.directory):
        bureau = Bureau(options.directory, numbers)
        keys = bureau.keys(options.share_files)
        try:
            ordered = None
            if options.card_keys is not None:
                ordered = OrderedKeys(options.card_keys, keys, profile, options.algorithm)
            wanted = _wanted(options, profile, digest, len(holders), ordered)
            _check_order(folder, wanted)
            next_one = bureau.next_numbers(options.order, len(holders))
            if ordered is not None:
                ordered.require_numbers([next_one.number(0), next_one.number(len(holders) - 1)])
            register = OrderAtRegister(options.directory, profile, options.making, next_one, len(holders))
            register.check()
            write_durable(folder / "order.json", json.dumps(wanted, indent=2).encode() + b"\n")
            reservation = bureau.reserve(options.order, len(holders))
            register.enter()
            maker = _Maker(options, profile, keys, ordered or keys, reservation, bureau, folder, register)
            return maker.run(holders, progress)
        finally:
            keys.close()


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
    where = options.holders.name
    holders, findings = check_holders(text, balance_limit=balance_limit(profile), where=where)
    findings += check_holders_for(profile, holders, where)
    return holders, findings, hashlib.sha256(raw).hexdigest()


def _wanted(
    options: IssueOptions, profile: ApplicationProfile, digest: str, count: int, ordered: OrderedKeys | None
) -> dict[str, Any]:
    """What makes an order the one that it is, as ``order.json`` says it."""
    wanted: dict[str, Any] = {
        "profile": profile.name,
        "version": profile.version,
        "algorithm": options.algorithm.name,
        "holders": digest,
        "cards": count,
        "scripts": options.scripts,
        "slice": options.slice_size,
    }
    if is_bank(profile):
        wanted["oda"] = options.oda.value
    if is_bank(profile) or ordered is not None:
        wanted["card_keys"] = ordered.digest if ordered is not None else "key service"
    if options.making != Making():
        wanted["making"] = json.loads(json.dumps(asdict(options.making)))
    return wanted


def _check_order(folder: Path, wanted: dict[str, Any]) -> None:
    """Raise `Usage` where another order has the name."""
    about = folder / "order.json"
    if not about.exists():
        return
    found = json.loads(about.read_text(encoding="utf-8"))
    if found != wanted:
        differing = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
        raise Usage(
            f"another order has this name (different: {', '.join(differing)})",
            where=folder.name,
            fix="name it otherwise with --order",
        )


def draw_card_keys(
    directory: Path,
    profile: str,
    count: int,
    numbers: str,
    progress: Progress | None = None,
    share_files: Sequence[Path] = (),
) -> int:
    """Fill the sealed pool of RSA keys for bank cards up to ``count``; return how many were drawn."""
    if not is_bank(profile_named(profile)):
        raise Usage("the pool is for bank cards' keys", where=profile, fix="leave out --draw")
    with file_errors(directory), FolderLock(directory):
        bureau = Bureau(directory, NumberRange.parse(numbers))
        keys = bureau.keys(share_files)
        try:
            return CardKeyRack(bank_folder(directory), directory, keys).draw(count, progress or Silent())
        finally:
            keys.close()


def open_letters(directory: Path, order: str, share_files: Sequence[Path] = ()) -> list[dict[str, str]]:
    """What the holders of an order have to be told, PINs above all; `NotFound` when its cards have none.

    That letters were opened is in the audit log before anybody sees them.
    """
    with file_errors(directory):
        keys = bureau_keys(directory, share_files)
        try:
            return read_letters(directory, order, keys)
        finally:
            keys.close()


def read_letters(directory: Path, order: str, keys: SoftKeyService) -> list[dict[str, str]]:
    """The same with keys that are open already."""
    found = []
    for path in sorted((directory / "orders" / order / "letters").glob("*.jcs")):
        found += [json.loads(line) for line in read_opened(path, keys)[0].decode().splitlines()]
    if not found:
        raise NotFound(
            "no letters", where=f"order {order}", fix="purses have none; name the order with --order"
        )
    return found


class _Maker:
    """One order being made, slice by slice."""

    def __init__(
        self,
        options: IssueOptions,
        profile: ApplicationProfile,
        keys: SoftKeyService,
        chips: ChipKeys,
        reservation: Reservation,
        bureau: Bureau,
        folder: Path,
        register: OrderAtRegister,
    ) -> None:
        self._options, self._keys, self._register = options, keys, register
        self._reservation, self._bureau, self._folder = reservation, bureau, folder
        secret = None if is_purse(profile) else bureau.secret(keys)
        desk = None
        if is_bank(profile):
            assert secret is not None, "a bank card is no purse"
            desk = BankDesk(
                profile, options.algorithm, options.oda,
                bureau=bureau.folder, order=folder, numbers=bureau.numbers, keys=keys, secret=secret,
                masters=chips,
            )  # fmt: skip
        self._cards = CardMaker(profile, options.algorithm, chips, secret, scripts=options.scripts, bank=desk)
        self._engine = open_database(bureau.registry)

    def run(self, holders: Sequence[Holder], progress: Progress) -> Issued:
        size, order = self._options.slice_size, self._options.order
        done = {entry["slice"] for entry in self._bureau.noted("made") if entry["order"] == order}
        made = before = 0
        progress.step("cards", 0, len(holders))
        for number, start in enumerate(range(0, len(holders), size)):
            part = holders[start : start + size]
            if number in done:
                self._cards.counted(number)  # a kill may have come between the line and what follows it
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
        with register_in(self._engine) as register:  # the range may have been suspended meanwhile
            register.require_card_numbers(digits[0], digits[-1], utc_today(SystemClock()), holder=ISSUER)
        self._register.require()
        cards = self._cards.make(number, digits, holders)
        self._write_files(number, start, [card.body for card in cards])
        self._write_letters(number, start, cards)
        lines = [
            EmbossLine(
                row=start + row + 1,
                number=card.number,
                expiry=card.expiry,
                name=card.holder.name,
                holder_class=card.holder.holder_class.name,
            )
            for row, card in enumerate(cards)
        ]
        write_durable(self._folder / "emboss" / f"{number:04d}.csv", embossing_file(lines), private=True)
        register_cards(self._engine, self._cards.registrations(cards))
        self._cards.before_counting()
        self._bureau.note(
            "made", order=self._options.order, slice=number, cards=len(cards),
            first=masked_number(digits[0]), last=masked_number(digits[-1]),
        )  # fmt: skip
        self._cards.counted(number)

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
        self._keys.commit()  # what was done with keys is on the disk before what came of it has its name
        beside.rename(place)
        _flush_folder(place)
        _flush_folder(place.parent)

    def _write_letters(self, number: int, start: int, cards: Sequence[IssuedCard]) -> None:
        """PINs and subscribers' keys, one line of JSON for each card; sealed, since nobody else may know them."""
        if not any(card.letter for card in cards):
            return
        lines = [
            json.dumps({"row": start + row, "number": card.number, **card.letter})
            for row, card in enumerate(cards, 1)
        ]
        context = f"jinka.issue/1|{self._options.order}|letters {number}"
        path = self._folder / "letters" / f"{number:04d}.jcs"
        write_sealed(path, ("\n".join(lines) + "\n").encode(), context, self._keys)


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
