"""The folder of a bureau: its range of numbers, its keys, its log, its register. What lies where: `jinka.app.issue`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jinka.app.card_files import TEST_REGION, read_opened, write_sealed
from jinka.app.keyring import CUSTODIANS, open_logged_keys, write_ceremony
from jinka.app.registrar import Registrar
from jinka.app.workspace import Workspace
from jinka.issuer.applications import SECRET_SIZE, BureauSecret
from jinka.issuer.bureau import NumberRange, Reservation, next_reservation
from jinka.keys import SoftKeyService, hold_ceremony
from jinka.kit import NotFound, Usage
from jinka.node import append_line, read_lines, write_durable
from jinka.node.system import SystemRandomness
from jinka.sim.parties import ISSUER

RANGE_DEFAULT = "5180000001000000-5180000001999999"
DATE_DEFAULT = "2018-01-01"


def bureau_keys(folder: Path, share_files: Sequence[Path] = ()) -> SoftKeyService:
    """The keys in a bureau's folder, opened with its audit log."""
    workspace = Workspace(folder)
    return open_logged_keys(workspace, TEST_REGION, log=workspace.keys_log, share_files=share_files)


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
            self._admit(found)
            return found
        self._admit(numbers)
        body = {"format": 1, "simulated": True, "range": str(numbers), "region": TEST_REGION}
        write_durable(about, json.dumps(body, indent=2).encode() + b"\n")
        return numbers

    def _admit(self, numbers: NumberRange) -> None:
        """Refuse a range that the register has not granted. The default one is simulated, and granted here."""
        first, last = str(numbers).split("-")
        with Registrar(self.folder) as registrar:
            if str(numbers) == RANGE_DEFAULT:
                registrar.grant_simulated(first, last, holder=ISSUER)
            registrar.require_card_numbers(first, last, holder=ISSUER)

    def keys(self, share_files: Sequence[Path] = ()) -> SoftKeyService:
        """Open the bureau's keys, with its audit log; whoever asked closes them.

        Without a store the ceremony is held here, unless shares were named: then the store is missing.
        """
        if not self.workspace.keystore.exists():
            if share_files:
                raise NotFound(
                    "no key store that shares could open",
                    where=str(self.workspace.keystore),
                    fix="hold jinka keys ceremony in this folder, or leave out --share",
                )
            ceremony = hold_ceremony(
                issuer=ISSUER,
                date=DATE_DEFAULT,
                custodians=CUSTODIANS,
                randomness=SystemRandomness(),
                simulated=True,
            )
            write_ceremony(self.workspace, ceremony)
        return bureau_keys(self.folder, share_files)

    def secret(self, keys: SoftKeyService) -> BureauSecret:
        """Open the secret of the applications without a purse; draw it when there is none."""
        path = self.workspace.keystore.parent / "applications.jcs"
        if not path.exists():
            drawn = SystemRandomness().token_bytes(SECRET_SIZE)
            write_sealed(path, drawn, "jinka.issue/1|applications", keys)
        return BureauSecret(read_opened(path, keys)[0])

    def noted(self, event: str) -> Iterator[dict[str, Any]]:
        """Entries of the log of one kind, oldest first."""
        for line in read_lines(self.log):
            entry = json.loads(line)
            if entry["event"] == event:
                yield entry

    def note(self, event: str, **facts: Any) -> None:
        """Append to the log, durably."""
        append_line(self.log, json.dumps({"event": event, **facts}, ensure_ascii=False))

    def next_numbers(self, order: str, count: int) -> Reservation:
        """The numbers that an order has, or would get now."""
        return next_reservation(self.numbers, self._held(), order, count)

    def reserve(self, order: str, count: int) -> Reservation:
        """The order's numbers. Offsets into the range are logged, not numbers."""
        found = self.next_numbers(order, count)
        if found not in self._held():
            self.note("reserved", order=order, offset=found.first - self.numbers.first, count=count)
        return found

    def _held(self) -> list[Reservation]:
        base = self.numbers.first
        return [
            Reservation(order=entry["order"], first=base + entry["offset"], count=entry["count"])
            for entry in self.noted("reserved")
        ]
