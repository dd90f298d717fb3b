"""The parameters of LLRP as a table: number, name, fields, and what may stand inside.

Standard: EPCglobal LLRP 1.0.1, clause 16.2 (parameters) with the names of clause 13 to 15 and of its air protocol, Gen2
(16.3). Numbers below 128 have the short form without a length. Vendors' parameters (``Custom``) are kept as bytes: none
is taken apart here. LLRP 1.1 and 2.0 are not covered.
"""

from __future__ import annotations

from collections.abc import Mapping

from jinka.codec.llrp.shapes import Kind, kind

CHOICES: Mapping[str, tuple[str, ...]] = {
    "Timestamp": ("UTCTimestamp", "Uptime"),
    "AirProtocolLLRPCapabilities": ("C1G2LLRPCapabilities",),
    "AirProtocolUHFRFModeTable": ("C1G2UHFRFModeTable",),
    "AirProtocolInventoryCommandSettings": ("C1G2InventoryCommand",),
    "AirProtocolEPCMemorySelector": ("C1G2EPCMemorySelector",),
    "AirProtocolTagSpec": ("C1G2TagSpec",),
    "AirProtocolTagData": ("C1G2_PC", "C1G2_CRC"),
    "AirProtocolSingulationDetails": ("C1G2SingulationDetails",),
    "SpecParameter": ("AISpec", "RFSurveySpec", "Custom"),
    "AccessCommandOpSpec": (
        "C1G2Read", "C1G2Write", "C1G2Kill", "C1G2Lock", "C1G2BlockErase", "C1G2BlockWrite", "Custom",
    ),
    "EPCParameter": ("EPCData", "EPC_96"),
    "AccessCommandOpSpecResult": (
        "C1G2ReadOpSpecResult", "C1G2WriteOpSpecResult", "C1G2KillOpSpecResult", "C1G2LockOpSpecResult",
        "C1G2BlockEraseOpSpecResult", "C1G2BlockWriteOpSpecResult",
    ),
}  # fmt: skip

CUSTOM = 1023

