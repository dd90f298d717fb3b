"""An acquirer's line to its switch, for callers that wait: sign-on, echo, MACs, and each answer to its question.

ISO 8583:1987, 4.1 (08xx) and field 70: 001, 301. One line, made again when it is lost; its loop has its own thread, so
`SwitchClient.ask` may be called by many threads. An answer is known by type, trace number, time and terminal. What was
given up is remembered for a while: should its answer come, `late` has it. New keys are not taken over this line.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Coroutine
from itertools import count
from typing import Any, TypeVar

from jinka.acquirer import NoAnswer, NotSent
from jinka.codec.framing import Frame
from jinka.codec.iso8583 import DecodeError, Message, Value
from jinka.codec.iso8583.spec import Coding
from jinka.kit import Clock, JinkaError, Refused
from jinka.node.switch_keys import KeyDesk
from jinka.node.switch_links import Link
from jinka.node.switch_runner import Address
from jinka.switch import AskKeys, CheckMac, KeysAnswered, KeyStep, MakeMac, Peer, SignOn
from jinka.switch.keywork import mac_data
from jinka.switch.messages import answer_to, network

_SIGN_ON, _ECHO = "001", "301"
_KNOWN = ("001", "002", "201", "202", "301")
_CONNECT_S = 10.0
_KEPT_MAX = 10_000
_MAC = 8
_T = TypeVar("_T")
Key = tuple[str, str, str, str]


class SwitchClient:
    """``peer`` says what is agreed with the switch, ``own`` is our institution. Start it before asking."""

    def __init__(self, peer: Peer, address: Address, keys: KeyDesk, clock: Clock, *, own: str) -> None:
        self._peer, self._address, self._keys, self._clock, self._own = peer, address, keys, clock, own
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="switch line", daemon=True)
        self._link: Link | None = None
        self._gone: asyncio.Future[None] | None = None
        self._waiting: dict[Key, asyncio.Future[Message]] = {}
        self._given_up: OrderedDict[Key, Message | None] = OrderedDict()
        self._steps: dict[int, asyncio.Future[KeysAnswered]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._tokens, self._number, self._misses = count(1), 0, 0
        self.asked = self.answered = self.lost = self.unmatched = self.lines = 0

    @property
    def ready(self) -> bool:
        """Whether a line stands and is signed on."""
        return self._ready.is_set()

    def start(self, wait_s: float = 5.0) -> bool:
        """Begin; whether the line was ready in time. If not, it goes on trying."""
        self._thread.start()
        return self._ready.wait(wait_s)

    def stop(self) -> None:
        """Close the line; who waits is told that nobody knows."""
        if not self._thread.is_alive():
            self._loop.close()
            return
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._keys.close()

    def ask(self, message: Message) -> Message:
        """The switch's answer; raises `NotSent` and `NoAnswer`."""
        if not self.ready:
            raise NotSent("no line to the switch", where=self._peer.name)
        return self._call(self._ask(message))

    def late(self, message: Message) -> Message | None:
        """The answer to a message that was given up, if it came after all."""
        return self._given_up.get(_key(message))

    def _call(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._keeper = self._loop.create_task(self._keep_connected())
        self._loop.run_forever()

    async def _close(self) -> None:
        self._keeper.cancel()
        if self._link is not None:
            self._link.close("stopping")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(self._keeper, *self._tasks, return_exceptions=True)

    async def _ask(self, message: Message) -> Message:
        key = _key(message)
        if key in self._waiting:
            raise NoAnswer("the same question is under way", where=self._peer.name)
        waiting = self._waiting[key] = self._loop.create_future()
        try:
            try:
                raw = await self._seal(message)
            except (
                JinkaError
            ) as error:  # no MAC without the key service, no message that the dialect cannot say
                raise NotSent(f"not written: {error}", where=self._peer.name) from error
            if self._link is None or not self.ready:
                raise NotSent("the line to the switch was lost", where=self._peer.name)
            self.asked += 1
            self._link.send(raw, None)
            return await asyncio.wait_for(waiting, self._peer.timeout_ms / 1000)
        except TimeoutError:
            self._give_up(key)
            raise NoAnswer("no answer in time", where=self._peer.name) from None
        finally:
            del self._waiting[key]

    def _give_up(self, key: Key) -> None:
        self.lost += 1
        self._given_up[key] = None
        while len(self._given_up) > _KEPT_MAX:
            self._given_up.popitem(last=False)

    async def _keep_connected(self) -> None:
        loop, address = self._loop, self._address
        while True:
            self._gone = loop.create_future()
            with contextlib.suppress(OSError, JinkaError):  # or the certificate's file is being replaced
                tls = address.rules.tls
                connecting = loop.create_connection(
                    self._make_link, address.host, address.port, ssl=tls.client() if tls else None,
                    server_hostname=tls.name if tls else None,
                )  # fmt: skip
                await asyncio.wait_for(connecting, _CONNECT_S)
                self.lines += 1
                await self._session(self._gone)
            await asyncio.sleep(address.again_s)

    async def _session(self, gone: asyncio.Future[None]) -> None:
        """Sign on where it is ours to do, then ask for an echo now and then, until the line is gone."""
        rules, self._misses = self._peer, 0
        if rules.sign_on is SignOn.NONE:
            self._ready.set()
        while not gone.done():
            if self._misses > rules.echo_misses and self._link is not None:
                self._link.close("silent")
            elif rules.sign_on is SignOn.WE and not self.ready:
                self._misses += 1
                await self._manage(_SIGN_ON)
            elif self.ready:
                self._misses += 1
                await self._manage(_ECHO)
            await asyncio.wait({gone}, timeout=rules.echo_ms / 1000)

    async def _manage(self, code: str) -> None:
        self._number = self._number % 999_999 + 1
        message = network(
            self._peer, own=self._own, trace=f"{self._number:06d}", now_micros=self._clock.now_micros(),
            code=code, extra={},
        )  # fmt: skip
        await self._send(message, None)

    def _make_link(self) -> Link:
        return Link(self._address.rules, opened=self._opened, arrived=self._arrived, closed=self._closed)

    def _opened(self, link: Link) -> bool:
        self._link = link
        return True

    def _closed(self, link: Link) -> None:
        if link is not self._link:
            return
        self._link = None
        self._ready.clear()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(NoAnswer("the line to the switch was lost", where=self._peer.name))
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def _arrived(self, link: Link, frame: Frame) -> None:
        try:
            message = self._peer.codec.decode(frame.message)
        except DecodeError:
            link.close("garbage")
            return
        task = self._loop.create_task(self._take(link, frame, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, link: Link, frame: Frame, message: Message) -> None:
        managing = message.mti[1] == "8"
        rule = self._peer.mac
        if rule is not None and (not managing or rule.field in message.fields):
            try:
                await self._check(message, frame.message)
            except JinkaError:
                return  # as if nothing had come
        self._misses = 0
        if managing:
            await self._managed(link, frame, message)
            return
        key = _key(message)
        waiting = self._waiting.get(key)
        if waiting is not None and not waiting.done():
            self.answered += 1
            waiting.set_result(message)
        elif key in self._given_up:
            self._given_up[key] = message
        else:
            self.unmatched += 1

    async def _managed(self, link: Link, frame: Frame, message: Message) -> None:
        """A word on the session: theirs to be answered, or the answer to ours."""
        code = message.text(70)
        if message.mti[2] in "02":
            known = code in _KNOWN
            await self._send(answer_to(message, {39: "00" if known else "12"}, self._peer), frame)
            if code == _SIGN_ON and self._peer.sign_on is SignOn.PEER:
                self._ready.set()
            elif code == "002":
                self._ready.clear()
        elif code == _SIGN_ON and message.text(39) == "00" and link is self._link:
            self._ready.set()

    async def _send(self, message: Message, head: Frame | None) -> None:
        with contextlib.suppress(
            JinkaError
        ):  # the key service is gone: the line falls silent, and is made again
            raw = await self._seal(message)
            if self._link is not None:
                self._link.send(raw, head)

    async def _check(self, message: Message, raw: bytes) -> None:
        """Raises `Refused` for a wrong MAC and for none."""
        rule = self._peer.mac
        if rule is None:
            return
        value = message.fields.get(rule.field, b"")
        mac = value if isinstance(value, bytes) else value.encode()
        await self._step(CheckMac(rule=rule, data=mac_data(rule, message, raw, self._width()), mac=mac))

    async def _seal(self, message: Message) -> bytes:
        """A message as bytes with its MAC, without the fields that the dialect does not have."""
        rule, known = self._peer.mac, self._peer.codec.spec.fields
        fields: dict[int, Value] = {n: v for n, v in message.fields.items() if n in known}
        if rule is None:
            return self._peer.codec.encode(Message(mti=message.mti, fields=fields))
        blank = Message(mti=message.mti, fields=dict(sorted((fields | {rule.field: bytes(_MAC)}).items())))
        raw, width = self._peer.codec.encode(blank), self._width()
        mac = await self._step(MakeMac(rule=rule, data=mac_data(rule, blank, raw, width)))
        return raw[:-width] + (mac if width == _MAC else mac.hex().upper().encode())

    def _width(self) -> int:
        rule = self._peer.mac
        hexadecimal = rule is not None and self._peer.codec.spec.fields[rule.field].coding is Coding.HEX
        return 2 * _MAC if hexadecimal else _MAC

    async def _step(self, step: KeyStep) -> bytes:
        """One step of the key service: what it gives, or `Refused`."""
        token = next(self._tokens)
        done: asyncio.Future[KeysAnswered] = self._loop.create_future()
        self._steps[token] = done
        self._keys.ask(AskKeys(token=token, steps=(step,)), self._stepped)
        answer = await done
        if answer.refused >= 0:
            raise Refused("the key service refuses", where=self._peer.name)
        return answer.results[0]

    def _stepped(self, answer: KeysAnswered) -> None:
        waiting = self._steps.pop(answer.token, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


def _key(message: Message) -> Key:
    return message.mti[1], message.text(11), message.text(7), message.text(41)
