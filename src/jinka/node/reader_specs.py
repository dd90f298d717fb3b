"""What an emulated reader has been told: its ROSpecs and AccessSpecs with their states, and the reports they make.

Standard: EPCglobal LLRP 1.0.1, clauses 10.2 (states of a ROSpec: disabled, inactive, active), 11 (AccessSpec), 12.2 and
14.2. An id of 0 means all of them. No socket here (`jinka.node.reader_emulator`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from jinka.codec.llrp import Bits, Element, Message, SpecState, Status, element, message
from jinka.codec.llrp.orders import EPC_BANK, GEN2, TID_BANK
from jinka.kit import JinkaError
from jinka.node.reader_field import EmulatedTag, Sight, TagField

_BEHIND_S = 2.0
_TURN_S = 0.25  # where a ROSpec names no end of a turn
_END_OF_TURN, _END_OF_SPEC = 1, 2  # ROReportTriggerType
_NO_SUCH_MEMORY = 1  # C1G2ReadOpSpecResult: non-specific tag error
_KEPT_MAX = 10_000  # tags that wait for their report
_MAXIMA = {"MaxNumROSpecs": 8, "MaxNumAccessSpecs": 8}


class SpecError(JinkaError):
    """A request that cannot be served; ``code`` is the standard's."""

    def __init__(self, code: Status, what: str) -> None:
        self.code = code
        super().__init__(what)


@dataclass(slots=True, kw_only=True)
class _Inventory:
    spec: Element
    state: SpecState = SpecState.DISABLED
    turn_from_s: float = 0.0
    kept: list[Element] = field(default_factory=list)


