"""Terminals: transit gate, bus reader and fuel pump with their PSAM, load counter, service desk, and bank terminals.

They see chips only as an `ApduLink` and hold no key (the PIN pad's and those of a USIM's home network apart). What
comes out of a purse is one clearing record for each debit and load. Beside them: inspection of travel documents (ICAO
Doc 9303), identity with certificate (ISO/IEC 7816-8), USIM authentication (3GPP TS 33.102), holder records (LD/T 33).
Bank terminals talk to their host in ISO 8583 (`till`), and take back what is in doubt.
Standards: JR/T 0025.1 (purse commands), CJ/T 166 (PSAM), JT/T 978.2 (ride record). Batching and upload are not here.
"""

from jinka.codec.load import LoadRequest
from jinka.terminal.emv import EmvTerminal
from jinka.terminal.emv_data import (
    AidData,
    Capability,
    EmvDevice,
    EmvOutcome,
    EmvStatus,
    IssuerPort,
    Sale,
    Tsi,
    Tvr,
)
from jinka.terminal.emv_torn import Torn, settle
from jinka.terminal.fuel import FuelDevice, FuelOutcome, FuelStatus, FuelTerminal
from jinka.terminal.fuel_release import ReleaseAuthority, ReleaseRequest
from jinka.terminal.fuel_state import FuelState
from jinka.terminal.grey import GreyClaim, GreyHold, LockProof
from jinka.terminal.host_messages import CardFacts, HostMessages, TerminalFacts
from jinka.terminal.host_verbs import VERBS, Side, Verb, words_of
from jinka.terminal.identity import EnrolmentTerminal, Identification, IdentityStatus, IdentityTerminal
from jinka.terminal.inspection import Check, Inspection, InspectionTerminal, Result, Verdict
from jinka.terminal.kept import KeptStateError, from_kept, to_kept
from jinka.terminal.link import ApduLink, CardRemoved, ChipRefused
from jinka.terminal.lists import Acknowledgement, BlockList, Calendar, DownloadKind
from jinka.terminal.lists_download import Download, Downloads, DownloadStateError
from jinka.terminal.load import LoadAuthority, LoadDevice, LoadTerminal
from jinka.terminal.maintenance import MacProvider, write_ride_state
from jinka.terminal.outcome import TapOutcome, TapStatus
from jinka.terminal.passbook import (
    LimitAuthority,
    LimitRequest,
    PassbookDevice,
    PassbookTerminal,
    UnloadAuthority,
    UnloadRequest,
)
from jinka.terminal.phone import PhoneWallet
from jinka.terminal.pin_pad import PadKeys, PadMac, PadTerms, PinPad
from jinka.terminal.purse import DeviceData, PurseTerminal
from jinka.terminal.qpboc import QpbocTerminal
from jinka.terminal.records import RecordReading, holder_values, read_records
from jinka.terminal.ride import RIDE_SIZE, RideStamp, decode_ride, encode_ride
from jinka.terminal.stripe import Chip, Decision, StripeVerdict, Swipe, Track2, TrackError, parse_track2
from jinka.terminal.till import HostGone, HostLine, Reply, Till, TillJournal, TillRules
from jinka.terminal.till_batch import Settlement, settle_batch
from jinka.terminal.till_states import TILL_STEPS, BatchTotals, TillEntry, TillState, TillStep
from jinka.terminal.torn import Unresolved
from jinka.terminal.torn_state import TornTap, TornTaps
from jinka.terminal.usim_auth import Attach, AttachStatus, AuthenticationCentre, NetworkTerminal, Subscriber

__all__ = [
    "RIDE_SIZE",
    "TILL_STEPS",
    "VERBS",
    "Acknowledgement",
    "AidData",
    "ApduLink",
    "Attach",
    "AttachStatus",
    "AuthenticationCentre",
    "BatchTotals",
    "BlockList",
    "Calendar",
    "Capability",
    "CardFacts",
    "CardRemoved",
    "Check",
    "Chip",
    "ChipRefused",
    "Decision",
    "DeviceData",
    "Download",
    "DownloadKind",
    "DownloadStateError",
    "Downloads",
    "EmvDevice",
    "EmvOutcome",
    "EmvStatus",
    "EmvTerminal",
    "EnrolmentTerminal",
    "FuelDevice",
    "FuelOutcome",
    "FuelState",
    "FuelStatus",
    "FuelTerminal",
    "GreyClaim",
    "GreyHold",
    "HostGone",
    "HostLine",
    "HostMessages",
    "Identification",
    "IdentityStatus",
    "IdentityTerminal",
    "Inspection",
    "InspectionTerminal",
    "IssuerPort",
    "KeptStateError",
    "LimitAuthority",
    "LimitRequest",
    "LoadAuthority",
    "LoadDevice",
    "LoadRequest",
    "LoadTerminal",
    "LockProof",
    "MacProvider",
    "NetworkTerminal",
    "PadKeys",
    "PadMac",
    "PadTerms",
    "PassbookDevice",
    "PassbookTerminal",
    "PhoneWallet",
    "PinPad",
    "PurseTerminal",
    "QpbocTerminal",
    "RecordReading",
    "ReleaseAuthority",
    "ReleaseRequest",
    "Reply",
    "Result",
    "RideStamp",
    "Sale",
    "Settlement",
    "Side",
    "StripeVerdict",
    "Subscriber",
    "Swipe",
    "TapOutcome",
    "TapStatus",
    "TerminalFacts",
    "Till",
    "TillEntry",
    "TillJournal",
    "TillRules",
    "TillState",
    "TillStep",
    "Torn",
    "TornTap",
    "TornTaps",
    "Track2",
    "TrackError",
    "Tsi",
    "Tvr",
    "UnloadAuthority",
    "UnloadRequest",
    "Unresolved",
    "Verb",
    "Verdict",
    "decode_ride",
    "encode_ride",
    "from_kept",
    "holder_values",
    "parse_track2",
    "read_records",
    "settle",
    "settle_batch",
    "to_kept",
    "words_of",
    "write_ride_state",
]
