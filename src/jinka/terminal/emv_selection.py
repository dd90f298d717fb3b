"""From a card to an application with its data: selection, initiation, reading (EMV Book 1, 12; Book 3, 10.1 and 10.2).

Two ways to the list: the payment environment, and each AID of the terminal in turn with the next occurrence of a
partial name. Everything that the card says is limited: entries, records, bytes. Nothing is cached between cards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinka.codec import Response, TlvError, find, parse, tlv
from jinka.codec.dol import fill_dol
from jinka.codec.emv_tags import Tag, leaves
from jinka.kit import NotFound
from jinka.terminal.emv_data import EmvDevice, Run
from jinka.terminal.link import ApduLink, CardRemoved, ChipRefused

CONTACT = b"1PAY.SYS.DDF01"
CONTACTLESS = b"2PAY.SYS.DDF01"
_OK, _BLOCKED, _NONE = 0x9000, 0x6283, 0x6A82
_NOT_FORMED = 0x6A80
_ENTRIES_MAX, _OCCURRENCES_MAX, _RECORDS_MAX = 32, 8, 64
_MANDATORY = (Tag.EXPIRY, Tag.PAN, Tag.CDOL1, Tag.CDOL2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An application that both sides have. ``priority`` 1 is the first, 15 the last, 0 none."""

    aid: bytes
    label: str
    priority: int
    asks: bool  # it must not be taken without the holder's consent


def send(link: ApduLink, command: bytes) -> Response:
    """One command; an answer without status counts as removal."""
    raw = link.transmit(command)
    if len(raw) < 2:
        raise CardRemoved("an answer without a status word", where="reader", fix="present the card again")
    return Response.parse(raw)


def candidates(link: ApduLink, device: EmvDevice, environment: bytes = CONTACT) -> list[Candidate]:
    """The applications that both sides know, best first. A contactless card has no other way than its environment."""
    found = _from_environment(link, environment)
    listed = [entry for entry in found if _known(device, entry.aid)]
    if not listed and environment == CONTACT:
        listed = list(_from_list(link, device))
    return sorted(listed, key=lambda entry: entry.priority or 16)


def choose(link: ApduLink, run: Run, entry: Candidate) -> None:
    """Final selection: the FCI's objects are gathered; `ChipRefused` when the card will not."""
    response = _select(link, entry.aid)
    if response.sw != _OK:
        raise ChipRefused("select", response.sw)
    run.application = run.device.application(entry.aid)
    run.values.update(_objects("select", response.data))
    run.values[Tag.AID] = entry.aid
    run.values[Tag.VERSION_TERMINAL] = run.application.version
    offers = 0 < run.sale.amount_fen <= run.application.ecash_limit_fen and not run.sale.forced_online
    run.values[Tag.ECASH_TERMINAL] = b"\x01" if offers else b"\x00"


def initiate(run: Run) -> None:
    """GET PROCESSING OPTIONS: the interchange profile and the file locator, in either format."""
    body = dol_answer("PDOL", run.values.get(Tag.PDOL, b""), run.values)
    run.asked = body
    command = tlv(0x83, body)
    response = send(run.link, b"\x80\xa8\x00\x00" + bytes((len(command),)) + command + b"\x00")
    if response.sw != _OK:
        raise ChipRefused("get processing options", response.sw)
    template = _objects_here("get processing options", response.data)
    if 0x80 in template and len(template[0x80]) >= 2:
        run.values[Tag.AIP], run.values[Tag.AFL] = template[0x80][:2], template[0x80][2:]
    elif 0x77 in template:
        run.values.update(_objects("get processing options", template[0x77]))
    if len(run.values.get(Tag.AIP, b"")) != 2:
        raise ChipRefused("get processing options", _NOT_FORMED)


def read_application(run: Run) -> None:
    """READ RECORD over the file locator; what is to be signed is kept in order (Book 3, 10.2 and 10.3)."""
    static = b""
    for count, (sfi, number, signed) in enumerate(_locations(run.values.get(Tag.AFL, b""))):
        if count >= _RECORDS_MAX:
            raise ChipRefused("read record", _NOT_FORMED)
        response = send(run.link, bytes((0x00, 0xB2, number, sfi << 3 | 4, 0x00)))
        if response.sw != _OK:
            raise ChipRefused("read record", response.sw)
        record = _objects_here("read record", response.data)
        if sfi <= 10:
            if set(record) != {0x70}:
                raise ChipRefused("read record", _NOT_FORMED)
            gathered = _objects("read record", record[0x70])
            if gathered.keys() & run.values.keys() & _FROM_CARD_ONCE:
                raise ChipRefused("read record", _NOT_FORMED)  # the same object twice
            run.values.update(gathered)
        if signed:
            static += record.get(0x70, b"") if sfi <= 10 else response.data
    if Tag.STATIC_TAGS in run.values:
        if run.values[Tag.STATIC_TAGS] != bytes((Tag.AIP,)):
            static = b""  # EMV allows the interchange profile alone: authentication will fail
        else:
            static += run.values[Tag.AIP]
    run.static = static


