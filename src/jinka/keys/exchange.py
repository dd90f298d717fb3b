"""Verbs of key exchange: draw, wrap, unwrap and drop working keys, in key blocks (ANSI X9.143, TR-31, ISO 20038).

A key block says what its key is for, and here that is one of the purposes: `USAGES` leads from the one to the other,
both ways. So a key keeps its purpose on its way, and no header makes a PIN key a data key. A key leaves only if its own
line of the catalogue says so, under a key that is no weaker, in a block that tells its receiver the same. SM4 has no
letter in these blocks and is refused. PCI PIN v3.1, requirement 18-3.
"""

from __future__ import annotations

from jinka.crypto.block_key import BlockCipher, CheckMethod, check_value
from jinka.crypto.key_block import OpenedKey, unwrap, wrap
from jinka.crypto.key_block_header import (
    Exportability,
    KeyAlgorithm,
    KeyBlockHeader,
    KeyBlockVersion,
    KeyMode,
    KeyUsage,
)
from jinka.keys.border import verb
from jinka.keys.catalogue import KeyName, KeyRecord, Use
from jinka.keys.components import require_strong
from jinka.keys.payment import WorkingKeyVerbs
from jinka.keys.port import Purpose
from jinka.keys.provider import SIZES, KeyKind
from jinka.keys.steps import CIPHERS, StepKey
from jinka.keys.wire import add_enums
from jinka.kit import Refused, Usage, parse_date

WRAPPING = (Purpose.ZONE_MASTER, Purpose.TERMINAL_MASTER)
_Terms = tuple[tuple[str, str], ...]
_EXPORTABLE: _Terms = (("export", "trusted"),)
_ALGORITHMS = {KeyKind.TDES: KeyAlgorithm.TDES, KeyKind.AES: KeyAlgorithm.AES}
_MACS = {KeyKind.TDES: KeyUsage.MAC_3, KeyKind.AES: KeyUsage.MAC_CMAC}
_PIN_CHECKS = {"pvv": KeyUsage.PIN_VERIFY_PVV, "ibm3624": KeyUsage.PIN_VERIFY_IBM_3624}
# The usages that a key of a purpose may come in with. MACs and PIN checks say their method besides.
USAGES: dict[Purpose, frozenset[KeyUsage]] = {
    Purpose.ZONE_MASTER: frozenset({KeyUsage.KEK, KeyUsage.KBPK}),
    Purpose.TERMINAL_MASTER: frozenset({KeyUsage.KEK, KeyUsage.KBPK}),
    Purpose.ZONE_PIN: frozenset({KeyUsage.PIN}),
    Purpose.TERMINAL_PIN: frozenset({KeyUsage.PIN}),
    Purpose.ZONE_MAC: frozenset({KeyUsage.MAC_1, KeyUsage.MAC_3, KeyUsage.MAC_CMAC}),
    Purpose.TERMINAL_MAC: frozenset({KeyUsage.MAC_1, KeyUsage.MAC_3, KeyUsage.MAC_CMAC}),
    Purpose.ZONE_DATA: frozenset({KeyUsage.DATA}),
    Purpose.BASE_DERIVATION: frozenset({KeyUsage.BDK}),
    Purpose.PIN_VERIFY: frozenset(_PIN_CHECKS.values()),
    Purpose.CARD_VERIFY: frozenset({KeyUsage.CARD_VALUE}),
    Purpose.CRYPTOGRAM: frozenset({KeyUsage.EMV_CRYPTOGRAM}),
    Purpose.SCRIPT_DATA: frozenset({KeyUsage.EMV_CONFIDENTIALITY}),
    Purpose.SCRIPT_MAC: frozenset({KeyUsage.EMV_INTEGRITY}),
}
# What each usage may do where its key arrives: all that the usage needs, and nothing else.
_MODES = {
    "B": KeyMode.DERIVE,
    "C": KeyMode.CALCULATE,
    "D": KeyMode.BOTH,
    "E": KeyMode.DERIVE,
    "K": KeyMode.BOTH,
    "M": KeyMode.CALCULATE,
    "P": KeyMode.BOTH,
    "V": KeyMode.CALCULATE,
}
_ONE_WAY = frozenset({KeyMode.DECRYPT, KeyMode.ENCRYPT, KeyMode.GENERATE, KeyMode.VERIFY})

