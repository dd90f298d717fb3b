"""The gateway on a free port of this machine, over the ledger-backed network of the tests."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinka.api import Buckets, Services, gateway_app, server
from tests.acquirer.rig import KEY, Rig, rig


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    port: int
    rig: Rig
    services: Services
    count: int = field(default=0)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = KEY,
        again: str = "",
        **headers: str,
    ) -> Answered:
        """One request; a fresh idempotency key for each unless ``again`` names one."""
        self.count += 1
        sent = {"Idempotency-Key": again or f"test-{self.count}"} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        raw = body
        if isinstance(body, dict):
            raw = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            link.request(method, path, raw, sent)
            answer = link.getresponse()
            return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            link.close()

    def order(self, amount: int = 1000, **more: Any) -> str:
        made = self.ask("POST", "/v1/orders", {"amount_minor": amount, **more})
        assert made.status == 201, made.body
        return str(made.json["id"])


@contextmanager
def site(path: Path) -> Iterator[Site]:
    with rig(path) as made:
        services = Services(
            gateway=made.gateway,
            books=made.books,
            vault=made.vault,
            clock=made.clock,
            buckets=Buckets(made.clock),
        )
        place = socket.socket()
        place.bind(("127.0.0.1", 0))
        runner = server(gateway_app(services), host="127.0.0.1", port=0)
        thread = threading.Thread(target=runner.run, kwargs={"sockets": [place]})
        thread.start()
        try:
            while not runner.started:
                time.sleep(0.01)
            yield Site(port=place.getsockname()[1], rig=made, services=services)
        finally:
            runner.should_exit = True
            thread.join()
            place.close()
