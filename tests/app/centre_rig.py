"""Centres in one process: a road of folders between them, cities with keys of their own, and one day of travel."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jinka.app.centre_city import City, close_intake
from jinka.app.centre_config import FILE, CentreConfig, parse_config
from jinka.app.centre_files import Arrived, RoundFiles
from jinka.app.centre_rounds import Centre
from jinka.app.settle_centre import parties_of
from jinka.app.settle_file import invented_details
from jinka.clearing import ClearingParams, ClearingTables, clear_day, tariff_prices
from jinka.codec.parcel import Kind
from jinka.keys import KeyStore, Purpose, SoftKeyService, hold_ceremony, open_store
from jinka.keys.port import TacStatus
from jinka.registry import Registry, Role
from jinka.sectors.shenzhen_tariff import SHENZHEN_2018
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.sim.randomness import SeededRandomness
from jinka.sim.travel import CITIES, SCHEME, ZONE, TravelCity, TravelDay, TravelField
from jinka.store import DuckEngine, SqlLedger, open_database, save_registry
from jinka.terminal.batching import batch_id, close_batches
from tests.databases import empty_database

DATE = dt.date(2018, 9, 3)
NEXT, THIRD = DATE + dt.timedelta(days=1), DATE + dt.timedelta(days=2)
TWO = (CITIES[0], CITIES[2])  # under different provinces
PARENTS = {"4403": "44", "4401": "44", "3201": "32", "3205": "32", "44": "00", "32": "00", "00": ""}


class FolderRoad:
    """Parcels as folders. ``cut`` holds back what goes over a line; ``twice`` lets everything arrive again."""

    def __init__(self, root: Path, code: str) -> None:
        self.root, self.code = root, code
        self.problems: list[str] = []

    def send(self, receiver: str, kind: Kind, date: dt.date, tables: Mapping[str, pa.Table]) -> None:
        place = self.root / f"{self.code}-{receiver}" / f"{kind.value}-{date}"
        if not place.exists():
            half = place.with_name(f".{place.name}")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir(parents=True)
            for name, table in tables.items():
                pq.write_table(table, half / f"{name}.parquet")
            half.rename(place)

    def ready(self) -> list[Arrived]:
        found = []
        for place in sorted(self.root.glob(f"*-{self.code}/*-????-??-??")):
            if (place / "done").exists() or (place.parent / "cut").exists():
                continue
            sender = place.parent.name.split("-")[0]
            kind, _, date = place.name.partition("-")
            if (place.parent / f"cut {kind}").exists():
                continue
            files = {path.stem: path for path in place.glob("*.parquet")}
            found.append(
                Arrived(
                    sender=sender,
                    kind=Kind(kind),
                    date=dt.date.fromisoformat(date),
                    files=files,
                    label=str(place),
                    released=(place / "released").exists(),
                )
            )
        return sorted(found, key=lambda each: (each.sender, each.kind.value, each.date))

    def applied(self, parcel: Arrived) -> None:
        (Path(parcel.label) / "done").touch()

    def parked(self, parcel: Arrived, problem: Exception) -> None:
        self.problems.append(f"{parcel.sender} {parcel.kind.value}: {problem}")
        self.applied(parcel)


def stores(cities: tuple[TravelCity, ...]) -> dict[str, KeyStore]:
    """A store of each issuer; the purchase roots alone are the nation's."""
    made = {}
    for city in cities:
        ceremony = hold_ceremony(
            issuer=city.issuer, date="2018-01-01", custodians=("a", "b", "c"), simulated=True,
            randomness=SeededRandomness(f"rig|{city.code}"),
        )  # fmt: skip
        made[city.code] = open_store(ceremony.sealed, list(ceremony.shares))
    nation = made[cities[0].code]
    shared = {name: value for name, value in nation.roots.items() if name.purpose is Purpose.PURCHASE}
    lines = {name: nation.records[name] for name in shared}
    return {
        code: dataclasses.replace(store, roots=store.roots | shared, records=store.records | lines)
        for code, store in made.items()
    }


def services(cities: tuple[TravelCity, ...]) -> dict[str, SoftKeyService]:
    found = stores(cities)
    return {code: SoftKeyService(store, region=code) for code, store in found.items()}


def travel(
    keys: Mapping[str, SoftKeyService], cities=CITIES, *, riders: int = 12, seed: int = 1
) -> list[TravelDay]:
    field = TravelField(
        cities, keys, riders=riders, seed=seed, date=DATE, tariff=SHENZHEN_2018, profile=PROFILE
    )
    return field.play()


def city_config(city: TravelCity, parent: str, tariff: str = "", **changes: object) -> CentreConfig:
    return parse_config(
        {
            "centre": {
                "tier": "city", "code": city.code, "region": city.code, "zone": ZONE, "first_date": str(DATE),
                "participants": sorted(city.participants), **changes,
            },
            "city": {
                "issuer": city.issuer, "government": city.government, "scheme": SCHEME,
                "fees_bp": {"scheme": 20, "issuer": 10, "acquirer": 20}, **({"tariff": tariff} if tariff else {}),
            },
            "parent": {"code": parent, "url": "https://127.0.0.1:1"},
        }
    )  # fmt: skip


