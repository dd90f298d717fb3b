"""`jinka federation demo`: a nation, two provinces and four cities as seven processes; cards of every city travel.

Everything is simulated and marked so: keys whose shares lie in the folders, an authority whose officers are played, a
day drawn from a seed. The centres themselves are the real ones: each is `jinka centre up` over its own folder, with its
own store, keys and certificates, and they talk over HTTPS alone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from jinka.app.centre_books import neighbour_balance
from jinka.app.centre_files import RoundFiles
from jinka.app.centre_folder import (
    NewCentre,
    admit,
    centre_keys,
    close_day,
    hold_simulated,
    make_centre,
    request_papers,
)
from jinka.app.centre_papers import CentreName, PlayedAuthority
from jinka.app.federation_proof import prove_tap
from jinka.app.options import APPLICATION_DEFAULT, TARIFF_DEFAULT
from jinka.app.progress import Progress, Silent
from jinka.app.tariffs import application_named, prices_named
from jinka.clearing.tiers import Tier
from jinka.clearing.verdicts import SENT, VERDICTS
from jinka.crypto.bulk import warm_up
from jinka.kit import JinkaError, Refused
from jinka.node import file_errors, write_durable
from jinka.node.supervisor import Part, Supervisor, program
from jinka.sim.randomness import SeededRandomness
from jinka.sim.travel import CITIES, SCHEME, ZONE, TravelDay, TravelField
from jinka.store import SqlLedger, database_at, save_registry
from jinka.store.parquet_bytes import parquet_bytes

DATE = dt.date(2018, 9, 3)
NATION = "00"
PROVINCES: Mapping[str, tuple[str, ...]] = {"44": ("4403", "4401"), "32": ("3201", "3205")}
PARENT_OF: Mapping[str, str] = {
    **{city: province for province, cities in PROVINCES.items() for city in cities},
    **dict.fromkeys(PROVINCES, NATION),
}
CODES = (NATION, *PROVINCES, *(city for cities in PROVINCES.values() for city in cities))
RIDERS_DEFAULT, SEED_DEFAULT = 60, 1
_ORGANISATION_CODE = "91350100M000100Y43"
_WAIT_S, _LOOK_S = 300.0, 0.25
_TAP = ("card", "batch", "batch_seq", "amount")  # what both ends prove alike
Tell = Callable[[str, str, Mapping[str, Any]], None]  # centre, event, facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A federation's folder, and where each centre listens."""

    folder: Path
    ports: Mapping[str, int]

    def centre(self, code: str) -> Path:
        return self.folder / code

    def settled(self) -> dict[str, dict[str, Any]]:
        """The summaries of the centres whose round is over, and whose statistics were sent."""
        rounds = {code: RoundFiles(self.centre(code), DATE) for code in CODES}
        found = {
            code: files.noted("settled") for code, files in rounds.items() if files.noted("up-statistics")
        }
        return {code: summary for code, summary in found.items() if summary is not None}


