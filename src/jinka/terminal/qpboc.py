"""The contactless kernel of qPBOC: one command decides, then the records and the card's signature (JR/T 0025.12).

The reader says in 9F66 what it can and wants; the card answers offline, online or declined. Offline it debits its
electronic cash with the last record, or with the first answer already; so a card that is pulled away on the way may
have paid, and `resolve` reads its log at the next tap.
"""

from __future__ import annotations

from jinka.codec.emv_tags import Tag
from jinka.kit import Randomness, Refused
from jinka.terminal import emv_oda
from jinka.terminal import emv_selection as selection
from jinka.terminal.emv import APPROVALS, authorised, field_55, run_scripts
from jinka.terminal.emv_data import (
    Capability,
    EmvDevice,
    EmvOutcome,
    EmvStatus,
    IssuerPort,
    Run,
    Sale,
    Tvr,
)
from jinka.terminal.emv_torn import Torn, settle
from jinka.terminal.link import ApduLink, CardRemoved, ChipRefused

_QPBOC, _CONTACT, _OFFLINE_ONLY, _ONLINE_PIN, _SIGNATURE = 0x20, 0x10, 0x08, 0x04, 0x02
_WANTS_ONLINE, _WANTS_CVM = 0x80, 0x40
_FDDA_1 = 0x80
_CARD_ONLINE_PIN, _CARD_SIGNATURE = 0x80, 0x40
_NEEDED = (Tag.COUNTER, Tag.CRYPTOGRAM, Tag.ISSUER_DATA, Tag.TRACK2, Tag.AIP)
_AAC, _TC, _ARQC = 0x00, 0x10, 0x20  # the first cryptogram's kind in the CVR
_COMMAND = "get processing options"


class QpbocTerminal:
    """A contactless reader."""

    __slots__ = ("_randomness", "device")

    def __init__(self, device: EmvDevice, randomness: Randomness) -> None:
        self.device = device
        self._randomness = randomness

    def tap(self, link: ApduLink, sale: Sale, issuer: IssuerPort) -> EmvOutcome:
        """Serve one card. REMOVED after "selection" may have paid: keep it for `resolve`."""
        run = Run(self.device, link, sale, self._randomness)
        try:
            run.begin()
            run.unmark(Tvr.ODA_NOT_DONE)  # the card is asked with zeros, as by readers in the field
            _choose(run)
            bound = run.values[Tag.TVR]
            selection.initiate(run)
            return _conclude(run, issuer, bound)
        except ChipRefused as error:
            return run.outcome(EmvStatus.REFUSED, error.step, error.sw)
        except CardRemoved:
            begun = "read record" if Tag.COUNTER in run.values else _COMMAND
            return run.outcome(EmvStatus.REMOVED, begun if run.asked else "selection")

    def resolve(self, link: ApduLink, torn: EmvOutcome) -> Torn:
        """Ask a card whether it paid the torn purchase."""
        return settle(link, torn)


def qualifiers(run: Run) -> bytes:
    """9F66: what the reader can, and what it wants for this amount."""
    application, fen = run.application, run.sale.amount_fen
    can = _QPBOC | _CONTACT
    can |= 0 if run.device.online else _OFFLINE_ONLY
    can |= _ONLINE_PIN if run.can(Capability.ONLINE_PIN) and run.device.online else 0
    can |= _SIGNATURE if run.can(Capability.SIGNATURE) else 0
    wants = 0
    if run.device.online and (fen > application.contactless_floor_fen or run.sale.forced_online):
        wants |= _WANTS_ONLINE
    if fen > application.contactless_cvm_fen:
        wants |= _WANTS_CVM
    return bytes((can, wants, 0, _FDDA_1))