# number, name, fields, parameters inside
_ROWS: tuple[tuple[int, str, str, str], ...] = (
    # short parameters: what a report has much of
    (1, "AntennaID", "AntennaID:u16", ""),
    (2, "FirstSeenTimestampUTC", "Microseconds:u64", ""),
    (3, "FirstSeenTimestampUptime", "Microseconds:u64", ""),
    (4, "LastSeenTimestampUTC", "Microseconds:u64", ""),
    (5, "LastSeenTimestampUptime", "Microseconds:u64", ""),
    (6, "PeakRSSI", "PeakRSSI:s8", ""),
    (7, "ChannelIndex", "ChannelIndex:u16", ""),
    (8, "TagSeenCount", "TagCount:u16", ""),
    (9, "ROSpecID", "ROSpecID:u32", ""),
    (10, "InventoryParameterSpecID", "InventoryParameterSpecID:u16", ""),
    (11, "C1G2_CRC", "CRC:u16", ""),
    (12, "C1G2_PC", "PC_Bits:u16", ""),
    (13, "EPC_96", "EPC:b96", ""),
    (14, "SpecIndex", "SpecIndex:u16", ""),
    (16, "AccessSpecID", "AccessSpecID:u32", ""),
    (17, "OpSpecID", "OpSpecID:u16", ""),
    (18, "C1G2SingulationDetails", "NumCollisionSlots:u16 NumEmptySlots:u16", ""),
    # time and what a reader can do
    (128, "UTCTimestamp", "Microseconds:u64", ""),
    (129, "Uptime", "Microseconds:u64", ""),
    (137, "GeneralDeviceCapabilities",
     "MaxNumberOfAntennaSupported:u16 CanSetAntennaProperties:flag HasUTCClockCapability:flag _:r14"
     " DeviceManufacturerName:u32 ModelName:u32 ReaderFirmwareVersion:text",
     "ReceiveSensitivityTableEntry+ PerAntennaReceiveSensitivityRange* GPIOCapabilities PerAntennaAirProtocol+"),
    (139, "ReceiveSensitivityTableEntry", "Index:u16 ReceiveSensitivityValue:s16", ""),
    (140, "PerAntennaAirProtocol", "AntennaID:u16 ProtocolID:u8[]", ""),
    (141, "GPIOCapabilities", "NumGPIs:u16 NumGPOs:u16", ""),
    (142, "LLRPCapabilities",
     "CanDoRFSurvey:flag CanReportBufferFillWarning:flag SupportsClientRequestOpSpec:flag"
     " CanDoTagInventoryStateAwareSingulation:flag SupportsEventAndReportHolding:flag _:r3"
     " MaxNumPriorityLevelsSupported:u8 ClientRequestOpSpecTimeout:u16 MaxNumROSpecs:u32 MaxNumSpecsPerROSpec:u32"
     " MaxNumInventoryParameterSpecsPerAISpec:u32 MaxNumAccessSpecs:u32 MaxNumOpSpecsPerAccessSpec:u32", ""),
    (143, "RegulatoryCapabilities", "CountryCode:u16 CommunicationsStandard:u16", "UHFBandCapabilities? Custom*"),
    (144, "UHFBandCapabilities", "",
     "TransmitPowerLevelTableEntry+ FrequencyInformation AirProtocolUHFRFModeTable+"),
    (145, "TransmitPowerLevelTableEntry", "Index:u16 TransmitPowerValue:s16", ""),
    (146, "FrequencyInformation", "Hopping:flag _:r7", "FrequencyHopTable* FixedFrequencyTable?"),
    (147, "FrequencyHopTable", "HopTableID:u8 _:r8 Frequency:u32[]", ""),
    (148, "FixedFrequencyTable", "Frequency:u32[]", ""),
    (149, "PerAntennaReceiveSensitivityRange",
     "AntennaID:u16 ReceiveSensitivityIndexMin:u16 ReceiveSensitivityIndexMax:u16", ""),
    # what a reader is told to do
    (177, "ROSpec", "ROSpecID:u32 Priority:u8 CurrentState:u8", "ROBoundarySpec SpecParameter+ ROReportSpec?"),
    (178, "ROBoundarySpec", "", "ROSpecStartTrigger ROSpecStopTrigger"),
    (179, "ROSpecStartTrigger", "ROSpecStartTriggerType:u8", "PeriodicTriggerValue? GPITriggerValue?"),
    (180, "PeriodicTriggerValue", "Offset:u32 Period:u32", "UTCTimestamp?"),
    (181, "GPITriggerValue", "GPIPortNum:u16 GPIEvent:flag _:r7 Timeout:u32", ""),
    (182, "ROSpecStopTrigger", "ROSpecStopTriggerType:u8 DurationTriggerValue:u32", "GPITriggerValue?"),
    (183, "AISpec", "AntennaIDs:u16[]", "AISpecStopTrigger InventoryParameterSpec+ Custom*"),
    (184, "AISpecStopTrigger", "AISpecStopTriggerType:u8 DurationTrigger:u32",
     "GPITriggerValue? TagObservationTrigger?"),
    (185, "TagObservationTrigger",
     "TriggerType:u8 _:r8 NumberOfTags:u16 NumberOfAttempts:u16 T:u16 Timeout:u32", ""),
    (186, "InventoryParameterSpec", "InventoryParameterSpecID:u16 ProtocolID:u8", "AntennaConfiguration* Custom*"),
    (187, "RFSurveySpec", "AntennaID:u16 StartFrequency:u32 EndFrequency:u32", "RFSurveySpecStopTrigger Custom*"),
    (188, "RFSurveySpecStopTrigger", "StopTriggerType:u8 DurationPeriod:u32 N:u32", ""),
    (207, "AccessSpec", "AccessSpecID:u32 AntennaID:u16 ProtocolID:u8 CurrentState:flag _:r7 ROSpecID:u32",
     "AccessSpecStopTrigger AccessCommand AccessReportSpec? Custom*"),
    (208, "AccessSpecStopTrigger", "AccessSpecStopTrigger:u8 OperationCountValue:u16", ""),
    (209, "AccessCommand", "", "AirProtocolTagSpec AccessCommandOpSpec+ Custom*"),
    # how a reader is set
    (217, "LLRPConfigurationStateValue", "LLRPConfigurationStateValue:u32", ""),
    (218, "Identification", "IDType:u8 ReaderID:u8[]", ""),
    (219, "GPOWriteData", "GPOPortNumber:u16 GPOData:flag _:r7", ""),
    (220, "KeepaliveSpec", "KeepaliveTriggerType:u8 PeriodicTriggerValue:u32", ""),
    (221, "AntennaProperties", "AntennaConnected:flag _:r7 AntennaID:u16 AntennaGain:s16", ""),
    (222, "AntennaConfiguration", "AntennaID:u16",
     "RFReceiver? RFTransmitter? AirProtocolInventoryCommandSettings* Custom*"),
    (223, "RFReceiver", "ReceiverSensitivity:u16", ""),
    (224, "RFTransmitter", "HopTableID:u16 ChannelIndex:u16 TransmitPower:u16", ""),
    (225, "GPIPortCurrentState", "GPIPortNum:u16 Config:flag _:r7 State:u8", ""),
    (226, "EventsAndReports", "HoldEventsAndReportsUponReconnect:flag _:r7", ""),
    # what a reader reports
    (237, "ROReportSpec", "ROReportTrigger:u8 N:u16", "TagReportContentSelector Custom*"),
    (238, "TagReportContentSelector",
     "EnableROSpecID:flag EnableSpecIndex:flag EnableInventoryParameterSpecID:flag EnableAntennaID:flag"
     " EnableChannelIndex:flag EnablePeakRSSI:flag EnableFirstSeenTimestamp:flag EnableLastSeenTimestamp:flag"
     " EnableTagSeenCount:flag EnableAccessSpecID:flag _:r6", "AirProtocolEPCMemorySelector*"),
    (239, "AccessReportSpec", "AccessReportTrigger:u8", ""),
    (240, "TagReportData", "",
     "EPCParameter ROSpecID? SpecIndex? InventoryParameterSpecID? AntennaID? PeakRSSI? ChannelIndex?"
     " FirstSeenTimestampUTC? FirstSeenTimestampUptime? LastSeenTimestampUTC? LastSeenTimestampUptime?"
     " TagSeenCount? AirProtocolTagData* AccessSpecID? AccessCommandOpSpecResult* Custom*"),
    (241, "EPCData", "EPC:bits", ""),
    (242, "RFSurveyReportData", "", "ROSpecID? SpecIndex? FrequencyRSSILevelEntry+ Custom*"),
    (243, "FrequencyRSSILevelEntry", "Frequency:u32 Bandwidth:u32 AverageRSSI:s8 PeakRSSI:s8", "Timestamp"),
    (244, "ReaderEventNotificationSpec", "", "EventNotificationState+"),
    (245, "EventNotificationState", "EventType:u16 NotificationState:flag _:r7", ""),
    (246, "ReaderEventNotificationData", "",
     "Timestamp HoppingEvent? GPIEvent? ROSpecEvent? ReportBufferLevelWarningEvent?"
     " ReportBufferOverflowErrorEvent? ReaderExceptionEvent? RFSurveyEvent? AISpecEvent? AntennaEvent?"
     " ConnectionAttemptEvent? ConnectionCloseEvent? Custom*"),
    (247, "HoppingEvent", "HopTableID:u16 NextChannelIndex:u16", ""),
    (248, "GPIEvent", "GPIPortNumber:u16 GPIEvent:flag _:r7", ""),
    (249, "ROSpecEvent", "EventType:u8 ROSpecID:u32 PreemptingROSpecID:u32", ""),
    (250, "ReportBufferLevelWarningEvent", "ReportBufferPercentageFull:u8", ""),
    (251, "ReportBufferOverflowErrorEvent", "", ""),
    (252, "ReaderExceptionEvent", "Message:text",
     "ROSpecID? SpecIndex? InventoryParameterSpecID? AntennaID? AccessSpecID? OpSpecID? Custom*"),
    (253, "RFSurveyEvent", "EventType:u8 ROSpecID:u32 SpecIndex:u16", ""),
    (254, "AISpecEvent", "EventType:u8 ROSpecID:u32 SpecIndex:u16", "AirProtocolSingulationDetails?"),
    (255, "AntennaEvent", "EventType:u8 AntennaID:u16", ""),
    (256, "ConnectionAttemptEvent", "Status:u16", ""),
    (257, "ConnectionCloseEvent", "", ""),
    (287, "LLRPStatus", "StatusCode:u16 ErrorDescription:text", "FieldError? ParameterError?"),
    (288, "FieldError", "FieldNum:u16 ErrorCode:u16", ""),
    (289, "ParameterError", "ParameterType:u16 ErrorCode:u16", "FieldError? ParameterError?"),
    # Gen2
    (327, "C1G2LLRPCapabilities",
     "CanSupportBlockErase:flag CanSupportBlockWrite:flag _:r6 MaxNumSelectFiltersPerQuery:u16", ""),
    (328, "C1G2UHFRFModeTable", "", "C1G2UHFRFModeTableEntry+"),
    (329, "C1G2UHFRFModeTableEntry",
     "ModeIdentifier:u32 DRValue:flag EPCHAGTCConformance:flag _:r6 MValue:u8 ForwardLinkModulation:u8"
     " SpectralMaskIndicator:u8 BDRValue:u32 PIEValue:u32 MinTariValue:u32 MaxTariValue:u32 StepTariValue:u32", ""),
    (330, "C1G2InventoryCommand", "TagInventoryStateAware:flag _:r7",
     "C1G2Filter* C1G2RFControl? C1G2SingulationControl? Custom*"),
    (331, "C1G2Filter", "T:b2 _:r6",
     "C1G2TagInventoryMask C1G2TagInventoryStateAwareFilterAction? C1G2TagInventoryStateUnawareFilterAction?"),
    (332, "C1G2TagInventoryMask", "MB:b2 _:r6 Pointer:u16 TagMask:bits", ""),
    (333, "C1G2TagInventoryStateAwareFilterAction", "Target:u8 Action:u8", ""),
    (334, "C1G2TagInventoryStateUnawareFilterAction", "Action:u8", ""),
    (335, "C1G2RFControl", "ModeIndex:u16 Tari:u16", ""),
    (336, "C1G2SingulationControl", "Session:b2 _:r6 TagPopulation:u16 TagTransitTime:u32",
     "C1G2TagInventoryStateAwareSingulationAction?"),
    (337, "C1G2TagInventoryStateAwareSingulationAction", "I:flag S:flag _:r6", ""),
    (338, "C1G2TagSpec", "", "C1G2TargetTag+"),
    (339, "C1G2TargetTag", "MB:b2 Match:flag _:r5 Pointer:u16 TagMask:bits TagData:bits", ""),
    (341, "C1G2Read", "OpSpecID:u16 AccessPassword:u32 MB:b2 _:r6 WordPointer:u16 WordCount:u16", ""),
    (342, "C1G2Write", "OpSpecID:u16 AccessPassword:u32 MB:b2 _:r6 WordPointer:u16 WriteData:u16[]", ""),
    (343, "C1G2Kill", "OpSpecID:u16 KillPassword:u32", ""),
    (344, "C1G2Lock", "OpSpecID:u16 AccessPassword:u32", "C1G2LockPayload+"),
    (345, "C1G2LockPayload", "Privilege:u8 DataField:u8", ""),
    (346, "C1G2BlockErase", "OpSpecID:u16 AccessPassword:u32 MB:b2 _:r6 WordPointer:u16 WordCount:u16", ""),
    (347, "C1G2BlockWrite", "OpSpecID:u16 AccessPassword:u32 MB:b2 _:r6 WordPointer:u16 WriteData:u16[]", ""),
    (348, "C1G2EPCMemorySelector", "EnableCRC:flag EnablePCBits:flag _:r6", ""),
    (349, "C1G2ReadOpSpecResult", "Result:u8 OpSpecID:u16 ReadData:u16[]", ""),
    (350, "C1G2WriteOpSpecResult", "Result:u8 OpSpecID:u16 NumWordsWritten:u16", ""),
    (351, "C1G2KillOpSpecResult", "Result:u8 OpSpecID:u16", ""),
    (352, "C1G2LockOpSpecResult", "Result:u8 OpSpecID:u16", ""),
    (353, "C1G2BlockEraseOpSpecResult", "Result:u8 OpSpecID:u16", ""),
    (354, "C1G2BlockWriteOpSpecResult", "Result:u8 OpSpecID:u16 NumWordsWritten:u16", ""),
    (CUSTOM, "Custom", "VendorIdentifier:u32 ParameterSubtype:u32 Data:rest", ""),
)  # fmt: skip

PARAMETERS: Mapping[int, Kind] = {
    number: kind(number, name, fields, slots, CHOICES, short=number < 128)
    for number, name, fields, slots in _ROWS
}
PARAMETERS_BY_NAME: Mapping[str, Kind] = {each.name: each for each in PARAMETERS.values()}