add_enums(KeyBlockVersion)


class ExchangeVerbs(WorkingKeyVerbs):
    """``under`` is a zone's or a terminal's master key. Keys that come in or are drawn live as long as the process."""

    @verb
    def wrap_key(self, *, key: str, under: str, version: KeyBlockVersion = KeyBlockVersion.D) -> str:
        """The key block of a key that may leave; raises `Refused` for any other."""
        name = KeyName.parse(key)
        found = self._key(name, Use.MAKE)
        record = self._record(name)
        header = _header(record, version)
        header.check_export(under_trusted=True)
        protection = self._step(under, Use.MAKE, *WRAPPING)
        return wrap(protection, header, found.reveal(), self.holding.working.randomness)

    @verb
    def unwrap_key(self, block: str, *, under: str, name: str, valid_to: str = "") -> str:
        """Take a key in under a name whose purpose the block agrees with; returns the check value in hex.

        ``valid_to`` (YYYY-MM-DD) ends its making of new things, as for a key of a ceremony.
        """
        wanted = self._new_name(name)
        if valid_to:
            parse_date(valid_to, where="valid_to")
        protection = self._step(under, Use.CHECK, *WRAPPING)
        opened = unwrap(protection, block, USAGES[wanted.purpose])
        _check_kind(wanted, opened)
        require_strong(wanted, opened.value)
        exportable = opened.header.exportability is not Exportability.NO
        terms = _terms(opened.header.usage) + (_EXPORTABLE if exportable else ())
        return self._take_in(wanted, opened.value, terms, valid_to)

    @verb
    def draw_key(self, *, name: str, size: int, method: str = "pvv", exportable: bool = True) -> str:
        """Draw a working key, to be wrapped for a peer; returns its check value in hex."""
        wanted = self._new_name(name)
        kind = _kind(wanted)
        if kind not in CIPHERS or size not in SIZES[kind]:
            raise Usage(f"{size} bytes", where=f"keys.{wanted}", fix=f"one of {SIZES.get(kind, ())}")
        terms: _Terms = _EXPORTABLE if exportable else ()
        if wanted.purpose is Purpose.PIN_VERIFY:
            if method not in _PIN_CHECKS:
                raise Usage(f"method {method}", where=f"keys.{wanted}", fix="pvv or ibm3624")
            terms = (("method", method), *terms)
        value = self.holding.working.randomness.token_bytes(size)
        require_strong(wanted, value)
        return self._take_in(wanted, value, terms, "")

    @verb
    def wrap_terminal_key(self, *, key: str, under: str) -> bytes:
        """A terminal's working key as terminals take it at sign-in: in ECB under its master key, then 4 bytes of check.

        Nothing in that form binds a key to its use, so only a terminal's PIN and MAC keys leave in it, and only under
        the master key of the same owner. Raises `Refused`.
        """
        name, master = KeyName.parse(key), KeyName.parse(under)
        found = self._named(key, Use.MAKE, Purpose.TERMINAL_PIN, Purpose.TERMINAL_MAC)
        protection = self._step(under, Use.MAKE, Purpose.TERMINAL_MASTER)
        if not name.owner or name.owner != master.owner:
            raise Refused("the master key of another terminal", where=f"keys.{master}", fix="its own")
        if self._record(name).term("export") != "trusted":
            raise Refused("the key may not leave", where=f"keys.{name}", fix="draw another")
        step = StepKey(found)
        if step.cipher is not protection.cipher or step.size > protection.size or protection.size < 16:
            raise Refused("the master key is weaker or of another cipher", where=f"keys.{master}")
        value = found.reveal()
        if step.cipher is BlockCipher.TDES:
            value = bytes(byte & 0xFE | (byte & 0xFE).bit_count() % 2 ^ 1 for byte in value)  # odd parity
        return protection.encrypt(value) + check_value(step, CheckMethod.ZEROS, size=4)

    @verb
    def drop_key(self, *, name: str) -> None:
        """Forget a working key; those of ceremonies are not touched. Raises `Refused`."""
        wanted = KeyName.parse(name)
        self.caller.require_key(wanted)
        self._touch(wanted)
        self.holding.working.keys.drop(wanted)

    def _new_name(self, text: str) -> KeyName:
        wanted = KeyName.parse(text)
        self._touch(wanted)
        self.caller.require_key(wanted)
        if wanted.purpose not in USAGES:
            raise Refused(f"no working key is for {wanted.purpose.value}", where=f"keys.{wanted}")
        if self.holding.find(wanted) is not None or wanted in self.holding.records:
            raise Refused("there is a key of that name", where=f"keys.{wanted}", fix="take the next version")
        return wanted

    def _record(self, name: KeyName) -> KeyRecord:
        found = self.holding.find(name)
        if found is None:
            raise Refused("no such key", where=f"keys.{name}")
        return found[0]

    def _take_in(self, name: KeyName, value: bytes, terms: _Terms, valid_to: str) -> str:
        key = self.holding.provider.load(_kind(name), value, extractable=terms[-1:] == _EXPORTABLE)
        step = StepKey(key)
        aes = step.cipher is BlockCipher.AES
        check = check_value(step, CheckMethod.CMAC if aes else CheckMethod.ZEROS).hex()
        self.holding.working.keys.add(KeyRecord(name=name, check=check, valid_to=valid_to, terms=terms), key)
        return check