def _choose(run: Run) -> None:
    entries = selection.candidates(run.link, run.device, selection.CONTACTLESS)
    if not entries:
        raise ChipRefused("no application", 0x6A82)
    application = run.device.application(entries[0].aid)
    if run.sale.amount_fen > application.contactless_limit_fen:
        raise ChipRefused("contactless limit", 0)
    selection.choose(run.link, run, entries[0])
    run.values[Tag.TERMINAL_QUALIFIERS] = qualifiers(run)


def _conclude(run: Run, issuer: IssuerPort, bound: bytes) -> EmvOutcome:
    """``bound`` is the TVR that the cryptogram covers: the issuer must see this one."""
    values = run.values
    own = values.get(Tag.ISSUER_DATA, b"")
    if not all(values.get(tag) for tag in _NEEDED) or len(own) < 7:
        raise ChipRefused(_COMMAND, 0x6A80)
    kind = own[4] & 0x30
    values[Tag.CID] = bytes((kind << 2,))
    if run.pan in run.device.exceptions:
        run.mark(Tvr.ON_EXCEPTION_FILE)
        return run.outcome(EmvStatus.DECLINED_OFFLINE, "exception file")
    if kind == _TC:
        return _offline(run)
    if kind == _ARQC and run.device.online:
        return _online(run, issuer, bound)
    return run.outcome(EmvStatus.DECLINED_OFFLINE)


def _offline(run: Run) -> EmvOutcome:
    """The card has paid; the reader believes it when the card's signature is right and its dates are."""
    shown = run.pan  # of track 2 in the first answer, which nobody signed
    selection.read_application(run)
    if run.pan != shown:
        return run.outcome(EmvStatus.DECLINED_OFFLINE, "two numbers")
    if run.values.get(Tag.EXPIRY, b"") < run.values[Tag.DATE]:
        run.mark(Tvr.EXPIRED)
        return run.outcome(EmvStatus.DECLINED_OFFLINE, "expired")
    try:
        emv_oda.check_contactless(run)
    except Refused as error:
        run.mark(Tvr.DDA_FAILED)
        return run.outcome(EmvStatus.DECLINED_OFFLINE, error.where)
    if not _verified(run):
        return run.outcome(EmvStatus.DECLINED_OFFLINE, "holder")
    return run.outcome(EmvStatus.APPROVED_OFFLINE)


def _online(run: Run, issuer: IssuerPort, bound: bytes) -> EmvOutcome:
    if not _verified(run):
        return run.outcome(EmvStatus.DECLINED_OFFLINE, "holder")
    run.pending = True
    answer = authorised(issuer.authorise(field_55({**run.values, Tag.TVR: bound})))
    code = answer.get(Tag.ARC, [b""])[0]
    run.pending = not code or code in APPROVALS
    if code not in APPROVALS:
        return run.outcome(EmvStatus.DECLINED_ONLINE, "" if code else "no answer")
    run.values[Tag.ARC] = code
    scripts = [*answer.get(Tag.SCRIPT_BEFORE, []), *answer.get(Tag.SCRIPT_AFTER, [])]
    try:
        run_scripts(run, scripts, Tvr.SCRIPT_AFTER_FAILED)
    except CardRemoved:
        run.failed_scripts += 1  # approved all the same: the card may take its scripts at the next tap
        run.mark(Tvr.SCRIPT_AFTER_FAILED)
    return run.outcome(EmvStatus.APPROVED_ONLINE)


def _verified(run: Run) -> bool:
    """What the card's qualifiers ask for; nothing when the reader did not want a verification."""
    asked = (run.values.get(Tag.CARD_QUALIFIERS) or b"\x00")[0]
    if not run.values[Tag.TERMINAL_QUALIFIERS][1] & _WANTS_CVM:
        return True
    if asked & _CARD_ONLINE_PIN:
        if run.sale.pin() is None:
            run.mark(Tvr.PIN_NOT_ENTERED)
            return False
        run.mark(Tvr.ONLINE_PIN)
        return True
    run.signature_wanted = bool(asked & _CARD_SIGNATURE)
    return run.signature_wanted
