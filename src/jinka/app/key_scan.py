"""`jinka keys scan`: look for clear keys, PIN blocks and share secrets in everything that was left behind.

The keys of a folder are opened with its custodians' shares and every key that follows from them is derived: roots, the
city's, each registered card's of each purpose and version, as purse and as bank card; with a bureau's sealed letters
also the subscribers' keys and the PIN blocks of its cards (ISO 9564 formats 0 and 2). Then every file is read whole and
looked through at every offset: as bytes, as hex, as base64, and inside Parquet files column by column. A PIN of four
digits by itself is not looked for: it is everywhere.
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from jinka.app.card_files import read_opened
from jinka.app.issue import read_letters
from jinka.app.keyring import open_keys, unlock_store
from jinka.app.workspace import Workspace
from jinka.codec import Algorithm
from jinka.crypto import diversify
from jinka.crypto.bulk import sm4_diversify, tdes_diversify
from jinka.issuer.bank_production import bank_factors
from jinka.keys import Purpose, SoftKeyService, city_factor
from jinka.keys.hierarchy import LEVELS
from jinka.kit import Finding, Severity
from jinka.node import file_errors
from jinka.store import load_registry, open_database

Words = npt.NDArray[np.uint64]
_HEX = re.compile(rb"[0-9A-Fa-f](?:[ :]?[0-9A-Fa-f]){15,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{22,}")
_DIVERSIFY = {Algorithm.TDES: tdes_diversify, Algorithm.SM4: sm4_diversify}
_BANK = (Purpose.CRYPTOGRAM, Purpose.SCRIPT_MAC, Purpose.SCRIPT_DATA)
_LETTER_KEYS = {"k", "opc"}  # of a subscriber
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_REGISTRIES = ("centre/centre.db", "registry.sqlite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was looked for, where, and what was found."""

    secrets: int
    files: int
    bytes_read: int
    findings: tuple[Finding, ...]