def require_mandatory(run: Run) -> None:
    """End the transaction when an object is missing without which there is none (Book 3, 7.2)."""
    if not all(tag in run.values for tag in _MANDATORY):
        raise ChipRefused("mandatory data", _NOT_FORMED)


_FROM_CARD_ONCE = frozenset(
    {int(Tag.PAN), int(Tag.EXPIRY), int(Tag.CDOL1), int(Tag.CDOL2), int(Tag.CVM_LIST)}
)


def _locations(afl: bytes) -> Iterator[tuple[int, int, bool]]:
    """(SFI, record, whether it is signed) in order; `ChipRefused` for a locator that is none."""
    if not afl or len(afl) % 4:
        raise ChipRefused("file locator", _NOT_FORMED)
    for at in range(0, len(afl), 4):
        head, first, last, signed = afl[at : at + 4]
        sfi = head >> 3
        if head & 7 or not 1 <= sfi <= 30 or not 1 <= first <= last or signed > last - first + 1:
            raise ChipRefused("file locator", _NOT_FORMED)
        for number in range(first, last + 1):
            yield sfi, number, number < first + signed


def _from_environment(link: ApduLink, name: bytes) -> list[Candidate]:
    response = _select(link, name)
    if response.sw != _OK:
        return []
    try:
        if name == CONTACTLESS:
            listing = find(response.data, 0x6F, 0xA5, Tag.ISSUER_OWN) or b""
            return list(_entries(listing))
        sfi = find(response.data, 0x6F, 0xA5, Tag.SFI) or b"\x00"
        if not 1 <= sfi[0] <= 10:
            return []
        return list(_directory(link, sfi[0]))
    except TlvError:
        return []


def _directory(link: ApduLink, sfi: int) -> Iterator[Candidate]:
    for number in range(1, _ENTRIES_MAX + 1):
        response = send(link, bytes((0x00, 0xB2, number, sfi << 3 | 4, 0x00)))
        if response.sw != _OK:
            return
        yield from _entries(find(response.data, 0x70) or b"")


def _entries(raw: bytes) -> Iterator[Candidate]:
    """The templates 61 of a directory."""
    for count, (tag, value, _) in enumerate(parse(raw)):
        if tag != 0x61 or count >= _ENTRIES_MAX:
            continue
        aid = find(value, Tag.AID)
        if aid is not None and 5 <= len(aid) <= 16:
            yield _candidate(aid, find(value, Tag.LABEL), find(value, Tag.PRIORITY))


def _from_list(link: ApduLink, device: EmvDevice) -> Iterator[Candidate]:
    """Each AID of the terminal; a partial name asks for the next one until the card has no more."""
    seen: set[bytes] = set()
    for entry in device.aids:
        for occurrence in range(_OCCURRENCES_MAX):
            response = _select(link, entry.aid, again=occurrence > 0)
            if response.sw not in (_OK, _BLOCKED):
                break
            try:
                name = find(response.data, 0x6F, Tag.DF_NAME) or b""
                fci = find(response.data, 0x6F, 0xA5) or b""
                found = _candidate(name, find(fci, Tag.LABEL), find(fci, Tag.PRIORITY))
            except TlvError:
                break
            exact = name == entry.aid
            if (
                response.sw == _OK
                and name not in seen
                and (exact or entry.partial)
                and name.startswith(entry.aid)
            ):
                seen.add(name)
                yield found
            if not entry.partial or (name in seen and occurrence and exact):
                break


def _candidate(aid: bytes, label: bytes | None, priority: bytes | None) -> Candidate:
    value = priority[0] if priority else 0
    text = (label or b"").decode("ascii", "replace")
    return Candidate(aid=aid, label=text, priority=value & 0x0F, asks=bool(value & 0x80))


def _select(link: ApduLink, name: bytes, *, again: bool = False) -> Response:
    return send(
        link, b"\x00\xa4\x04" + (b"\x02" if again else b"\x00") + bytes((len(name),)) + name + b"\x00"
    )


def _known(device: EmvDevice, aid: bytes) -> bool:
    try:
        device.application(aid)
    except NotFound:
        return False
    return True


def dol_answer(name: str, raw: bytes, values: dict[int, bytes]) -> bytes:
    """The answer to a list of the card; `ChipRefused` for a list that is none."""
    try:
        return fill_dol(raw, values)
    except TlvError:
        raise ChipRefused(name, _NOT_FORMED) from None


def _objects(step: str, raw: bytes) -> dict[int, bytes]:
    try:
        return dict(leaves(raw))
    except TlvError:
        raise ChipRefused(step, _NOT_FORMED) from None


def _objects_here(step: str, raw: bytes) -> dict[int, bytes]:
    try:
        return {tag: value for tag, value, _ in parse(raw)}
    except TlvError:
        raise ChipRefused(step, _NOT_FORMED) from None