def make_federation(
    folder: Path, *, riders: int, seed: int, ways: Mapping[str, int] | None = None, every_s: float = 0.3
) -> Demo:
    """Seven folders that are ready to be served, their day delivered and closed.

    ``ways`` gives the port at which a child goes to its parent, where that is not the parent's own. Raises `Refused`
    when there is something in the folder.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Refused("the folder is not empty", where=str(folder), fix="name another --dir")
    ports = dict(zip((NATION, *PROVINCES), _free_ports(1 + len(PROVINCES)), strict=True))
    demo, authority = Demo(folder=folder, ports=ports), PlayedAuthority(dt.datetime.now(dt.UTC))
    cities = {city.code: city for city in CITIES}
    for code in CODES:
        above, city = PARENT_OF.get(code, ""), cities.get(code)
        port = (ways or {}).get(code) or ports.get(above, 0)
        make_centre(
            demo.centre(code),
            NewCentre(
                tier=Tier.CITY if city else Tier.PROVINCE if above else Tier.NATION, code=code, zone=ZONE,
                region=code if city else "110000", first_date=DATE, every_s=every_s,
                participants=sorted(city.participants) if city else [] if above else [SCHEME],
                parent=(above, f"https://localhost:{port}") if above else None,
                listen="" if city else f"127.0.0.1:{ports[code]}", issuer=city.issuer if city else "",
                government=city.government if city else "", scheme=SCHEME,
                fees_bp={"scheme": 20, "issuer": 10, "acquirer": 20},
            ),
        )  # fmt: skip
        hold_simulated(
            demo.centre(code), date="2018-01-01", randomness=SeededRandomness(f"federation|{seed}|{code}"),
            purchase_from=demo.centre(NATION) if city else None,
        )  # fmt: skip
        name = CentreName(
            code=code, organisation=f"Centre {code} (simulated)", organisation_code=_ORGANISATION_CODE,
            dns_name="localhost",
        )  # fmt: skip
        authority.certify(request_papers(demo.centre(code), name))
    for province, below in PROVINCES.items():
        for code in below:
            admit(demo.centre(province), code, centres=[], participants=[cities[code].issuer])
        issuers = [cities[code].issuer for code in below]
        admit(demo.centre(NATION), province, centres=below, participants=issuers)
    for day in play_day(demo, riders=riders, seed=seed):
        deliver(demo, day)
    return demo


def _free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on now."""
    with ExitStack() as stack:
        places = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(place.getsockname()[1]) for place in places]


def play_day(demo: Demo, *, riders: int, seed: int) -> Sequence[TravelDay]:
    """The day of the nation's cards, with each city's own key service."""
    with ExitStack() as stack:
        keys = {
            city.code: stack.enter_context(centre_keys(demo.centre(city.code), city.code)) for city in CITIES
        }
        field = TravelField(
            CITIES, keys, riders=riders, seed=seed, date=DATE, tariff=prices_named(TARIFF_DEFAULT).tariff,
            profile=application_named(APPLICATION_DEFAULT),
        )  # fmt: skip
        return field.play()


def deliver(demo: Demo, day: TravelDay) -> None:
    """Register what a city's centre has to know, put the deliveries into its inbox, and close the day."""
    folder = demo.centre(day.city.code)
    with database_at(folder / "centre.db") as database:
        save_registry(database, day.registry)
    for name, records, batches in day.deliveries:
        for kind, table in (("records", records), ("batches", batches)):
            write_durable(
                folder / "inbox" / DATE.isoformat() / f"{name}.{kind}.parquet", parquet_bytes(table)
            )
    close_day(folder, DATE)


def run_demo(
    folder: Path, *, riders: int = RIDERS_DEFAULT, seed: int = SEED_DEFAULT, progress: Progress | None = None
) -> dict[str, Any]:
    """Make a federation, serve it until its day is settled everywhere, and say what became of it."""
    steps = progress or Silent()
    begin = time.perf_counter()
    warm_up()  # compiled once, before seven processes would each do it
    with file_errors(folder):
        demo = make_federation(folder, riders=riders, seed=seed)
    steps.step("federation", 1, 1)
    made = time.perf_counter()
    serve_until_settled(demo, lambda *_: None, steps)
    result = outcome(demo)
    return result | {
        "seconds": {"made": round(made - begin, 1), "cleared": round(time.perf_counter() - made, 1)}
    }


def serve_until_settled(demo: Demo, tell: Tell, progress: Progress | None = None) -> None:
    """Keep all seven processes up until each has settled the day; raises `JinkaError` when that takes too long."""
    steps = progress or Silent()
    parts = [Part(name=code, command=program("centre", "up", str(demo.centre(code)))) for code in CODES]

    async def watch(supervisor: Supervisor) -> bool:
        until = time.monotonic() + _WAIT_S
        while (done := len(demo.settled())) < len(CODES):
            steps.step("centres", done, len(CODES))
            if time.monotonic() > until:
                break
            await asyncio.sleep(_LOOK_S)
        supervisor.stop()
        return done == len(CODES)

    async def run() -> bool:
        supervisor = Supervisor(parts, tell)
        watching = asyncio.create_task(watch(supervisor))
        try:
            await supervisor.run(lambda _: None)
        finally:
            watching.cancel()
        return not watching.cancelled() and watching.done() and await watching

    if not asyncio.run(run()):
        silent = sorted(set(CODES) - set(demo.settled()))
        raise JinkaError(
            f"not settled: {', '.join(silent)}", where=str(demo.folder), fix="see log/centre.jsonl there"
        )
    steps.step("centres", len(CODES), len(CODES))


