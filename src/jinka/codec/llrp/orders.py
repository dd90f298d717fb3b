"""What a client orders of a reader: an inventory that never ends, a TID read with it, keepalives and events.

Standard: EPCglobal LLRP 1.0.1, clauses 10 (ROSpec), 11 (AccessSpec), 12 (configuration) and 15.2.1 (Gen2). The
inventory runs in turns (an AISpec that ends after so many milliseconds, again and again), and a reader reports at the
end of each turn: a tag comes once a turn with the number of its reads, however often it answered.
"""

from __future__ import annotations

from collections.abc import Sequence

from jinka.codec.llrp.shapes import Bits
from jinka.codec.llrp.wire import Element, Message, element, message

GEN2 = 1
TID_BANK = 2
EPC_BANK = 1
READ_SPEC = 1  # the id of our one C1G2Read
_EVENTS = (3, 4, 8)  # buffer nearly full, reader exception, antenna (NotificationEventType)
_END_OF_TURN = 1  # Upon_N_Tags_Or_End_Of_AISpec


def add_inventory(
    spec: int,
    antennas: Sequence[int],
    *,
    turn_ms: int,
    session: int = 0,
    population: int = 32,
    power_index: int = 0,
    mode: int | None = None,
) -> Message:
    """ADD_ROSPEC of an inventory over the antennas (none: all). ``power_index`` 0 leaves the reader's own power."""
    radio = (
        [element("RFTransmitter", HopTableID=1, ChannelIndex=1, TransmitPower=power_index)]
        if power_index
        else []
    )
    control = [] if mode is None else [element("C1G2RFControl", ModeIndex=mode)]
    singulation = element("C1G2SingulationControl", Session=session, TagPopulation=population)
    return message(
        "ADD_ROSPEC",
        element(
            "ROSpec",
            element("ROBoundarySpec", element("ROSpecStartTrigger"), element("ROSpecStopTrigger")),
            element(
                "AISpec",
                element("AISpecStopTrigger", AISpecStopTriggerType=1, DurationTrigger=turn_ms),
                element(
                    "InventoryParameterSpec",
                    element(
                        "AntennaConfiguration", *radio, element("C1G2InventoryCommand", *control, singulation)
                    ),
                    InventoryParameterSpecID=1,
                    ProtocolID=GEN2,
                ),
                AntennaIDs=tuple(antennas) or (0,),
            ),
            element("ROReportSpec", _content(), ROReportTrigger=_END_OF_TURN),
            ROSpecID=spec,
        ),
    )  # fmt: skip


def add_tid_read(spec: int, inventory: int, *, words: int) -> Message:
    """ADD_ACCESSSPEC that reads so many words of the TID bank of every tag that the inventory meets."""
    any_tag = element(
        "C1G2TargetTag", MB=EPC_BANK, Match=True, Pointer=32, TagMask=Bits.of(b""), TagData=Bits.of(b"")
    )
    read = element("C1G2Read", OpSpecID=READ_SPEC, MB=TID_BANK, WordPointer=0, WordCount=words)
    return message(
        "ADD_ACCESSSPEC",
        element(
            "AccessSpec",
            element("AccessSpecStopTrigger"),
            element("AccessCommand", element("C1G2TagSpec", any_tag), read),
            element("AccessReportSpec"),
            AccessSpecID=spec,
            ProtocolID=GEN2,
            ROSpecID=inventory,
        ),
    )  # fmt: skip


def configure(*, keepalive_ms: int, hold: bool) -> Message:
    """SET_READER_CONFIG: keepalives, the events that matter, and whether reports wait for us after a reconnection."""
    wanted = [element("EventNotificationState", EventType=each, NotificationState=True) for each in _EVENTS]
    holding = [element("EventsAndReports", HoldEventsAndReportsUponReconnect=True)] if hold else []
    return message(
        "SET_READER_CONFIG",
        element("ReaderEventNotificationSpec", *wanted),
        element("KeepaliveSpec", KeepaliveTriggerType=1, PeriodicTriggerValue=keepalive_ms),
        *holding,
    )


def _content() -> Element:
    return element(
        "TagReportContentSelector",
        element("C1G2EPCMemorySelector", EnablePCBits=True),
        EnableAntennaID=True,
        EnablePeakRSSI=True,
        EnableFirstSeenTimestamp=True,
        EnableLastSeenTimestamp=True,
        EnableTagSeenCount=True,
        EnableAccessSpecID=True,
    )