def _header(record: KeyRecord, version: KeyBlockVersion) -> KeyBlockHeader:
    kind, purpose = _kind(record.name), record.name.purpose
    if kind not in _ALGORITHMS or purpose not in USAGES:
        raise Refused(f"a key block has no {kind.value} key for {purpose.value}", where=f"keys.{record.name}")
    usage = _usage(record, kind)
    exportable = record.term("export") == "trusted"
    return KeyBlockHeader(
        version=version,
        usage=usage,
        algorithm=_ALGORITHMS[kind],
        mode=_MODES[usage.value[0]],
        exportability=Exportability.TRUSTED if exportable else Exportability.NO,
    )


def _usage(record: KeyRecord, kind: KeyKind) -> KeyUsage:
    usages = USAGES[record.name.purpose]
    if record.name.purpose is Purpose.PIN_VERIFY:
        return _PIN_CHECKS[record.term("method", "pvv")]
    if _MACS[kind] in usages:
        return _MACS[kind]
    return KeyUsage.KEK if KeyUsage.KEK in usages else next(iter(usages))


def _terms(usage: KeyUsage) -> _Terms:
    return tuple(("method", method) for method, known in _PIN_CHECKS.items() if known is usage)


def _check_kind(name: KeyName, opened: OpenedKey) -> None:
    if _ALGORITHMS.get(_kind(name)) is not opened.header.algorithm:
        raise Refused(
            f"a key for algorithm {opened.header.algorithm.value}", where=f"keys.{name}", fix="another name"
        )
    if opened.header.mode in _ONE_WAY:  # the catalogue has no line for half a purpose
        raise Refused(f"a key of mode {opened.header.mode.value} alone", where=f"keys.{name}")


def _kind(name: KeyName) -> KeyKind:
    try:
        return KeyKind(name.algorithm)
    except ValueError:
        raise Usage(f"no algorithm {name.algorithm}", where=f"keys.{name}") from None