def outcome(demo: Demo) -> dict[str, Any]:
    """What the seven folders say: positions by tier, whether they add up, verdicts with reasons, what crossed."""
    settled = demo.settled()
    accounts = {code: _neighbours(demo, code) for code in CODES}
    agree = all(
        accounts[parent][code][0] == accounts[code][parent][1]
        and accounts[parent][code][1] == accounts[code][parent][0]
        for code, parent in PARENT_OF.items()
    )
    adds_up = all(
        settled[parent]["position"]["children"].get(code, 0) == settled[code]["position"]["due"]
        for code, parent in PARENT_OF.items()
    ) and all(
        settled[code]["position"]["due"]
        == settled[code]["position"]["own"] + sum(settled[code]["position"]["children"].values())
        for code in CODES
    )
    cities = {}
    for city in CITIES:
        files = RoundFiles(demo.centre(city.code), DATE)
        home, paid = files.noted("home"), files.noted("paid")
        cities[city.code] = {
            "name_en": city.name_en, "name_zh": city.name_zh, "taken_in": home["records"],
            "sent": files.read("sent", SENT).num_rows, "inbound": home["inbound"],
            "answers": [[reason, *counts] for reason, counts in sorted(paid["abroad"].items())],
            "said": files.read("verdicts", VERDICTS).num_rows,
        }  # fmt: skip
    folders = {city.code: demo.centre(city.code) for city in CITIES}
    tap = prove_tap(folders, DATE, {city.issuer: city.code for city in CITIES}, demo.folder / "proofs")
    return {
        "date": DATE.isoformat(), "simulated": True, "folder": str(demo.folder),
        "centres": {
            code: {
                "tier": "nation" if code == NATION else "province" if code in PROVINCES else "city",
                "parent": PARENT_OF.get(code, ""),
                **{name: settled[code][name] for name in ("position", "trial", "proof", "findings")},
            }
            for code in CODES
        },
        "cities": cities,
        "flows": _crossings(demo),
        "tap": tap,
        "holds": {
            "positions_add_up": adds_up, "neighbours_agree": agree,
            "books_balance": all(one["trial"]["balances"] for one in settled.values()),
            "funds_cover_cards": all(one["proof"]["holds"] for one in settled.values()),
            "tap_proven": all(
                [end[name] for name in _TAP] == [tap[0][name] for name in _TAP] and end["outcome"] == "PAID"
                for end in tap
            ),
        },
    }  # fmt: skip


def _crossings(demo: Demo) -> list[list[Any]]:
    """Records and money between cities: from the card's to the terminal's."""
    sums: dict[tuple[str, str], list[int]] = {}
    for city in CITIES:
        table = pq.read_table(RoundFiles(demo.centre(city.code), DATE).path("sent.parquet"))
        for issuer, amount in zip(table["issuer"].to_pylist(), table["amount"].to_pylist(), strict=True):
            found = sums.setdefault((issuer.removeprefix("issuer."), city.code), [0, 0])
            found[0] += 1
            found[1] += amount
    return [[*way, *counts] for way, counts in sorted(sums.items())]


def _neighbours(demo: Demo, code: str) -> dict[str, tuple[int, int]]:
    near = [child for child, parent in PARENT_OF.items() if parent == code]
    near += [PARENT_OF[code]] if code in PARENT_OF else []
    with database_at(demo.centre(code) / "centre.db") as database:
        ledger = SqlLedger(database)
        return {other: neighbour_balance(ledger, other) for other in near}
