"""`ApplicationProfile` and its parts: files, keys, purse, personal data.

Standards: JR/T 0025.2 (file map of a purse application), the access right byte and key types of the native card
systems. Argument order follows the columns of their tables. No bytes are built here: see `jinka.card.personalise`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, IntEnum

from jinka.codec import Algorithm
from jinka.kit import Unit, Usage

FREE = 0xF0  # access right byte XY: allowed when Y <= security register <= X
NEVER = 0xEF

# The algorithm byte beside a key on the card. Real cards label 3DES 00 or 01; 04 for SM4 follows PBOC 3.0 part 17.
ALGORITHM_LABELS = {Algorithm.TDES: 0x00, Algorithm.SM4: 0x04}


def algorithm_of(label: int) -> Algorithm:
    """The algorithm behind a card's label byte; `Usage` for a label that no profile of ours writes."""
    if label in (0x00, 0x01):
        return Algorithm.TDES
    if label == 0x04:
        return Algorithm.SM4
    raise Usage(f"algorithm label {label:02X}", where="key algorithm", fix="00 or 01 for 3DES, 04 for SM4")


class FileKind(IntEnum):
    """The file type byte of CREATE FILE, without its secure-messaging bits."""

    BINARY = 0x28
    SECRET = 0x29  # Jinka's own: bytes that commands use and none gives out; the read right is the right to use them
    FIXED = 0x2A
    VARIABLE = 0x2C
    CYCLIC = 0x2E
    PURSE = 0x2F
    FOLDER = 0x38
    KEY = 0x3F


class ApplicationKind(IntEnum):
    """The last byte of an application's folder header: which applet answers while it is selected."""

    NATIVE = 0  # files, keys and purses alone: the common commands
    EMV = 1
    TRAVEL = 2
    USIM = 3
    IDENTITY = 4
    DOMAIN = 5  # a security domain; made by the factory or by another domain, never by CREATE FILE


class KeyUse(IntEnum):
    """The key type byte of WRITE KEY: what the card lets the key do, and nothing else."""

    CRYPTOGRAM = (
        0x21  # debit and credit: application cryptograms; this and the next two numbers are Jinka's choice
    )
    SCRIPT_MAC = 0x22
    SCRIPT_CIPHER = 0x23
    ENCRYPT = 0x30
    DECRYPT = 0x31
    MAC = 0x32
    TAC = 0x34
    MAINTENANCE = 0x36  # secure messaging of updates (DAMK)
    PIN_UNBLOCK = 0x37
    PIN_RELOAD = 0x38
    EXTERNAL_AUTHENTICATE = 0x39
    PIN = 0x3A
    GREY_LOCK = 0x3B  # DGK; Jinka's choice: no readable source names its type
    OVERDRAFT = 0x3C
    UNLOAD = 0x3D  # also the online release of a grey lock
    PURCHASE = 0x3E
    LOAD = 0x3F


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpec:
    """One elementary file. ``size`` is bytes for binary, variable and key files, else records times length.

    ``folder`` is the identifier of the `FolderSpec` that it lies in, 0 for the application's own folder.
    """

    fid: int
    kind: FileKind
    size: int = 0
    records: int = 0
    record_length: int = 0
    read_right: int = FREE
    write_right: int = NEVER
    mac_required: bool = False
    title_en: str
    title_zh: str
    example: bytes = b""
    folder: int = 0

    @property
    def sfi(self) -> int:
        """The short file identifier: the low five bits of the file identifier."""
        return self.fid & 0x1F


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSpec:
    """A folder below the application's own; ``parent`` 0 is the application's own folder. Named folders only."""

    fid: int
    name: bytes
    parent: int = 0
    create_right: int = NEVER
    title_en: str
    title_zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySpec:
    """One key: its use, index and version; ``use_right`` is checked against the security register.

    ``service_purpose`` names the purpose in the key service (`jinka.keys.Purpose`) that derives it.
    """

    use: KeyUse
    kid: int
    version: int
    algorithm: Algorithm
    use_right: int = FREE
    change_right: int = NEVER
    service_purpose: str = ""
    tries: int = 10
    state_after: int = 0  # the security register after VERIFY or EXTERNAL AUTHENTICATE
    folder: int = 0  # as in `FileSpec`
    initial: bytes = b""  # the same on every card until its holder changes it: a PIN; FF fills it up