class ReaderSpecs:
    """``stamp`` tells the reader's clock for a second since its start."""

    def __init__(
        self, tags: TagField, stamp: Callable[[float | None], int], *, antennas: int, uptime: bool
    ) -> None:
        self._tags, self._stamp, self._clock = tags, stamp, "Uptime" if uptime else "UTC"
        self._antennas, self._pulled = antennas, set[int]()
        self._inventories: dict[int, _Inventory] = {}
        self._accesses: dict[int, tuple[Element, bool]] = {}
        self._done: dict[int, int] = {}
        self._ending: list[int] = []
        self._ended: list[Message] = []
        self.holds = False
        self._now_s = 0.0  # up to when time has passed
        self._config: dict[str, Element] = {}

    @property
    def answers(self) -> Mapping[str, Callable[[Message], tuple[Element, ...]]]:
        """Request → what its answer has beside the status; raises `SpecError`."""
        return {
            "GET_READER_CAPABILITIES": lambda _: self._abilities(),
            "GET_READER_CONFIG": lambda _: self._configuration(),
            "ADD_ROSPEC": self._add,
            "GET_ROSPECS": lambda _: tuple(map(_with_state, self._inventories.values())),
            "DELETE_ROSPEC": lambda asked: self._delete(asked.body["ROSpecID"]),
            "ENABLE_ROSPEC": lambda asked: self._move(asked, SpecState.DISABLED, SpecState.INACTIVE),
            "DISABLE_ROSPEC": lambda asked: self._move(asked, None, SpecState.DISABLED),
            "START_ROSPEC": lambda asked: self._move(asked, SpecState.INACTIVE, SpecState.ACTIVE),
            "STOP_ROSPEC": lambda asked: self._move(asked, SpecState.ACTIVE, SpecState.INACTIVE),
            "ADD_ACCESSSPEC": self._add_access,
            "GET_ACCESSSPECS": lambda _: tuple(spec for spec, _ in self._accesses.values()),
            "DELETE_ACCESSSPEC": self._delete_access,
            "ENABLE_ACCESSSPEC": lambda asked: self._enable_access(asked, on=True),
            "DISABLE_ACCESSSPEC": lambda asked: self._enable_access(asked, on=False),
        }

    def connect(self, antenna: int, *, connected: bool) -> None:
        """Plug an antenna in, or pull it out."""
        (self._pulled.discard if connected else self._pulled.add)(antenna)

    def configure(self, asked: Message) -> None:
        """SET_READER_CONFIG: what is told is kept, and told again when asked for."""
        if asked.body["ResetToFactoryDefault"]:
            self._inventories, self._accesses, self._config, self.holds = {}, {}, {}, False
        for each in asked.body.children:
            self._config[each.name] = each
            if each.name == "EventsAndReports":
                self.holds = each["HoldEventsAndReportsUponReconnect"]

    def work(self, now_s: float) -> Iterator[Message]:
        """Let time pass up to ``now_s``; the reports of what ended."""
        self._now_s = now_s
        for number, each in self._inventories.items():
            if each.state is not SpecState.ACTIVE:
                continue
            turn = _turn_s(each.spec)
            if (
                now_s - each.turn_from_s > _BEHIND_S
            ):  # a slow machine: turns are left out, as air time would be
                each.turn_from_s = now_s - turn
            while now_s - each.turn_from_s >= turn:
                self._turn(number, each, each.turn_from_s, each.turn_from_s + turn)
                each.turn_from_s += turn
                if _trigger(each.spec)[0] == _END_OF_TURN and each.kept:
                    yield _report(each)
        yield from self.finished()

    def finished(self) -> Iterator[Message]:
        """Reports of ROSpecs that have ended."""
        ended, self._ended = self._ended, []
        yield from ended

    def report_now(self) -> Message:
        """GET_REPORT: all that is kept."""
        kept = [tag for each in self._inventories.values() for tag in each.kept]
        for each in self._inventories.values():
            each.kept = []
        return message("RO_ACCESS_REPORT", *kept)

    def _turn(self, number: int, each: _Inventory, from_s: float, to_s: float) -> None:
        for ai in each.spec.all("AISpec"):
            wanted = [a for a in ai["AntennaIDs"] if a] or list(range(1, self._antennas + 1))
            there = [a for a in wanted if a not in self._pulled]
            if not there:
                continue
            for sight in self._tags.turn(there, from_s, to_s):
                if len(each.kept) < _KEPT_MAX:
                    each.kept.append(self._reported(number, each.spec, sight))
                for identity in self._ending:
                    self._accesses.pop(identity, None)
                    self._done.pop(identity, None)
                self._ending = []
                trigger, most = _trigger(each.spec)
                if trigger and most and len(each.kept) >= most:
                    self._ended.append(_report(each))

    def _reported(self, number: int, spec: Element, sight: Sight) -> Element:
        wanted = next(spec.all("ROReportSpec"), None)
        content = wanted.first("TagReportContentSelector") if wanted else None
        epc = sight.tag.epc
        known = element("EPC_96", EPC=epc) if len(epc) == 12 else element("EPCData", EPC=Bits.of(epc))
        first, last = self._stamp(sight.from_s), self._stamp(sight.to_s)
        parts = {
            "EnableROSpecID": element("ROSpecID", ROSpecID=number),
            "EnableAntennaID": element("AntennaID", AntennaID=sight.antenna),
            "EnablePeakRSSI": element("PeakRSSI", PeakRSSI=sight.rssi_dbm),
            "EnableFirstSeenTimestamp": element(f"FirstSeenTimestamp{self._clock}", Microseconds=first),
            "EnableLastSeenTimestamp": element(f"LastSeenTimestamp{self._clock}", Microseconds=last),
            "EnableTagSeenCount": element("TagSeenCount", TagCount=sight.count),
        }
        told = [part for flag, part in parts.items() if content is None or content[flag]]
        for memory in content.all("C1G2EPCMemorySelector") if content else ():
            if memory["EnablePCBits"]:
                told.append(element("C1G2_PC", PC_Bits=len(epc) // 2 << 11))
        for identity, (access, on) in self._accesses.items():
            here = access["ROSpecID"] in (0, number) and access["AntennaID"] in (0, sight.antenna)
            if on and here and _meant(access, sight.tag):
                told += [element("AccessSpecID", AccessSpecID=identity), *_read(access, sight.tag.tid)]
                self._count(identity, access)
                break  # a tag is accessed by the first AccessSpec that fits
        return element("TagReportData", known, *told)

    def _add(self, asked: Message) -> tuple[Element, ...]:
        (spec,) = asked.body.all("ROSpec")
        number = spec["ROSpecID"]
        if not number or spec["CurrentState"]:
            raise SpecError(Status.FIELD_ERROR, "a new ROSpec has an id and is disabled")
        if number in self._inventories:
            raise SpecError(Status.PARAMETER_ERROR, f"ROSpec {number} is there")
        if len(self._inventories) >= _MAXIMA["MaxNumROSpecs"]:
            raise SpecError(Status.OVERFLOW_PARAMETER, "no room for another ROSpec")
        if next(spec.all("RFSurveySpec"), None) is not None:
            raise SpecError(Status.UNSUPPORTED_PARAMETER, "no RF survey here")
        self._inventories[number] = _Inventory(spec=spec)
        return ()

    def _named(self, number: int) -> dict[int, _Inventory]:
        if not number:
            return dict(self._inventories)
        if number not in self._inventories:
            raise SpecError(Status.FIELD_ERROR, f"no ROSpec {number}")
        return {number: self._inventories[number]}

    def _delete(self, number: int) -> tuple[Element, ...]:
        for name, each in self._named(number).items():
            self._end(each)
            del self._inventories[name]
        return ()

    def _move(self, asked: Message, before: SpecState | None, after: SpecState) -> tuple[Element, ...]:
        number = asked.body["ROSpecID"]
        for name, each in self._named(number).items():
            if before is not None and each.state is not before:
                if number:
                    raise SpecError(Status.FIELD_ERROR, f"ROSpec {name} is {each.state.name.lower()}")
                continue
            if after is SpecState.INACTIVE and before is SpecState.DISABLED and _immediate(each.spec):
                each.state, each.turn_from_s = SpecState.ACTIVE, self._now_s
                continue
            if each.state is SpecState.ACTIVE:
                self._end(each)
            each.state, each.turn_from_s = after, self._now_s
        return ()

    def _end(self, each: _Inventory) -> None:
        if each.kept and _trigger(each.spec)[0]:
            self._ended.append(_report(each))
        each.kept = []

    def _add_access(self, asked: Message) -> tuple[Element, ...]:
        (spec,) = asked.body.all("AccessSpec")
        number = spec["AccessSpecID"]
        if not number or number in self._accesses:
            raise SpecError(Status.PARAMETER_ERROR, f"AccessSpec {number} is there, or is no id")
        if len(self._accesses) >= _MAXIMA["MaxNumAccessSpecs"]:
            raise SpecError(Status.OVERFLOW_PARAMETER, "no room for another AccessSpec")
        for command in spec.all("AccessCommand"):
            for each in command.children:
                if each.name not in ("C1G2TagSpec", "C1G2Read"):
                    raise SpecError(Status.UNSUPPORTED_PARAMETER, f"no {each.name} here")
        self._accesses[number] = (spec, False)
        return ()

    def _delete_access(self, asked: Message) -> tuple[Element, ...]:
        for number in self._accesses_named(asked.body["AccessSpecID"]):
            del self._accesses[number]
        return ()

    def _enable_access(self, asked: Message, *, on: bool) -> tuple[Element, ...]:
        for number in self._accesses_named(asked.body["AccessSpecID"]):
            self._accesses[number] = (self._accesses[number][0], on)
        return ()

    def _count(self, identity: int, access: Element) -> None:
        """An AccessSpec that was to be done so many times is gone after them."""
        for stop in access.all("AccessSpecStopTrigger"):
            if stop["AccessSpecStopTrigger"] == 1:
                self._done[identity] = self._done.get(identity, 0) + 1
                if self._done[identity] >= stop["OperationCountValue"]:
                    self._ending.append(identity)

    def _accesses_named(self, number: int) -> list[int]:
        if number and number not in self._accesses:
            raise SpecError(Status.FIELD_ERROR, f"no AccessSpec {number}")
        return [number] if number else list(self._accesses)

    def _configuration(self) -> tuple[Element, ...]:
        identity = element("Identification", ReaderID=tuple(b"jinka-em"))
        ports = [
            element("AntennaProperties", AntennaConnected=a not in self._pulled, AntennaID=a)
            for a in range(1, self._antennas + 1)
        ]
        kept = [each for name, each in self._config.items() if name in ("KeepaliveSpec", "EventsAndReports")]
        return (identity, *ports, *kept)

    def _abilities(self) -> tuple[Element, ...]:
        general = element(
            "GeneralDeviceCapabilities",
            element("ReceiveSensitivityTableEntry", Index=1),
            element("GPIOCapabilities"),
            *(
                element("PerAntennaAirProtocol", AntennaID=a, ProtocolID=(GEN2,))
                for a in range(1, self._antennas + 1)
            ),
            MaxNumberOfAntennaSupported=self._antennas,
            HasUTCClockCapability=self._clock == "UTC",
            ReaderFirmwareVersion="jinka emulator",
        )
        able = element(
            "LLRPCapabilities", SupportsEventAndReportHolding=True, MaxNumPriorityLevelsSupported=1,
            MaxNumSpecsPerROSpec=8, MaxNumInventoryParameterSpecsPerAISpec=1, MaxNumOpSpecsPerAccessSpec=1, **_MAXIMA,
        )  # fmt: skip
        return general, able, element("C1G2LLRPCapabilities", MaxNumSelectFiltersPerQuery=0)


def _turn_s(spec: Element) -> float:
    """How long a turn lasts: what the AISpec's stop trigger says."""
    for ai in spec.all("AISpec"):
        for stop in ai.all("AISpecStopTrigger"):
            for seen in stop.all("TagObservationTrigger"):
                return max(0.01, float(seen["Timeout"]) / 1000)
            if stop["AISpecStopTriggerType"] == 1:
                return max(0.01, float(stop["DurationTrigger"]) / 1000)
    return _TURN_S


def _trigger(spec: Element) -> tuple[int, int]:
    for wanted in spec.all("ROReportSpec"):
        return wanted["ROReportTrigger"], wanted["N"]
    return _END_OF_TURN, 0


def _immediate(spec: Element) -> bool:
    (bounds,) = spec.all("ROBoundarySpec")
    return any(start["ROSpecStartTriggerType"] == 1 for start in bounds.all("ROSpecStartTrigger"))


def _report(each: _Inventory) -> Message:
    kept, each.kept = each.kept, []
    return message("RO_ACCESS_REPORT", *kept)


def _with_state(each: _Inventory) -> Element:
    return element("ROSpec", *each.spec.children, **{**each.spec.values, "CurrentState": int(each.state)})


def _meant(access: Element, tag: EmulatedTag) -> bool:
    """Whether the tag's memory is what the AccessSpec asks for (clause 15.2.1.3.1: bits under the mask)."""
    control = (len(tag.epc) // 2 << 11).to_bytes(2, "big")
    banks = {EPC_BANK: bytes(2) + control + tag.epc, TID_BANK: tag.tid}
    for command in access.all("AccessCommand"):
        for spec in command.all("C1G2TagSpec"):
            for target in spec.all("C1G2TargetTag"):
                mask, data = target["TagMask"], target["TagData"]
                memory = banks.get(target["MB"], b"")
                held = int.from_bytes(memory, "big") >> max(
                    0, 8 * len(memory) - target["Pointer"] - mask.count
                )
                under = int.from_bytes(mask.data, "big") >> -mask.count % 8
                asked = int.from_bytes(data.data, "big") >> -data.count % 8
                there = 8 * len(memory) >= target["Pointer"] + mask.count
                equal = there and (not mask.count or not (held ^ asked) & under)
                if equal is not target["Match"]:
                    return False
    return True


def _read(access: Element, tid: bytes) -> Iterator[Element]:
    """The answers of the C1G2Reads of an AccessSpec."""
    for command in access.all("AccessCommand"):
        for read in command.all("C1G2Read"):
            words = tid[2 * read["WordPointer"] :][: 2 * read["WordCount"] or None]  # 0: to the end
            there = read["MB"] == TID_BANK and len(words) >= max(2, 2 * read["WordCount"])
            data = (
                tuple(int.from_bytes(words[i : i + 2], "big") for i in range(0, len(words), 2))
                if there
                else ()
            )
            yield element(
                "C1G2ReadOpSpecResult", Result=0 if there else _NO_SUCH_MEMORY, OpSpecID=read["OpSpecID"], ReadData=data
            )  # fmt: skip


__all__ = ["ReaderSpecs", "SpecError"]
