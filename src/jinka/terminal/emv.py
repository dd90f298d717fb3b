"""The contact kernel: one debit or credit transaction from selection to completion (EMV Book 3, 8 and 10; JR/T 0025.6).

The phases are the other modules `terminal.emv_*`; here they are put in order, and the two cryptograms, the issuer's
answer and its scripts are dealt with. PINs for the issuer and reversals belong to the acquirer. Electronic cash over
the contacts is JR/T 0025.13. A card pulled at its cryptogram may have paid: `jinka.terminal.emv_torn.settle`.
"""

from __future__ import annotations

from collections.abc import Sequence

from jinka.codec import TlvError, parse, tlv
from jinka.codec.emv_tags import Tag
from jinka.kit import Randomness, Refused
from jinka.terminal import emv_cvm, emv_oda, emv_risk
from jinka.terminal import emv_selection as selection
from jinka.terminal.emv_data import Aip, EmvDevice, EmvOutcome, EmvStatus, IssuerPort, Run, Sale, Tsi, Tvr
from jinka.terminal.emv_risk import Request
from jinka.terminal.link import ApduLink, CardRemoved, ChipRefused

# Field 55 of the request, in the order of acquirers in the field.
FIELD_55 = (
    Tag.CRYPTOGRAM, Tag.CID, Tag.ISSUER_DATA, Tag.UNPREDICTABLE, Tag.COUNTER, Tag.TVR, Tag.DATE, Tag.TYPE, Tag.AMOUNT,
    Tag.CURRENCY, Tag.AIP, Tag.COUNTRY_TERMINAL, Tag.AMOUNT_OTHER, Tag.CAPABILITIES, Tag.CVM_RESULTS, Tag.TERMINAL_TYPE,
    Tag.DF_NAME, Tag.VERSION_TERMINAL, Tag.PAN, Tag.SEQUENCE, Tag.TRACK2,
)  # fmt: skip
APPROVALS = frozenset({b"00", b"10", b"11"})
APPROVED_OFFLINE, DECLINED_OFFLINE, UNABLE_APPROVE, UNABLE_DECLINE = b"Y1", b"Z1", b"Y3", b"Z3"
_COMBINED = 0x10
_SCRIPTS_MAX, _COMMANDS_MAX = 8, 16
_CID_SIZES = {Tag.CID: 1, Tag.COUNTER: 2, Tag.CRYPTOGRAM: 8}


class EmvTerminal:
    """A terminal with a contact reader. Stateless between transactions."""

    __slots__ = ("_randomness", "device")

    def __init__(self, device: EmvDevice, randomness: Randomness) -> None:
        self.device = device
        self._randomness = randomness

    def purchase(self, link: ApduLink, sale: Sale, issuer: IssuerPort) -> EmvOutcome:
        """Serve one card; whatever the card does, an outcome comes back."""
        run = Run(self.device, link, sale, self._randomness)
        try:
            run.begin()
            _open(run)
            return _decide(run, issuer)
        except ChipRefused as error:
            return run.outcome(EmvStatus.REFUSED, error.step, error.sw)
        except CardRemoved as error:
            return run.outcome(EmvStatus.REMOVED, error.where)


def _open(run: Run) -> None:
    """Selection to the end of reading; an application that refuses its options gives way to the next."""
    entries = [entry for entry in selection.candidates(run.link, run.device) if not entry.asks]
    if not entries:
        raise ChipRefused("no application", 0x6A82)
    for number, entry in enumerate(entries):
        kept = dict(run.values)
        try:
            selection.choose(run.link, run, entry)
            selection.initiate(run)
            break
        except ChipRefused as error:
            if number == len(entries) - 1 or error.sw not in (0x6985, 0x6283, 0x6A81, 0x6A82):
                raise
            run.values = kept
    selection.read_application(run)
    selection.require_mandatory(run)