def upper_config(
    code: str, children: Mapping[str, tuple[list[str], list[str]]], parent: str = "", **changes: object
):
    return parse_config(
        {
            "centre": {
                "tier": "province" if parent else "nation", "code": code, "region": "110000", "zone": ZONE,
                "first_date": str(DATE), "participants": [] if parent else [SCHEME], **changes,
            },
            "child": [
                {"code": child, "centres": centres, "participants": parties}
                for child, (centres, parties) in children.items()
            ],
        }
        | ({"parent": {"code": parent, "url": "https://127.0.0.1:1"}} if parent else {})
    )  # fmt: skip


class Federation:
    """Cities under provinces under a nation; ``provinces`` are the codes of those with more than one tier above."""

    def __init__(
        self,
        root: Path,
        keys,
        days: list[TravelDay],
        *,
        parents: Mapping[str, str] = PARENTS,
        **changes: object,
    ) -> None:
        self.root, self.parents = root, parents
        self.days = {day.city.code: day for day in days}
        self.keys = keys
        codes = list(self.days)
        self.configs: dict[str, CentreConfig] = {
            code: city_config(self.days[code].city, parents[code], **changes) for code in codes
        }
        provinces: dict[str, dict[str, tuple[list[str], list[str]]]] = {}
        for code in codes:
            provinces.setdefault(parents[code], {})[code] = ([code], [self.days[code].city.issuer])
        for code, children in provinces.items():
            self.configs[code] = upper_config(code, children, "00", **changes)
        below = {
            code: (
                [code, *children],
                [party for _, parties in children.values() for party in parties],
            )
            for code, children in provinces.items()
        }
        self.configs["00"] = upper_config("00", below, **changes)
        self.engines: dict[str, object] = {}
        self.centres = {code: self.centre(code) for code in self.configs}
        for code, day in self.days.items():
            save_registry(self.engines[code], day.registry)

    def centre(self, code: str) -> Centre:
        """The centre anew, as after a restart."""
        folder = self.root / code
        if code not in self.engines:
            if not (place := folder / "centre.db").exists():
                empty_database(place)
            self.engines[code] = open_database(place)
        engine, config = self.engines[code], self.configs[code]
        city = None
        if code in self.days:
            city = City(
                folder=folder, config=config, database=engine, keys=self.keys[code],
                registry=self.days[code].registry,
            )  # fmt: skip
        return Centre(
            folder=folder,
            config=config,
            road=FolderRoad(self.root / "road", code),
            ledger=SqlLedger(engine),
            city=city,
        )

    def close(self, date: dt.date = DATE, *codes: str, empty: bool = False) -> None:
        """Take in the deliveries of cities and close their day."""
        for code in codes or self.days:
            uploads = []
            for name, records, batches in () if empty else self.days[code].deliveries:
                paths = [self.root / f"{name}.{kind}.parquet" for kind in ("records", "batches")]
                pq.write_table(records, paths[0])
                pq.write_table(batches, paths[1])
                uploads.append((name, *paths))
            city = self.centres[code].city
            assert city is not None
            close_intake(city, date, uploads)

    def run(self, *codes: str) -> None:
        """Let centres go on until nothing moves."""
        moving = True
        while moving:
            moving = False
            for code in codes or self.centres:
                moving = self.centres[code].advance() or moving

    def cut(self, sender: str, receiver: str, kind: str = "", *, cut: bool = True) -> None:
        """Hold back a line, or one stream of it."""
        mark = self.root / "road" / f"{sender}-{receiver}" / f"cut {kind}".strip()
        mark.parent.mkdir(parents=True, exist_ok=True)
        if cut:
            mark.touch()
        else:
            mark.unlink(missing_ok=True)

    def release(self, place: Path) -> None:
        """Let a parcel that was parked come again, as an officer does."""
        (place / "released").touch()
        (place / "done").unlink()

    def settled(self, code: str, date: dt.date = DATE) -> dict:
        return json.loads((self.root / code / "rounds" / str(date) / "settled.json").read_text())

    def end(self) -> None:
        for engine in self.engines.values():
            engine.dispose()


class AllKeys:
    """A key service that holds every issuer's roots: what no centre has."""

    def __init__(self, keys: Any) -> None:
        self._keys = keys

    def verify_tacs(self, batch: pa.RecordBatch) -> pa.Array:
        answers = [service.verify_tacs(batch).to_pylist() for service in self._keys.values()]
        mine = [
            next((one for one in each if one != TacStatus.NO_KEY), each[0])
            for each in zip(*answers, strict=True)
        ]
        return pa.array(mine, pa.uint8())


