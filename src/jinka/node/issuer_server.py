"""The issuer's host on TCP: lines of `jinka.node.switch_links`, one group of messages at a time.

What arrives while a group is decided makes the next group, so that they share the flushes; an answer leaves when what
it says is durable. A wrong MAC is answered with A0 and goes no further; too many in a row close the line, and so does
what is no message. Lines take turns (`jinka.node.switch_door`): who sends too much waits, and nobody else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from jinka.codec.framing import Frame
from jinka.codec.iso8583 import Codec, DecodeError, EncodeError, Message
from jinka.crypto.mac import MacAlgorithm
from jinka.issuer.iso import IsoIssuer, answer_to
from jinka.keys.payment_port import PaymentService
from jinka.kit import Clock
from jinka.node.switch_door import Turns
from jinka.node.switch_links import Link, LinkRules

_GROUP_MAX = 1_000
_WAITING_MAX = 2 * _GROUP_MAX  # messages that wait for a decision; beyond them no line has a turn
_WRONG_MAX = 16  # wrong MACs in a row, before a line is closed
_MAC = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMac:
    """The MAC at the end of each message, as field 64 or 128."""

    keys: PaymentService
    key: str
    algorithm: MacAlgorithm = MacAlgorithm.RETAIL
    field: int = 128

    def right(self, raws: Sequence[bytes], messages: Sequence[Message]) -> list[bool]:
        """Which messages have a right MAC; it is the last field, over all that comes before it."""
        given = [message.text(self.field).lower() for message in messages]
        whole = [at for at, mac in enumerate(given) if mac and raws[at][-_MAC:].hex() == mac]
        good = [False] * len(raws)
        if whole:
            data, macs = [raws[at][:-_MAC] for at in whole], [raws[at][-_MAC:] for at in whole]
            checked = self.keys.check_macs(data, macs, key=self.key, algorithm=self.algorithm)
            for at, right in zip(whole, checked, strict=True):
                good[at] = bool(right)
        return good

    def seal(self, codec: Codec, messages: Sequence[Message]) -> list[bytes]:
        """The messages with their MACs."""
        raws = [codec.encode(m.changed({self.field: bytes(_MAC)}))[:-_MAC] for m in messages]
        made = self.keys.generate_macs(raws, key=self.key, algorithm=self.algorithm) if raws else []
        return [raw + mac for raw, mac in zip(raws, made, strict=True)]


class IssuerServer:
    """Serves one peer's dialect. ``failed`` is told when the books or the ledger fail: nothing is answered then."""

    def __init__(
        self,
        desk: IsoIssuer,
        codec: Codec,
        rules: LinkRules,
        clock: Clock,
        *,
        mac: LineMac | None,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._desk, self._codec, self._rules, self._clock = desk, codec, rules, clock
        self._mac, self._failed = mac, failed
        self._lines: set[Link] = set()
        self._waiting: list[tuple[Link, Frame]] = []
        self._awake = asyncio.Event()
        self._pool = ThreadPoolExecutor(1, "issuer")
        self.garbage = self.answered = self.groups = 0
        self.codes: Counter[tuple[str, str]] = Counter()  # (message type, response code)
        self.port = 0

    @property
    def lines(self) -> int:
        """How many lines stand."""
        return len(self._lines)

    @property
    def waiting(self) -> int:
        """Messages that wait for the group that is being decided."""
        return len(self._waiting)

    async def start(self, host: str, port: int) -> None:
        """Listen; ``port`` is then the one that was had."""
        loop = asyncio.get_running_loop()
        self._door = self._rules.door(Turns(lambda: len(self._waiting) >= _WAITING_MAX))
        self._server = await loop.create_server(self._line, host, port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._task = loop.create_task(self._run())

    async def stop(self) -> None:
        """Cut the lines and wait for the group that is being decided."""
        self._server.close()
        for line in list(self._lines):
            line.close("stopped")
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown)

    async def work(self, act: Callable[[], object]) -> None:
        """Do something with the books between two groups."""
        await asyncio.get_running_loop().run_in_executor(self._pool, act)

    def _line(self) -> Link:
        return Link(
            self._rules, opened=self._opened, arrived=self._arrived, closed=self._lines.discard,
            door=self._door, guest=True,
        )  # fmt: skip

    def _opened(self, line: Link) -> bool:
        self._lines.add(line)
        if self._mac is None:
            line.trust()
        return True

    def _arrived(self, line: Link, frame: Frame) -> None:
        self._waiting.append((line, frame))
        self._awake.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._awake.wait()
            group, self._waiting = self._waiting[:_GROUP_MAX], self._waiting[_GROUP_MAX:]
            if not self._waiting:
                self._awake.clear()
            try:
                answers, wrong = await loop.run_in_executor(
                    self._pool, self._decide, [f.message for _, f in group]
                )
            except Exception as error:  # the books failed: who asks again after a restart is answered then
                self._failed(error)
                return
            self.groups += 1
            for at, ((line, frame), answer) in enumerate(zip(group, answers, strict=True)):
                if at in wrong:
                    self._wrong(line)
                elif answer is not None:
                    line.trust()
                if answer:
                    line.send(answer, frame)
                    self.answered += 1
                elif answer is None:
                    self.garbage += 1
                    line.close("garbage")

    @staticmethod
    def _wrong(line: Link) -> None:
        line.refused += 1
        if line.refused == _WRONG_MAX:
            line.blame()
            line.close("mac_wrong")

    def _decide(self, raws: Sequence[bytes]) -> tuple[list[bytes | None], set[int]]:
        """The answers as bytes: empty for what asks for none, None for what is no message; and whose MAC is wrong."""
        read: list[tuple[int, Message]] = []
        for at, raw in enumerate(raws):
            try:
                read.append((at, self._codec.decode(raw)))
            except DecodeError:
                continue
        good = [True] * len(read)
        if self._mac is not None:
            good = self._mac.right([raws[at] for at, _ in read], [message for _, message in read])
        asked = [message for (_, message), right in zip(read, good, strict=True) if right]
        made = iter(self._desk.handle_all(asked, self._clock.now_micros()))
        answers: list[bytes | None] = [None] * len(raws)
        spoken: list[tuple[int, Message]] = []
        for (at, message), right in zip(read, good, strict=True):
            answer = next(made) if right else _wrong_mac(message)
            answers[at] = b""
            if answer is not None:
                spoken.append((at, answer))
                self.codes[answer.mti, answer.text(39)] += 1
        for (at, _), raw in zip(spoken, self._encoded([answer for _, answer in spoken]), strict=True):
            answers[at] = raw
        return answers, {at for (at, _), right in zip(read, good, strict=True) if not right}

    def _encoded(self, answers: Sequence[Message]) -> list[bytes]:
        known = self._codec.spec.fields
        fitting = [
            Message(mti=a.mti, fields={n: v for n, v in a.fields.items() if n in known}) for a in answers
        ]
        try:
            return self._written(fitting)
        except EncodeError:  # one that the dialect cannot say hurts no other
            return [self._written_alone(message) for message in fitting]

    def _written(self, answers: Sequence[Message]) -> list[bytes]:
        if self._mac is not None:
            return self._mac.seal(self._codec, answers)
        return [self._codec.encode(message) for message in answers]

    def _written_alone(self, answer: Message) -> bytes:
        try:
            return self._written([answer])[0]
        except EncodeError:
            bare = {n: v for n, v in answer.fields.items() if n in (7, 11, 37, 38, 39, 41)}
            return self._written([Message(mti=answer.mti, fields=bare)])[0]


def _wrong_mac(message: Message) -> Message | None:
    """The answer to a message that somebody may have changed; none where it asks for none."""
    return answer_to(message, {39: "A0"}) if message.mti[2] in "02" else None