@dataclass(frozen=True, slots=True, kw_only=True)
class GreySpec:
    """The grey lock of a fuel purse, as far as sources disagree or are silent.

    The defaults are the types of the FMCOS 2.0 user manual for a purse (91, 93, 95 for a passbook); CJ/T 304 has 93 for
    the release of a purse. ``lock_key`` and the two layout choices are unconfirmed: MAC2 binds the counter's two
    bytes or, as one manual counts, the low one; the online release is command 7E or 7C.
    """

    lock_type: int = 0x92
    unlock_type: int = 0x94
    online_type: int = 0x96
    lock_key: KeyUse = KeyUse.GREY_LOCK
    mac2_binds_low_byte: bool = False
    online_unlock_is_7c: bool = False

    @property
    def parameters(self) -> bytes:
        """The five bytes that CREATE FILE appends: types of lock, release and online release, key use, flags."""
        flags = int(self.mac2_binds_low_byte) | int(self.online_unlock_is_7c) << 1
        return bytes((self.lock_type, self.unlock_type, self.online_type, self.lock_key, flags))


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseSpec:
    """The purse file: what it counts, the most it holds, which key makes its TAC and which file logs it."""

    fid: int
    unit: Unit
    limit: int
    tac_kid: int
    log_sfi: int
    grey: GreySpec | None = None


def _opens(right: int, state: int) -> bool:
    return right & 0x0F <= state <= right >> 4


class PersonalDatum(Enum):
    """What about a person a file holds, for masking and for the register of personal data."""

    CARD_NUMBER = "card number"
    HOLDER_CLASS = "holder class"
    NAME = "name"
    IDENTITY_NUMBER = "identity number"
    MOVEMENT = "movement"
    SENSITIVE = "sensitive datum"  # health, assistance, care and the like: 个人信息保护法 Art. 28


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationProfile:
    """One application of one authority, version by version; a new version never edits an old one."""

    name: str
    version: int
    aid: bytes
    fid: int
    title_en: str
    title_zh: str
    authority: str
    standards: tuple[str, ...]
    files: tuple[FileSpec, ...]
    keys: tuple[KeySpec, ...]
    purse: PurseSpec | None = None
    application: ApplicationKind = ApplicationKind.NATIVE
    folders: tuple[FolderSpec, ...] = ()
    personal: tuple[tuple[int, PersonalDatum], ...] = ()
    ride_record_id: int = 0
    spent_record_id: int = 0  # of a second record in the same file: what was spent this month and today

    def file(self, fid: int) -> FileSpec:
        """The file with this identifier; `Usage` when the profile has none."""
        for spec in self.files:
            if spec.fid == fid:
                return spec
        raise Usage(f"no file {fid:04X}", where=self.name, fix="see the profile's files")

    @property
    def purse_spec(self) -> PurseSpec:
        """The purse; `Usage` when the application has none."""
        if self.purse is None:
            raise Usage("no purse", where=self.name, fix="use a profile with a purse")
        return self.purse

    def access_keys(self) -> dict[int, KeySpec]:
        """Files of the application's own folder that open to an access key and to no PIN, each with that key."""
        found = dict[int, KeySpec]()
        for key in (key for key in self.keys if key.use is KeyUse.EXTERNAL_AUTHENTICATE and not key.folder):
            for spec in (spec for spec in self.files if not spec.folder):
                if _opens(spec.read_right, key.state_after) and not self._opens_else(spec):
                    found[spec.fid] = key
        return found

    def _opens_else(self, spec: FileSpec) -> bool:
        pins = [key.state_after for key in self.keys if key.use is KeyUse.PIN and key.folder == spec.folder]
        return any(_opens(spec.read_right, state) for state in (0, *pins))

    def with_algorithm(self, algorithm: Algorithm) -> ApplicationProfile:
        """The same application with all its keys in another algorithm."""
        return replace(self, keys=tuple(replace(key, algorithm=algorithm) for key in self.keys))