def flat(fed: Federation, keys: Any, days: list[TravelDay], folder: Path) -> Any:
    """One centre that sees everything."""
    tables = [
        pq.read_table(path)
        for day in days
        for path in sorted((fed.root / day.city.code / "intake").glob("accepted-*"))
    ]
    renumbered, base = [], 0
    for table in tables:
        ids = pa.array([number + base for number in table["record_id"].to_pylist()], pa.int64())
        renumbered.append(table.set_column(table.schema.get_field_index("record_id"), "record_id", ids))
        base += 1 << 40
    pq.write_table(pa.concat_tables(renumbered).sort_by("record_id"), folder / "all.parquet")
    begin = dt.datetime.combine(DATE, dt.time())
    params = ClearingParams(
        business_date=DATE, window_from=begin, window_to=begin + dt.timedelta(days=1), purse_limit=100_000,
        zone="Asia/Shanghai",
    )  # fmt: skip
    with DuckEngine() as engine:
        registry = {
            name: engine.arrow(name, pa.concat_tables([getattr(day.registry, name) for day in days]))
            for name in Registry.SCHEMAS
        }
        city = fed.configs[days[0].city.code].city
        assert city is not None
        return clear_day(
            engine, ClearingTables(records=engine.parquet([folder / "all.parquet"]), **registry), params,
            keys=AllKeys(keys), explain=tariff_prices(SHENZHEN_2018, {Role.GOVERNMENT: "gov"}), fees=city.fees,
            out=str(folder / "flat"),
        )  # fmt: skip


@contextlib.contextmanager
def federation(root: Path, keys: Any, days: list[TravelDay], **changes: object) -> Iterator[Federation]:
    made = Federation(root, keys, days, **changes)
    try:
        yield made
    finally:
        made.end()


def flows(fed: Federation, code: str, date: dt.date = DATE) -> list[Any]:
    return RoundFiles(fed.root / code, date).noted("paid")["flows"]


def ledger(fed: Federation, code: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(fed.root / code / "centre.db")) as database:
        return database.execute("SELECT * FROM ledger_transfers ORDER BY seq").fetchall()


def codes(fed: Federation, code: str, date: dt.date = DATE) -> Counter[str]:
    return Counter(finding["code"] for finding in fed.settled(code, date)["findings"])


def settle_fields(fed: Federation, code: str) -> tuple[bool, bool]:
    found = fed.settled(code)
    return found["trial"]["balances"], found["proof"]["holds"]


def odd_card(day: TravelDay) -> bytes:
    """A foreign card that was used on this day."""
    records = day.deliveries[0][1]
    found = records.filter(pc.equal(records["issuer"], TWO[1].issuer))["card_no"].to_pylist()
    assert found
    return min(found)


def next_day(day: TravelDay, card: bytes, keys: Any) -> tuple[pa.Table, pa.Table]:
    """One tap of the card, moved to the next day, in a batch with its seal."""
    records = day.deliveries[0][1]
    row = (
        records.filter(pc.equal(records["card_no"], pa.scalar(card, pa.binary(10))))
        .slice(0, 1)
        .to_pylist()[0]
    )
    name = batch_id(row["terminal_id"], 9)
    row |= {
        "batch": name,
        "batch_seq": 0,
        "business_date": NEXT,
        "local_date": bytes.fromhex(f"{NEXT:%Y%m%d}"),
    }
    table = pa.Table.from_pylist([row], schema=records.schema)
    return table, close_batches(table, {name: (row["terminal_id"], 9)}, keys[day.city.code])


def require_books(fed: Federation, *, findings: bool = True) -> None:
    """Every round of every centre balances, and the money behind the cards is all there."""
    for code in fed.configs:
        for summary in fed.centres[code].settled():
            assert summary["trial"]["balances"]
            assert summary["proof"]["holds"]
            assert findings or not [one for one in summary["findings"] if one["severity"] == "error"]


def centre_folder(fed: Federation, code: str, place: Path) -> Path:
    """What offices read of a centre's folder; the rig keeps its configurations in memory."""
    around = fed.configs[code].around
    words = [
        f'[centre]\ntier = "{around.tier.value}"\ncode = "{code}"\nregion = "110000"\nzone = "{ZONE}"',
        f'first_date = "{DATE}"\nparticipants = {sorted(around.participants)}',
        f'[parent]\ncode = "{around.parent}"\nurl = "https://127.0.0.1:1"' if around.parent else "",
    ]
    if fed.configs[code].city is not None:
        words.append(
            f'[city]\nissuer = "issuer.{code}"\ngovernment = "gov.{code}"\nscheme = "{SCHEME}"\nfees_bp = {{}}'
        )
    words += [
        f'[[child]]\ncode = "{child.code}"\ncentres = {sorted(child.centres)}\n'
        f"participants = {sorted(child.participants)}"
        for child in around.children.values()
    ]
    place.mkdir()
    (place / FILE).write_text("\n".join(words) + "\n")
    (place / "settle.toml").write_text(invented_details(parties_of(fed.configs[code])))
    for name in ("rounds", "outcomes"):
        if (fed.root / code / name).is_dir():
            shutil.copytree(fed.root / code / name, place / name)
    for part in (fed.root / code).glob("centre.db*"):  # with what SQLite has not yet moved into it
        shutil.copy(part, place / part.name)
    return place
