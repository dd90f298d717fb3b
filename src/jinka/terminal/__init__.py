"""Terminals: transit gate, bus reader and fuel pump with their PSAM, the load counter, the service desk.

They see chips only as an `ApduLink` and hold no key. What comes out is one clearing record for each debit and load.
Standards: JR/T 0025.1 (purse commands), CJ/T 166 (PSAM), JT/T 978.2 (ride record). Batching and upload are not here.
"""

from jinka.terminal.fuel import (
    FuelDevice,
    FuelOutcome,
    FuelStatus,
    FuelTerminal,
    ReleaseAuthority,
    ReleaseRequest,
)
from jinka.terminal.grey import GreyClaim, GreyHold, LockProof
from jinka.terminal.link import ApduLink, CardRemoved, ChipRefused
from jinka.terminal.lists import Acknowledgement, BlockList, Calendar, DownloadKind
from jinka.terminal.lists_download import Download, Downloads, DownloadStateError
from jinka.terminal.load import LoadAuthority, LoadDevice, LoadRequest, LoadTerminal
from jinka.terminal.maintenance import MacProvider, write_ride_state
from jinka.terminal.outcome import TapOutcome, TapStatus
from jinka.terminal.purse import DeviceData, PurseTerminal
from jinka.terminal.ride import RIDE_SIZE, RideStamp, decode_ride, encode_ride
from jinka.terminal.torn import Unresolved

__all__ = [
    "RIDE_SIZE",
    "Acknowledgement",
    "ApduLink",
    "BlockList",
    "Calendar",
    "CardRemoved",
    "ChipRefused",
    "DeviceData",
    "Download",
    "DownloadKind",
    "DownloadStateError",
    "Downloads",
    "FuelDevice",
    "FuelOutcome",
    "FuelStatus",
    "FuelTerminal",
    "GreyClaim",
    "GreyHold",
    "LoadAuthority",
    "LoadDevice",
    "LoadRequest",
    "LoadTerminal",
    "LockProof",
    "MacProvider",
    "PurseTerminal",
    "ReleaseAuthority",
    "ReleaseRequest",
    "RideStamp",
    "TapOutcome",
    "TapStatus",
    "Unresolved",
    "decode_ride",
    "encode_ride",
    "write_ride_state",
]
