"""Orders under transport keys: keys into a PSAM by its own commands, card keys in bulk for a bureau, and who got what.

::

    keys/psam-orders.jsonl      one line for each key that a PSAM took: serial and name, flushed before the next one

The key service makes what leaves (`jinka.keys.orders`); here it is carried to the module and noted down. The notes say
later what a stolen module exposes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from jinka.app.issue_gate import require_device
from jinka.app.key_folder import KeyFolder
from jinka.app.ordered_keys import ABOUT, CardKeyOrder, order_factors
from jinka.codec import Algorithm
from jinka.keys import KeyName
from jinka.keys.hierarchy import chip_key_name
from jinka.keys.service import LocalKeyService
from jinka.kit import Refused, Usage
from jinka.node import append_line, read_lines, write_durable
from jinka.profile import ApplicationProfile
from jinka.registry import Item
from jinka.terminal import ApduLink
from jinka.terminal.link import ask, ask_exactly

_APPLICATION = b"JINKA.PSAM"
_CARDS_MAX = 1_000_000


def orders_file(folder: KeyFolder) -> Path:
    """Where the orders are noted."""
    return folder.store.with_name("psam-orders.jsonl")


def give_module_keys(
    folder: KeyFolder, module: ApduLink, names: Sequence[KeyName], keys: LocalKeyService
) -> bytes:
    """Write national keys into a module under its transport key; returns its serial. Raises `Refused`.

    Where a register is demanded, the module stands in it, or gets none.
    """
    serial = ask_exactly(module, "psam 0015", bytes.fromhex("00B095000A"), 10)
    require_device(folder.workspace.folder, Item.PSAM, serial.hex())
    ask(module, "select", b"\x00\xa4\x04\x00" + bytes((len(_APPLICATION),)) + _APPLICATION + b"\x00")
    for name in names:
        if name.owner or name.algorithm not in Algorithm.__members__:
            raise Usage("a module takes national keys", where=f"keys.{name}", fix="such as purchase/TDES/2")
        command = keys.write_sam_key(
            psam_id=serial,
            purpose=name.purpose,
            algorithm=Algorithm[name.algorithm],
            version=name.version,
            rand4=ask_exactly(module, "get challenge", bytes.fromhex("0084000004"), 4),
        )
        note = {"psam": serial.hex(), "key": str(name)}
        append_line(orders_file(folder), json.dumps(note))  # before: what may be out must be known
        ask(module, f"write key {name}", command)
    return serial


def keys_given(folder: KeyFolder, psam_id: bytes) -> list[KeyName]:
    """Which keys a module was given here, each once."""
    found: dict[KeyName, None] = {}
    for line in read_lines(orders_file(folder)):
        try:
            entry = json.loads(line)
            if entry["psam"] == psam_id.hex():
                found[KeyName.parse(str(entry["key"]))] = None
        except (ValueError, KeyError, TypeError):
            raise Refused("a line that is no order", where=str(orders_file(folder))) from None
    return list(found)


def order_card_keys(
    keys: LocalKeyService,
    profile: ApplicationProfile,
    *,
    algorithm: Algorithm,
    first: int,
    count: int,
    bureau: str,
    out: Path,
) -> list[str]:
    """Wrap the keys of ``count`` cards, numbered from ``first``, for a bureau: a file for each key of the profile.

    The bureau's side is `jinka.app.ordered_keys`.
    """
    if not 1 <= count <= _CARDS_MAX or not 0 < first <= first + count - 1 < 10**16:
        raise Usage(
            f"{count} cards from {first}", where="order", fix=f"16 digits, at most {_CARDS_MAX} cards"
        )
    factors = order_factors(profile, first, count)
    written = []
    for spec in profile.keys:
        if spec.initial or not spec.service_purpose:  # the same for all, or nobody's to derive, as a PIN
            continue
        key = chip_key_name(profile, spec, algorithm)
        name = f"{key.purpose.value}-{key.algorithm}-{key.version}{f'-{key.owner}' * bool(key.owner)}.json"
        order = keys.order_card_keys(
            purpose=key.purpose,
            algorithm=algorithm,
            version=key.version,
            factors8=factors,
            bureau=bureau,
            owner=key.owner,
        )
        write_durable(out / name, order, private=True)
        written.append(name)
    about = CardKeyOrder(
        profile=profile.name, version=profile.version, algorithm=algorithm.name, first=f"{first:016d}", count=count,
        bureau=bureau, files=tuple(written),
    )  # fmt: skip
    write_durable(out / ABOUT, about.to_bytes(), private=True)  # last: the order is whole
    return written
