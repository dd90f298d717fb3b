"""The key service as the switch's shell calls it: the steps of `jinka.switch.keywork` turned into verbs.

What is asked in one turn of the loop goes to the verbs for many at once; with a socket a thread does it, so that the
loop of messages never waits. A refused step is the service's word; a service that is gone is a fault, and no refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import numpy as np

from jinka.keys.payment_port import PaymentService
from jinka.kit import JinkaError, Refused, Usage
from jinka.switch import (
    FAULTED,
    AskKeys,
    CheckMac,
    DropKeys,
    GiveTerminalKeys,
    KeyLayout,
    KeysAnswered,
    KeyStep,
    MacKind,
    MacRule,
    MakeMac,
    TranslatePin,
    UnwrapKey,
    WrapNewKey,
)

Answer = bytes | int  # what a step gave, or -1 for a refusal, -2 for a fault
_REFUSED, _FAULT = -1, -2


class KeyDesk:
    """Does the steps. ``remote`` services are called from a thread."""

    def __init__(self, service: PaymentService, *, remote: bool) -> None:
        self._service = service
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keys") if remote else None
        self._batch: list[AskKeys] = []
        self._busy = False
        self._asked = 0

    @property
    def waiting(self) -> int:
        """Effects whose steps are not done yet."""
        return self._asked

    def ask(self, effect: AskKeys, answer: Callable[[KeysAnswered], None]) -> None:
        """Do the steps of one effect together with all that are asked in this turn of the loop."""
        self._batch.append(effect)
        self._asked += 1
        if not self._busy:
            self._busy = True
            loop = asyncio.get_running_loop()
            if self._thread is None:
                loop.call_soon(self._work, answer)
            else:
                self._task = loop.create_task(self._drain(answer))

    def _work(self, answer: Callable[[KeysAnswered], None]) -> None:
        batch, self._batch, self._busy = self._batch, [], False
        answers = self.do_all(batch)
        self._asked -= len(batch)
        for done in answers:
            answer(done)

    async def _drain(self, answer: Callable[[KeysAnswered], None]) -> None:
        loop = asyncio.get_running_loop()
        while self._batch:
            batch, self._batch = self._batch, []
            answers = await loop.run_in_executor(self._thread, self.do_all, batch)
            self._asked -= len(batch)
            for done in answers:
                answer(done)
        self._busy = False

    def do(self, effect: AskKeys) -> KeysAnswered:
        """Do one effect's steps up to the first that is refused."""
        return self.do_all([effect])[0]

    def do_all(self, batch: Sequence[AskKeys]) -> list[KeysAnswered]:
        """Do the steps of many effects: the first of all, then the second of all that are left, and so on."""
        results: list[list[bytes]] = [[] for _ in batch]
        refused = [-1] * len(batch)
        turn = 0
        rows: Sequence[int] = range(len(batch))
        while rows := [row for row in rows if refused[row] < 0 and turn < len(batch[row].steps)]:
            groups: dict[Any, list[int]] = {}
            for row in rows:
                groups.setdefault(_alike(batch[row].steps[turn]), []).append(row)
            for members in groups.values():
                answers = self._together([batch[row].steps[turn] for row in members])
                for row, given in zip(members, answers, strict=True):
                    if isinstance(given, bytes):
                        results[row].append(given)
                    else:
                        refused[row] = turn if given == _REFUSED else FAULTED + turn
            turn += 1
        return [
            KeysAnswered(token=effect.token, results=tuple(results[row]), refused=refused[row])
            for row, effect in enumerate(batch)
        ]

    def _together(self, steps: list[KeyStep]) -> Sequence[Answer]:
        first = steps[0]
        try:
            if isinstance(first, CheckMac):
                return self._check_macs(first.rule, cast(list[CheckMac], steps))
            if isinstance(first, MakeMac):
                return self._make_macs(first.rule, cast(list[MakeMac], steps))
            if isinstance(first, TranslatePin):
                return self._translate(first, cast(list[TranslatePin], steps))
            return [self._exchange(step) for step in steps]
        except JinkaError as error:
            return [_REFUSED if isinstance(error, Refused | Usage) else _FAULT] * len(steps)

    def _exchange(self, step: KeyStep) -> Answer:
        service = self._service
        try:
            if isinstance(step, UnwrapKey):
                return service.unwrap_key(step.block, under=step.under, name=step.name).encode()
            if isinstance(step, WrapNewKey):
                service.draw_key(name=step.name, size=step.size)
                return service.wrap_key(key=step.name, under=step.under).encode()
            if isinstance(step, GiveTerminalKeys):
                return self._terminal_keys(step)
            if isinstance(step, DropKeys):
                for name in step.names:
                    service.drop_key(name=name)
                return b""
        except JinkaError as error:
            return _REFUSED if isinstance(error, Refused | Usage) else _FAULT
        raise Refused("no such step", where="key service")

    def _terminal_keys(self, step: GiveTerminalKeys) -> bytes:
        """Field 62: each key with its check value, the shorter one of a double layout filled with zeros."""
        service, made = self._service, b""
        for name, kind in ((step.pin, step.layout.pin_kind), (step.mac, step.layout.mac_kind)):
            if name:
                service.draw_key(name=name, size=8 if kind == "DES" else 16)
                given = service.wrap_terminal_key(key=name, under=step.master)
                filler = bytes(8) if kind == "DES" and step.layout is KeyLayout.DOUBLE else b""
                made += given[:-4] + filler + given[-4:]
        return made

    def _check_macs(self, rule: MacRule, steps: list[CheckMac]) -> list[Answer]:
        good = self._right(rule, rule.key, steps)
        bad = [row for row, right in enumerate(good) if not right and steps[row].former]
        for row in bad:  # just after an exchange of keys
            good[row] = self._right(rule, steps[row].former, [steps[row]])[0]
        return [b"" if right else _REFUSED for right in good]

    def _right(self, rule: MacRule, key: str, steps: list[CheckMac]) -> list[bool]:
        if rule.kind is MacKind.INTERBANK:
            return [self._interbank(key, step) for step in steps]
        messages, macs = [_bytes(step.data) for step in steps], [step.mac for step in steps]
        form = rule.form if rule.kind is MacKind.POS else None
        right = self._service.check_macs(messages, macs, key=key, algorithm=rule.algorithm, form=form)
        return [bool(one) for one in right]

    def _interbank(self, key: str, step: CheckMac) -> bool:
        try:
            self._service.verify_interbank_mac(list(map(str, step.data)), step.mac, key=key)
        except Refused:
            return False
        return True

    def _make_macs(self, rule: MacRule, steps: list[MakeMac]) -> Sequence[bytes]:
        service = self._service
        if rule.kind is MacKind.INTERBANK:
            return [service.generate_interbank_mac(list(map(str, step.data)), key=rule.key) for step in steps]
        form = rule.form if rule.kind is MacKind.POS else None
        messages = [_bytes(step.data) for step in steps]
        return service.generate_macs(messages, key=rule.key, algorithm=rule.algorithm, form=form)

    def _translate(self, first: TranslatePin, steps: list[TranslatePin]) -> list[Answer]:
        source, target = first.source, first.target
        size = len(first.block)
        blocks = np.frombuffer(b"".join(step.block for step in steps), dtype=np.uint8)
        done, good = self._service.translate_pins(
            blocks.reshape(len(steps), size),
            source=source.key,
            source_format=source.format,
            target=target.key,
            target_format=target.format,
            pans=[step.pan for step in steps],
        )
        return [
            done[row].tobytes() if good[row] else self._translate_former(step)
            for row, step in enumerate(steps)
        ]

    def _translate_former(self, step: TranslatePin) -> Answer:
        """Just after an exchange of keys a block may be under the former one."""
        if not step.former:
            return _REFUSED
        again = replace(step, source=replace(step.source, key=step.former), former="")
        return self._translate(again, [again])[0]

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.shutdown()


def _alike(step: KeyStep) -> Any:
    """What steps must have in common to be done together: rules are a peer's own objects, so identity tells."""
    if isinstance(step, CheckMac | MakeMac):
        return type(step), id(step.rule)
    if isinstance(step, TranslatePin):
        return id(step.source), id(step.target), len(step.block)
    return type(step)


def _bytes(data: bytes | tuple[str, ...]) -> bytes:
    if not isinstance(data, bytes):
        raise Refused("fields where bytes are meant", where="MAC")
    return data