def _decide(run: Run, issuer: IssuerPort) -> EmvOutcome:
    run.cash = emv_risk.offered_cash(run)
    emv_oda.authenticate(run)
    emv_risk.restrict(run)
    emv_cvm.verify_holder(run)
    emv_risk.manage_risk(run)
    wanted = emv_risk.analyse(run)
    if wanted is not Request.ARQC:
        run.values[Tag.ARC] = APPROVED_OFFLINE if wanted is Request.TC else DECLINED_OFFLINE
    kind, sound = _generate(run, wanted, Tag.CDOL1)
    run.tsi |= Tsi.CARD_RISK
    refused = "" if sound else "combined signature"
    if sound and kind is not Request.AAC and emv_cvm.pin_disputed(run):
        run.mark(Tvr.CVM_FAILED)
        refused = "the card knows of no PIN"
    if refused:
        if kind is Request.ARQC:  # the card is told, the issuer is not asked
            run.values[Tag.ARC] = UNABLE_DECLINE
            _generate(run, Request.AAC, Tag.CDOL2)
        return run.outcome(EmvStatus.DECLINED_OFFLINE, refused)
    if kind is Request.AAC:
        return run.outcome(EmvStatus.DECLINED_OFFLINE)
    if kind is Request.TC:
        return run.outcome(EmvStatus.APPROVED_OFFLINE)
    run.values.pop(Tag.ARC, None)
    return _go_online(run, issuer)


def _go_online(run: Run, issuer: IssuerPort) -> EmvOutcome:
    run.pending = run.device.online
    reply = issuer.authorise(field_55(run.values)) if run.device.online else None
    answer = authorised(reply)
    code = answer.get(Tag.ARC, [b""])[0]
    run.pending = run.pending and (len(code) != 2 or code in APPROVALS)
    if len(code) != 2:
        wish = emv_risk.analyse_offline(run)
        run.values[Tag.ARC] = UNABLE_APPROVE if wish is Request.TC else UNABLE_DECLINE
        kind, sound = _generate(run, wish, Tag.CDOL2)
        approved = kind is Request.TC and sound
        return run.outcome(
            EmvStatus.APPROVED_OFFLINE if approved else EmvStatus.DECLINED_OFFLINE, "no answer"
        )
    run.values[Tag.ARC] = code
    _authenticate_issuer(run, answer.get(Tag.ISSUER_AUTHENTICATION, [b""])[0])
    run_scripts(run, answer.get(Tag.SCRIPT_BEFORE, []), Tvr.SCRIPT_BEFORE_FAILED)
    granted = code in APPROVALS
    kind, sound = _generate(run, Request.TC if granted else Request.AAC, Tag.CDOL2)
    try:
        run_scripts(run, answer.get(Tag.SCRIPT_AFTER, []), Tvr.SCRIPT_AFTER_FAILED)
    except CardRemoved:  # all is decided by now; the scripts may come with the next transaction
        run.failed_scripts += 1
        run.mark(Tvr.SCRIPT_AFTER_FAILED)
    if granted and kind is Request.TC and sound:
        return run.outcome(EmvStatus.APPROVED_ONLINE)
    step = "the card declined what the issuer approved" if granted else ""
    return run.outcome(EmvStatus.DECLINED_ONLINE, step)


def field_55(values: dict[int, bytes]) -> bytes:
    """The objects of a request to the issuer."""
    return b"".join(tlv(tag, values[tag]) for tag in FIELD_55 if tag in values)


