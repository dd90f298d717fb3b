"""`jinka pos` and `jinka atm`: one function for each command, from a terminal's file to a slip.

Cards are images that `jinka issue` or `jinka card vpcd` wrote, real chips in a reader, or stripes; a card that is an
image is written back after every command, as its memory would stay. See docs/pos-atm.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jinka.app.card_link import CardPlace, card_at
from jinka.app.card_script import ResettableLink
from jinka.app.note_dispenser import NoteDispenser
from jinka.app.pos_config import PosFile, opened_till, read_pad, read_pos_file, write_pad
from jinka.app.pos_counter import Counter, Slip, Tender, slip_of
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.kit import NotFound, Usage
from jinka.node.system import SystemRandomness
from jinka.terminal import VERBS, PadKeys, Till, TillState, Verb, settle_batch
from jinka.terminal.pin_pad import STORAGE_SIZE
from jinka.terminal.till_states import totals_of

_STEP = {"verb", "amount", "card", "keys", "contactless", "track2", "pin", "trace", "batch", "to"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The card that a holder shows, and the PIN that is asked for when the card wants one."""

    card: CardPlace | None = None
    contactless: bool = False
    track2: str = field(default="", repr=False)
    pin: Callable[[], str | None] = field(default=lambda: None, repr=False)


class Terminal:
    """An opened terminal: its till, its readers, and for cash its notes."""

    def __init__(self, file: PosFile, till: Till, notes: NoteDispenser | None) -> None:
        self.file, self.till, self._notes = file, till, notes
        self._counter = Counter(
            till, file.device, SystemRandomness(), fallback=file.fallback,
            dispense=notes.pay if notes is not None else None,
        )  # fmt: skip

    def resume(self) -> list[Slip]:
        """What an earlier run left: money that was on its way out is counted, debts are paid."""
        for entry in list(self.till.entries.values()):
            if entry.state is TillState.PAYING and self._notes is not None:
                self._counter.paid_out(entry, self._notes.paid(entry))
        return [slip_of(entry) for entry in self.till.settle_debts()]

    def with_card(self, verb: Verb, amount_fen: int, shown: Shown, *, target: str = "") -> Slip:
        """A transaction with a card."""
        place: AbstractContextManager[ResettableLink | None] = nullcontext()
        if shown.card is not None:
            place = card_at(shown.card, keep=True)
        with place as link:
            tender = Tender(link=link, contactless=shown.contactless, track2=shown.track2, pin=shown.pin)
            return self._counter.serve(verb, amount_fen, tender, target=target)

    def about(self, verb: Verb, trace: str, batch: str = "", amount_fen: int | None = None) -> Slip:
        """A transaction about an earlier one."""
        return self._counter.follow(verb, self.till.find(trace, batch), amount_fen)

    def settle(self) -> dict[str, Any]:
        """Close the batch."""
        return asdict(settle_batch(self.till))

    def state(self) -> dict[str, Any]:
        """What the terminal knows of itself."""
        till = self.till
        return {
            "terminal": self.file.facts.terminal,
            "batch": till.batch,
            "signed_in": till.pad.signed_in,
            "totals": asdict(totals_of(till.entries.values(), till.batch)),
            "owed": [asdict(slip_of(entry)) for entry in till.owed],
            "disputed": [asdict(slip_of(entry)) for entry in till.disputed],
        }


@contextmanager
def opened_terminal(path: Path, *, atm: bool = False) -> Iterator[Terminal]:
    """The terminal of a file, for as long as the block lasts."""
    file = read_pos_file(path, atm=atm)
    with opened_till(file) as till:
        yield Terminal(file, till, NoteDispenser(file.folder / "notes", file.cash_fen) if atm else None)


def verb_named(name: str, *, atm: bool) -> Verb:
    """A verb of this kind of terminal; `NotFound` lists them."""
    known = {
        verb.name: verb
        for verb in VERBS.values()
        if (verb.atm if atm else verb.pos) and verb.name != "settle"
    }
    if name not in known:
        raise NotFound(f"no such transaction: {name}", where="verb", fix=", ".join(known))
    return known[name]


def make_pad(path: Path, *, master: str = "", pin: str = "", mac: str = "") -> dict[str, str]:
    """Put keys, as hex, into a terminal's pad; its journal's own key stays, or is drawn. Tells check values."""
    file = read_pos_file(path)
    try:
        storage = read_pad(file.pad).storage
    except NotFound:
        storage = SystemRandomness().token_bytes(STORAGE_SIZE)
    try:
        given = {name: bytes.fromhex(text) for name, text in (("master", master), ("pin", pin), ("mac", mac))}
    except ValueError:
        raise Usage("not hex", where="key", fix="32 hex digits") from None
    keys = PadKeys(storage=storage, master=given["master"], pin=given["pin"], mac=given["mac"])
    cipher = BlockCipher(keys.cipher)
    told = {
        name: BlockKey(cipher=cipher, value=value).check_value().hex().upper()
        for name, value in given.items()
        if value
    }
    write_pad(file.pad, keys)
    return told


def run_script(path: Path, script: Path, *, atm: bool = False) -> list[dict[str, Any]]:
    """Many steps at one terminal: a TOML file with an array of tables ``step``. An error ends it."""
    try:
        steps = tomllib.loads(script.read_text(encoding="utf-8"))["step"]
    except FileNotFoundError:
        raise NotFound("no such file", where=str(script)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as error:
        raise Usage(
            f"no steps: {error}", where=str(script), fix="[[step]] tables, see docs/pos-atm.md"
        ) from None
    if not isinstance(steps, list):
        raise Usage("step is not an array of tables", where=str(script), fix="[[step]]")
    done: list[dict[str, Any]] = []
    traces: list[str] = []  # of the steps so far: trace = "-1" is the one before
    with opened_terminal(path, atm=atm) as terminal:
        terminal.resume()
        for number, step in enumerate(steps, 1):
            where = f"{script}, step {number}"
            if not isinstance(step, dict) or set(step) - _STEP or "verb" not in step:
                raise Usage("not a step", where=where, fix=f"verb, and of {', '.join(sorted(_STEP))}")
            slip = _step(terminal, step, script.parent, traces, atm=atm)
            traces.append(str(slip.get("trace", "")))
            done.append(slip)
    return done


def _step(
    terminal: Terminal, step: Mapping[str, Any], base: Path, traces: list[str], *, atm: bool
) -> dict[str, Any]:
    name = str(step["verb"])
    if name == "settle":
        return {"verb": name} | terminal.settle()
    if name == "sign-in":
        terminal.till.sign_in()
        return {"verb": name, "status": "done"}
    verb = verb_named(name, atm=atm)
    amount = int(step["amount"]) if "amount" in step else None
    if verb.original:
        trace = str(step["trace"])
        if trace.startswith("-"):
            trace = traces[int(trace)]
        return asdict(terminal.about(verb, trace, str(step.get("batch", "")), amount))
    place = None
    if "card" in step:
        keys = base / str(step["keys"]) if "keys" in step else None
        place = CardPlace(image=base / str(step["card"]), keys=keys)
    pin = str(step["pin"]) if "pin" in step else None
    shown = Shown(
        card=place, contactless=bool(step.get("contactless", False)), track2=str(step.get("track2", "")),
        pin=lambda: pin,
    )  # fmt: skip
    return asdict(terminal.with_card(verb, amount or 0, shown, target=str(step.get("to", ""))))