class Secrets:
    """Values to look for. Each is known by its first 8 bytes; a filter by hash makes looking for many quick."""

    def __init__(self) -> None:
        self._names: dict[int, list[tuple[bytes, str]]] = {}
        self._bits, self._slots = 0, np.zeros(0, dtype=np.bool_)  # made by the first search after an addition

    def __len__(self) -> int:
        return sum(len(values) for values in self._names.values())

    def add(self, name: str, value: bytes) -> None:
        """Look for ``value``, 8 bytes or more; one that is all one byte says nothing and is left out."""
        if len(value) < 8 or len(set(value)) == 1:
            return
        known = self._names.setdefault(int.from_bytes(value[:8], "little"), [])
        if all(found != value for found, _ in known):
            known.append((value, name))
            self._bits = 0

    def find(self, data: bytes) -> Iterator[tuple[int, str]]:
        """(offset, name) of each value in ``data``."""
        if not self._bits:
            self._fill()
        for shift in range(min(8, max(0, len(data) - 7))):
            words = np.frombuffer(data, dtype="<u8", count=(len(data) - shift) // 8, offset=shift)
            for place in np.flatnonzero(self._slots[_slot(words, self._bits)]):
                at = shift + 8 * int(place)
                for value, name in self._names.get(int(words[place]), ()):
                    if data[at : at + len(value)] == value:
                        yield at, name

    def _fill(self) -> None:
        """So many slots that one in 64 is taken: what passes the filter is looked up one by one."""
        self._bits = max(16, (64 * len(self._names)).bit_length())
        self._slots = np.zeros(1 << self._bits, dtype=np.bool_)
        self._slots[_slot(np.fromiter(self._names, np.uint64, len(self._names)), self._bits)] = True


def scan(
    folders: Sequence[Path], paths: Sequence[Path], *, shares: Sequence[Path] = (), region: str = "440300"
) -> Scan:
    """Look for the secrets of the key folders in the files and folders ``paths``.

    Raises `Refused` when a store does not open with the shares that are there.
    """
    secrets = Secrets()
    for folder in folders:
        _add_secrets(secrets, folder, shares, region)
    findings, files, size = [], 0, 0
    for path in _files(paths):
        with file_errors(path):
            data = path.read_bytes()
        files, size = files + 1, size + len(data)
        findings += [_finding(path, at, name) for at, name in _look(secrets, path, data)]
    return Scan(secrets=len(secrets), files=files, bytes_read=size, findings=tuple(findings))


def _add_secrets(secrets: Secrets, folder: Path, shares: Sequence[Path], region: str) -> None:
    workspace = Workspace(folder)
    opened = unlock_store(workspace, shares)
    secrets.add("wrapping key", opened.wrapping)
    numbers = _numbers(folder)
    purses = np.frombuffer(b"".join(number[2:] for number in numbers), np.uint8).reshape(-1, 8)
    banks = bank_factors([(number.hex().lstrip("0"), 0) for number in numbers])
    for name, root in opened.store.roots.items():
        secrets.add(str(name), root)
        if name.purpose not in LEVELS or name.algorithm not in Algorithm.__members__:
            continue
        algorithm, parent = Algorithm[name.algorithm], root
        if LEVELS[name.purpose] == 2:
            parent = diversify(algorithm, root, city_factor(region))
            secrets.add(f"{name} of the city", parent)
        factors = banks if name.purpose in _BANK else purses
        for row, key in enumerate(_DIVERSIFY[algorithm](parent, factors)):
            secrets.add(f"{name} of card {row + 1}", key.tobytes())
    # Without an audit log: what is scanned is not written to.
    keys = open_keys(workspace, region, share_files=shares)
    for what, value in _applications(folder, keys):
        secrets.add(what, value)
    for letter in _letters(folder, keys):
        pin = letter.get("pin", "")
        if pin.isdigit():
            secrets.add("a PIN block of format 0", _block0(letter["number"].replace(" ", ""), pin))
            secrets.add("a PIN block of format 2", bytes.fromhex(f"2{len(pin):x}{pin}".ljust(16, "f")))
        for what in _LETTER_KEYS & set(letter):
            secrets.add(f"{what} of a letter", bytes.fromhex(letter[what]))


def _numbers(folder: Path) -> list[bytes]:
    """The numbers of all cards that the registries of a folder know."""
    numbers: list[bytes] = []
    for path in (path for place in _REGISTRIES for path in sorted(folder.glob(place))):
        engine = open_database(path)
        try:
            numbers += load_registry(engine).cards["card_no"].to_pylist()
        finally:
            engine.dispose()
    return numbers


def _applications(folder: Path, keys: SoftKeyService) -> Iterator[tuple[str, bytes]]:
    """What a bureau's applications without a purse follow from."""
    path = Workspace(folder).keystore.parent / "applications.jcs"
    if path.exists():
        raw = read_opened(path, keys)[0]
        yield "the bureau's secret", raw


def _letters(folder: Path, keys: SoftKeyService) -> Iterator[dict[str, str]]:
    """The sealed letters of a bureau's orders, one for each card."""
    for order in sorted(folder.glob("orders/*/letters")):
        yield from read_letters(folder, order.parent.name, keys)


def _block0(number: str, pin: str) -> bytes:
    plain = int(f"0{len(pin):x}{pin}".ljust(16, "f"), 16)
    return (plain ^ int("0000" + number[-13:-1].rjust(12, "0"), 16)).to_bytes(8, "big")


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Regular files only: a pipe would hang, and what a link points to is met where it lies."""
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (each for each in inside if each.is_file() and not each.is_symlink())


def _look(secrets: Secrets, path: Path, data: bytes) -> Iterator[tuple[int, str]]:
    """Each place once, whatever the form that it was found in."""
    seen: set[tuple[int, str]] = set()
    for at, name in _all_forms(secrets, path, data):
        if (at, name) not in seen:
            seen.add((at, name))
            yield at, name


def _all_forms(secrets: Secrets, path: Path, data: bytes) -> Iterator[tuple[int, str]]:
    yield from secrets.find(data)
    yield from _in_text(secrets, _from_hex(data), "hex")
    yield from _in_text(secrets, _from_base64(data), "base64")
    if path.suffix == ".parquet":
        yield from ((0, f"{name}, in a column") for name in _in_columns(secrets, data))


def _in_text(secrets: Secrets, decoded: Iterator[tuple[int, bytes]], form: str) -> Iterator[tuple[int, str]]:
    """Look through all runs of text at once, as one piece of bytes: (offset of the run, name)."""
    starts, places, pieces, size = [], [], [], 0
    for at, piece in decoded:
        starts.append(size)
        places.append(at)
        pieces.append(piece)
        size += len(piece)
    for at, name in secrets.find(b"".join(pieces)):
        yield places[bisect_right(starts, at) - 1], f"{name}, in {form}"


def _from_hex(data: bytes) -> Iterator[tuple[int, bytes]]:
    for match in _HEX.finditer(data):
        digits = match.group().translate(None, b" :")
        for start in (0, 1):
            even = digits[start : start + (len(digits) - start) // 2 * 2]
            yield match.start(), bytes.fromhex(even.decode())


def _from_base64(data: bytes) -> Iterator[tuple[int, bytes]]:
    for match in _BASE64.finditer(data):
        text = match.group().translate(_URL_SAFE)
        for start in range(4):
            rest = text[start:]
            rest = rest[:-1] if len(rest) % 4 == 1 else rest
            yield match.start(), base64.b64decode(rest + b"=" * (-len(rest) % 4))


def _in_columns(secrets: Secrets, data: bytes) -> Iterator[str]:
    try:
        table = pq.read_table(pa.BufferReader(data))
    except pa.ArrowException:
        return  # a file that is damaged, or was written to be: its raw bytes were looked through
    buffers = (buffer for column in table.columns for chunk in column.chunks for buffer in chunk.buffers())
    pieces = (buffer.to_pybytes() for buffer in buffers if buffer is not None)
    yield from (name for _, name in secrets.find(bytes(8).join(pieces)))


def _slot(words: Words, bits: int) -> npt.NDArray[np.intp]:
    mixed = (words ^ (words >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - bits)).astype(np.intp)


def _finding(path: Path, at: int, name: str) -> Finding:
    return Finding(
        code="CLEAR_SECRET",
        severity=Severity.ERROR,
        where=f"{path}:{at}",
        what=name,
        fix="replace the key, and whatever was made under it",
    )
