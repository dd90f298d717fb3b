"""The messages of LLRP as a table: number, name, fields, and the parameters inside.

Standard: EPCglobal LLRP 1.0.1, clause 16.1. A request and its answer have one message id. A vendor's message
(``CUSTOM_MESSAGE``) is kept as bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

from jinka.codec.llrp.parameters import CHOICES, CUSTOM
from jinka.codec.llrp.shapes import Kind, kind

_RO, _ACCESS, _STATUS = "ROSpecID:u32", "AccessSpecID:u32", "LLRPStatus"

_ROWS: tuple[tuple[int, str, str, str], ...] = (
    (1, "GET_READER_CAPABILITIES", "RequestedData:u8", "Custom*"),
    (2, "GET_READER_CONFIG", "AntennaID:u16 RequestedData:u8 GPIPortNum:u16 GPOPortNum:u16", "Custom*"),
    (3, "SET_READER_CONFIG", "ResetToFactoryDefault:flag _:r7",
     "ReaderEventNotificationSpec? AntennaProperties* AntennaConfiguration* ROReportSpec? AccessReportSpec?"
     " KeepaliveSpec? GPOWriteData* GPIPortCurrentState* EventsAndReports? Custom*"),
    (4, "CLOSE_CONNECTION_RESPONSE", "", _STATUS),
    (11, "GET_READER_CAPABILITIES_RESPONSE", "",
     "LLRPStatus GeneralDeviceCapabilities? LLRPCapabilities? RegulatoryCapabilities?"
     " AirProtocolLLRPCapabilities? Custom*"),
    (12, "GET_READER_CONFIG_RESPONSE", "",
     "LLRPStatus Identification? AntennaProperties* AntennaConfiguration* ReaderEventNotificationSpec?"
     " ROReportSpec? AccessReportSpec? LLRPConfigurationStateValue? KeepaliveSpec? GPIPortCurrentState*"
     " GPOWriteData* EventsAndReports? Custom*"),
    (13, "SET_READER_CONFIG_RESPONSE", "", _STATUS),
    (14, "CLOSE_CONNECTION", "", ""),
    (20, "ADD_ROSPEC", "", "ROSpec"),
    (21, "DELETE_ROSPEC", _RO, ""),
    (22, "START_ROSPEC", _RO, ""),
    (23, "STOP_ROSPEC", _RO, ""),
    (24, "ENABLE_ROSPEC", _RO, ""),
    (25, "DISABLE_ROSPEC", _RO, ""),
    (26, "GET_ROSPECS", "", ""),
    (30, "ADD_ROSPEC_RESPONSE", "", _STATUS),
    (31, "DELETE_ROSPEC_RESPONSE", "", _STATUS),
    (32, "START_ROSPEC_RESPONSE", "", _STATUS),
    (33, "STOP_ROSPEC_RESPONSE", "", _STATUS),
    (34, "ENABLE_ROSPEC_RESPONSE", "", _STATUS),
    (35, "DISABLE_ROSPEC_RESPONSE", "", _STATUS),
    (36, "GET_ROSPECS_RESPONSE", "", "LLRPStatus ROSpec*"),
    (40, "ADD_ACCESSSPEC", "", "AccessSpec"),
    (41, "DELETE_ACCESSSPEC", _ACCESS, ""),
    (42, "ENABLE_ACCESSSPEC", _ACCESS, ""),
    (43, "DISABLE_ACCESSSPEC", _ACCESS, ""),
    (44, "GET_ACCESSSPECS", "", ""),
    (50, "ADD_ACCESSSPEC_RESPONSE", "", _STATUS),
    (51, "DELETE_ACCESSSPEC_RESPONSE", "", _STATUS),
    (52, "ENABLE_ACCESSSPEC_RESPONSE", "", _STATUS),
    (53, "DISABLE_ACCESSSPEC_RESPONSE", "", _STATUS),
    (54, "GET_ACCESSSPECS_RESPONSE", "", "LLRPStatus AccessSpec*"),
    (60, "GET_REPORT", "", ""),
    (61, "RO_ACCESS_REPORT", "", "TagReportData* RFSurveyReportData* Custom*"),
    (62, "KEEPALIVE", "", ""),
    (63, "READER_EVENT_NOTIFICATION", "", "ReaderEventNotificationData"),
    (64, "ENABLE_EVENTS_AND_REPORTS", "", ""),
    (72, "KEEPALIVE_ACK", "", ""),
    (100, "ERROR_MESSAGE", "", _STATUS),
    (CUSTOM, "CUSTOM_MESSAGE", "VendorIdentifier:u32 MessageSubtype:u8 Data:rest", ""),
)  # fmt: skip

MESSAGES: Mapping[int, Kind] = {
    number: kind(number, name, fields, slots, CHOICES) for number, name, fields, slots in _ROWS
}
MESSAGES_BY_NAME: Mapping[str, Kind] = {each.name: each for each in MESSAGES.values()}