def _generate(run: Run, wanted: Request, cdol: Tag) -> tuple[Request, bool]:
    """(kind of the card's answer, whether its signature is right or none was asked); never more than was asked."""
    combined = run.combined and wanted is not Request.AAC
    body = selection.dol_answer(cdol.name, run.values.get(cdol, b""), run.values)
    p1 = wanted | (_COMBINED if combined else 0)
    head = bytes((0x80, 0xAE, p1, 0x00))
    response = selection.send(run.link, head + (bytes((len(body),)) + body if body else b"") + b"\x00")
    if response.sw != 0x9000:
        raise ChipRefused("generate AC", response.sw)
    asked = run.asked = run.asked + body
    objects = _cryptogram_objects(response.data)
    run.values.update(objects)
    kind = _kind(run.values[Tag.CID])
    if kind > wanted and not (wanted is Request.TC and kind is Request.ARQC and cdol is Tag.CDOL1):
        raise ChipRefused("generate AC", 0x6985)
    signed = Tag.DYNAMIC_SIGNATURE in dict(objects)
    if not combined or kind is Request.AAC:
        return kind, bool(run.values.get(Tag.CRYPTOGRAM)) or kind is Request.AAC
    run.tsi |= Tsi.ODA
    try:
        if not signed:
            raise Refused("no signature", where="combined signature")
        emv_oda.check_combined(run, emv_oda.transaction_objects(objects), asked)
    except Refused:
        run.mark(Tvr.CDA_FAILED)
        return kind, False
    return kind, True


def _cryptogram_objects(raw: bytes) -> list[tuple[int, bytes]]:
    """The objects of either format; `ChipRefused` when kind, counter or cryptogram is missing or of another length."""
    try:
        [(tag, body, _)] = list(parse(raw))
        if tag == 0x80 and len(body) >= 11:
            found: list[tuple[int, bytes]] = [
                (Tag.CID, body[:1]),
                (Tag.COUNTER, body[1:3]),
                (Tag.CRYPTOGRAM, body[3:11]),
                (Tag.ISSUER_DATA, body[11:]),
            ]
        elif tag == 0x77:
            found = [(inner, value) for inner, value, _ in parse(body)]
        else:
            raise TlvError("another template", where="generate AC")
    except (TlvError, ValueError):
        raise ChipRefused("generate AC", 0x6A80) from None
    given = dict(found)
    for tag, size in _CID_SIZES.items():
        optional = tag is Tag.CRYPTOGRAM and Tag.DYNAMIC_SIGNATURE in given
        if len(given.get(tag, b"")) != size and not optional:
            raise ChipRefused("generate AC", 0x6A80)
    return found


def _kind(cid: bytes) -> Request:
    try:
        return Request(cid[0] & 0xC0)
    except ValueError:
        raise ChipRefused("generate AC", 0x6A80) from None


def _authenticate_issuer(run: Run, given: bytes) -> None:
    """EXTERNAL AUTHENTICATE, when the card wants it so; otherwise the second list carries tag 91."""
    run.values[Tag.ISSUER_AUTHENTICATION] = given
    if not given or not run.aip(Aip.ISSUER_AUTHENTICATION) or not 8 <= len(given) <= 16:
        return
    response = selection.send(run.link, b"\x00\x82\x00\x00" + bytes((len(given),)) + given)
    run.tsi |= Tsi.ISSUER_AUTHENTICATION
    if response.sw != 0x9000:
        run.mark(Tvr.ISSUER_AUTHENTICATION_FAILED)


def run_scripts(run: Run, scripts: Sequence[bytes], failed: Tvr) -> None:
    """Each template's commands in order until one fails (Book 4, 6.3.9); warnings are no failure."""
    for script in scripts[:_SCRIPTS_MAX]:
        run.tsi |= Tsi.SCRIPT
        try:
            commands = [value for tag, value, _ in parse(script) if tag == Tag.SCRIPT_COMMAND]
        except TlvError:
            commands = [b""]
        for command in commands[:_COMMANDS_MAX]:
            sw = selection.send(run.link, command).sw if len(command) >= 4 else 0x6700
            if sw != 0x9000 and sw >> 8 not in (0x62, 0x63):
                run.failed_scripts += 1
                run.mark(failed)
                break


def authorised(reply: bytes | None) -> dict[int, list[bytes]]:
    """The issuer's answer: tag to values in order; an answer that is none counts as none."""
    found: dict[int, list[bytes]] = {}
    try:
        for tag, value, _ in parse(reply or b""):
            found.setdefault(tag, []).append(value)
    except TlvError:
        return {}
    return found
