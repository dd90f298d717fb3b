"""Plays tags at gates: the EPC with data behind it in bits, an LLRP report of it, and the register of chips.

GS1 Tag Data Standard 2.3, 14.5 and 15.3; LLRP 1.0.1, 14.2.3. The reader's report is encoded and decoded as on the
wire. GB/T 35789's own memory layout of electronic plates is not public and is not what is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_world import StepFailed, World
from jinka.codec import llrp
from jinka.codec.llrp.reports import tag_reports
from jinka.codec.llrp.shapes import Bits
from jinka.codec.llrp.wire import element, message
from jinka.codec.tags import SCHEME_BY_NAME, decode, encode, pack_elements
from jinka.declaration import Counted, Step
from jinka.declaration.steps_tags import ReadTag, WriteTag
from jinka.kit import NotFound
from jinka.reports.day import Text

_TID_SPEC = 1


@dataclass(frozen=True, slots=True)
class _Chip:
    """What stands in a tag's two banks."""

    epc: bytes
    tid: bytes


@dataclass(slots=True)
class _Register:
    chips: dict[str, _Chip] = field(default_factory=dict)
    known: dict[tuple[str | int, ...], bytes] = field(default_factory=dict)  # which chip a thing carries


def _register(world: World) -> _Register:
    return world.service("tags", _Register)


def play_write_tag(step: WriteTag, world: World) -> Text:
    found = _register(world)
    made = pack_elements(SCHEME_BY_NAME[step.scheme], tuple(step.data.items()))
    chip = _Chip(encode(made), bytes.fromhex(step.tid))
    found.chips[step.tag] = chip
    if not step.forged:
        found.known[made.values] = chip.tid
    said = ", ".join(f"({ai}) {value}" for ai, value in step.data.items())
    by = Text("a forger writes", "伪造") if step.forged else Text("written and registered", "写入并登记")
    return Text(f"Tag {step.tag}, {by.en}: {said}; {8 * len(chip.epc)} bits",
                f"标签{step.tag}{by.zh}：{said}，共{8 * len(chip.epc)}位")  # fmt: skip


def play_read_tag(step: ReadTag, world: World) -> Text:
    found, device = _register(world), world.device(step.device)[1]
    if step.tag not in found.chips:
        raise NotFound(f"no tag {step.tag!r}", where=world.journey.name, fix="WriteTag first")
    [seen] = tag_reports(llrp.decode(_report(found.chips[step.tag])))
    read = decode(seen.epc)
    data = dict(zip(read.scheme.elements, map(str, read.values), strict=True))
    data |= dict(read.plus.extra) if read.plus else {}
    head = Text(f"{device.title_en} reads tag {step.tag}", f"{device.title_zh}读标签{step.tag}")
    registered = found.known.get(read.values)
    if registered != seen.reads[0].data:
        reason = "UNKNOWN" if registered is None else "OTHER_CHIP"
        expect_refused(step.refused, reason, "the register of chips")
        world.count(Counted.REFUSED, device=step.device, reason=reason)
        return Text(f"{head.en}: refused, {reason}", f"{head.zh}：拒绝，{reason}")
    expect_done(step.refused)
    if data != {**data, **step.shows}:
        raise StepFailed(f"it says {data}, not {dict(step.shows)}", where=step.device)
    for name, identifier in step.remembers.items():
        world.remembered[name] = data[identifier]
    world.count(Counted.ADMITTED, device=step.device, entitlement="tag")
    said = ", ".join(f"({ai}) {value}" for ai, value in data.items())
    return Text(f"{head.en}: {said}", f"{head.zh}：{said}")


def _report(chip: _Chip) -> bytes:
    """RO_ACCESS_REPORT with one tag: its EPC, and its TID as the answer of a read."""
    words = [int.from_bytes(chip.tid[at : at + 2], "big") for at in range(0, len(chip.tid), 2)]
    tag = element(
        "TagReportData",
        element("EPCData", EPC=Bits.of(chip.epc)),
        element("AntennaID", AntennaID=1),
        element("C1G2ReadOpSpecResult", OpSpecID=_TID_SPEC, Result=0, ReadData=words),
    )
    return llrp.encode(message("RO_ACCESS_REPORT", tag))


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    WriteTag: play_write_tag,
    ReadTag: play_read_tag,
}
