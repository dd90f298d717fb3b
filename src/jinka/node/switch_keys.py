"""The key service as the switch's shell calls it: the steps of `jinka.switch.keywork` turned into verbs.

In process the steps are done at once; behind a socket a thread of its own does them in batches, so that the loop of
messages never waits. What the service refuses is a refused step; a service that is gone is a fault, and no refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from jinka.keys.payment_port import PaymentService
from jinka.kit import JinkaError, Refused
from jinka.switch import (
    FAULTED,
    AskKeys,
    CheckMac,
    KeysAnswered,
    KeyStep,
    MacKind,
    MacRule,
    MakeMac,
    TranslatePin,
    UnwrapKey,
    WrapNewKey,
)


class KeyDesk:
    """Does the steps. ``remote`` services are called from a thread."""

    def __init__(self, service: PaymentService, *, remote: bool) -> None:
        self._service = service
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keys") if remote else None
        self._batch: list[AskKeys] = []
        self._busy = False
        self.seconds = 0.0

    def ask(self, effect: AskKeys, answer: Callable[[KeysAnswered], None]) -> None:
        """Do the steps of one effect; the answer comes at once or later, on the loop."""
        if self._thread is None:
            answer(self.do(effect))
            return
        self._batch.append(effect)
        if not self._busy:
            self._busy = True
            asyncio.get_running_loop().create_task(self._drain(answer))

    async def _drain(self, answer: Callable[[KeysAnswered], None]) -> None:
        loop = asyncio.get_running_loop()
        while self._batch:
            batch, self._batch = self._batch, []
            for done in await loop.run_in_executor(self._thread, self._do_all, batch):
                answer(done)
        self._busy = False

    def _do_all(self, batch: Sequence[AskKeys]) -> list[KeysAnswered]:
        return [self.do(effect) for effect in batch]

    def do(self, effect: AskKeys) -> KeysAnswered:
        """Do the steps up to the first that is refused."""
        results: list[bytes] = []
        for at, step in enumerate(effect.steps):
            try:
                results.append(self._step(step))
            except JinkaError as error:
                refused = at if isinstance(error, Refused) else FAULTED + at
                return KeysAnswered(token=effect.token, results=tuple(results), refused=refused)
        return KeysAnswered(token=effect.token, results=tuple(results))

    def _step(self, step: KeyStep) -> bytes:
        service = self._service
        if isinstance(step, CheckMac):
            self._check(step)
            return b""
        if isinstance(step, MakeMac):
            return self._make(step.rule, step.data)
        if isinstance(step, TranslatePin):
            return service.translate_pin(
                step.block,
                source=step.source.key,
                source_format=step.source.format,
                target=step.target.key,
                target_format=step.target.format,
                pan=step.pan,
            )
        if isinstance(step, UnwrapKey):
            return service.unwrap_key(step.block, under=step.under, name=step.name).encode()
        if isinstance(step, WrapNewKey):
            service.draw_key(name=step.name, size=step.size)
            return service.wrap_key(key=step.name, under=step.under).encode()
        raise Refused("no such step", where="key service")

    def _check(self, step: CheckMac) -> None:
        try:
            self._verify(step.rule, step.rule.key, step.data, step.mac)
        except Refused:
            if not step.former:
                raise
            self._verify(step.rule, step.former, step.data, step.mac)

    def _verify(self, rule: MacRule, key: str, data: bytes | tuple[str, ...], mac: bytes) -> None:
        service = self._service
        if isinstance(data, tuple):
            service.verify_interbank_mac(list(data), mac, key=key)
        elif rule.kind is MacKind.POS:
            service.verify_pos_mac(data, mac, key=key, form=rule.form)
        else:
            service.verify_mac(data, mac, key=key, algorithm=rule.algorithm)

    def _make(self, rule: MacRule, data: bytes | tuple[str, ...]) -> bytes:
        service = self._service
        if isinstance(data, tuple):
            return service.generate_interbank_mac(list(data), key=rule.key)
        if rule.kind is MacKind.POS:
            return service.generate_pos_mac(data, key=rule.key, form=rule.form)
        return service.generate_mac(data, key=rule.key, algorithm=rule.algorithm)

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.shutdown()
