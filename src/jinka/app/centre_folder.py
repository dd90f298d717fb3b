"""A centre's folder: made once, its children admitted, its registry loaded, its days closed; and what its rounds say.

::

    centre.toml       what the centre is told (`jinka.app.centre_config`, `jinka.app.centre_line`)
    keys/ custodians/ its own key store and, of a simulated centre, the shares that open it
    line/             its certificates (`jinka.app.centre_papers`)
    centre.db         registry, intake journal, ledger, parcels
    inbox/DAY/        what terminals deliver: NAME.records.parquet and NAME.batches.parquet; ``closed`` ends the day
    rounds/ arrived/  the rounds and what arrived for them (`jinka.app.centre_files`)
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.app.centre_config import FILE, read_config
from jinka.app.centre_papers import CentreName, LinePapers, request_line
from jinka.app.key_acts import Asked, hold, perform
from jinka.app.key_folder import KeyFolder
from jinka.app.keyring import CUSTODIANS, open_logged_keys, unlock_store
from jinka.app.options import TARIFF_DEFAULT
from jinka.app.parts_file import only
from jinka.app.workspace import Workspace
from jinka.clearing.tiers import Tier
from jinka.codec import Algorithm
from jinka.keys import KeyName, KeyService, Purpose, acts, city_factor
from jinka.keys.acts import Act, Done
from jinka.keys.ceremony import HMAC, SEALING
from jinka.keys.signing import ServiceSigner
from jinka.keys.store import KeyStore
from jinka.kit import Randomness, Refused, Usage
from jinka.node import file_errors, write_durable
from jinka.node.key_socket import connect_unix
from jinka.registry import Registry
from jinka.store import database_at, save_registry

SIGN_KEY = "sign/P-256/1"
CLOSED = "closed"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}")
_VERSIONS = {Purpose.PURCHASE: 3, Purpose.LOAD: 1, Purpose.TAC: 3, Purpose.MAINTENANCE: 1}
_FROM_ABOVE = (Purpose.PURCHASE,)


class CentreKeys(KeyService, Protocol):
    """What a centre asks of its key service beyond a day's verbs."""

    def sign(self, message: bytes, *, key: str) -> bytes: ...

    def public_key(self, *, key: str) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCentre:
    """What `make_centre` is asked for. ``parent`` is code and address; ``issuer`` and ``government`` a city's own."""

    tier: Tier
    code: str
    region: str
    zone: str
    first_date: dt.date
    participants: Sequence[str] = ()
    parent: tuple[str, str] | None = None
    listen: str = ""
    issuer: str = ""
    government: str = ""
    scheme: str = ""
    tariff: str = TARIFF_DEFAULT
    fees_bp: Mapping[str, int] = field(default_factory=dict)
    every_s: float = 1.0
    patience: int = 1
    answer_days: int = 3


def make_centre(folder: Path, asked: NewCentre) -> None:
    """Write a new folder's `centre.toml`; raises `Refused` where a centre is, `Usage` for what makes none."""
    path = folder / FILE
    if path.exists():
        raise Refused("a centre is here already", where=str(folder), fix="name another folder")
    text = _toml(asked)
    with file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durable(path, text.encode())
    try:
        read_config(folder)
    except BaseException:
        path.unlink()
        raise


def admit(folder: Path, code: str, *, centres: Sequence[str], participants: Sequence[str]) -> None:
    """Admit a child, for the centres and participants below it; raises `Refused` or `Usage`."""
    config = read_config(folder)
    if code in config.around.children:
        raise Refused("is a child already", where=f"centre {code}")
    row = f"\n[[child]]\ncode = {_quoted(code)}\ncentres = {_list([code, *centres])}\n"
    row += f"participants = {_list(participants)}\n"
    path = folder / FILE
    before = path.read_bytes()
    write_durable(path, before + row.encode())
    try:
        read_config(folder)
    except BaseException:
        write_durable(path, before)
        raise


def hold_simulated(
    folder: Path, *, date: str, randomness: Randomness | None = None, purchase_from: Path | None = None
) -> None:
    """A ceremony whose shares all lie in the folder: for a demonstration, and marked as simulated.

    A city's purchase roots come from the nation's store, which is opened for it beside; between real centres they
    travel as key orders (docs/key-ceremonies.md).
    """
    config, room = read_config(folder), KeyFolder(folder)
    places = tuple(room.place(name) for name in CUSTODIANS)
    issuer = config.city.issuer if config.city else f"centre.{config.around.code}"
    hold(
        room,
        Asked(
            issuer=issuer,
            places=places,
            needed=2,
            date=date,
            simulated=True,
            names=_names(config.around.tier),
        ),
        randomness=randomness,
    )
    if purchase_from is None:
        return
    above = unlock_store(Workspace(purchase_from)).store
    shared = {name: value for name, value in above.roots.items() if name.purpose in _FROM_ABOVE}

    def take_over(store: KeyStore, _: Randomness) -> Done:
        for name, value in shared.items():
            store = acts.add(store, name, value).store
        return Done(store=store, touched=tuple(shared))

    perform(room, Act.ADD, places[:2], take_over, date=date, randomness=randomness)


@contextmanager
def centre_keys(folder: Path, region: str) -> Iterator[CentreKeys]:
    """The centre's own key service: in process with its audit log, or the one behind ``[keys] socket``.

    Raises `Refused` when the service is another city's.
    """
    with file_errors(folder / FILE):
        given = tomllib.loads((folder / FILE).read_text(encoding="utf-8")).get("keys", {})
    only(given, {"socket", "caller"}, "keys", "docs/federation.md")
    if given:
        remote = connect_unix(
            folder / str(given.get("socket", "")), caller=str(given.get("caller", "centre"))
        )
        if remote.city_factor8 != city_factor(region):
            remote.close()
            raise Refused(
                "the key service is another city's", where="keys.socket", fix=f'region = "{region}"'
            )
        keys: KeyService = remote
    else:
        keys = open_logged_keys(Workspace(folder), region, log=folder / "keys" / "audit-centre.jsonl")
    try:
        yield cast(CentreKeys, keys)
    finally:
        keys.close()


def signer_of(keys: CentreKeys) -> ServiceSigner:
    """The centre's signing key; the private half stays behind the verb."""
    return ServiceSigner(service=keys, key=SIGN_KEY)


def request_papers(folder: Path, name: CentreName, *, renew: bool = False) -> LinePapers:
    """Write the requests for the centre's certificates; to ``renew``, with a new TLS key beside the one in use."""
    with centre_keys(folder, read_config(folder).region) as keys:
        return request_line(folder, name, signer_of(keys), renew=renew)


def load_registry_files(folder: Path, source: Path) -> dict[str, int]:
    """Replace a city's registry by Parquet files, one a table; the number of rows of each."""
    read_config(folder)
    tables = {}
    for name, schema in Registry.SCHEMAS.items():
        path = source / f"{name}.parquet"
        with file_errors(path):
            try:
                found = pq.read_table(path)
                tables[name] = found.select(schema.names).cast(schema)
            except (pa.ArrowException, KeyError, ValueError) as problem:
                raise Usage(f"is no table of {name}: {problem}", where=str(path)) from None
    with database_at(folder / "centre.db") as database:
        save_registry(database, Registry(**tables))
    return {name: table.num_rows for name, table in tables.items()}


def close_day(folder: Path, date: dt.date) -> None:
    """Say that a day's deliveries are all in the inbox; raises `Refused` when a later day was closed."""
    config = read_config(folder)
    if config.city is None:
        raise Refused("terminals deliver to cities alone", where=str(folder))
    if date < config.first_date:
        raise Refused(f"its first business day is {config.first_date}", where=f"day {date}")
    later = [day for day in closed_days(folder) if day > date]
    if later and date not in closed_days(folder):
        raise Refused(f"{later[0]} was closed before", where=f"day {date}", fix="days are closed in order")
    write_durable(folder / "inbox" / date.isoformat() / CLOSED, b"")


def closed_days(folder: Path) -> list[dt.date]:
    """The days whose deliveries are all there."""
    return sorted(dt.date.fromisoformat(path.parent.name) for path in (folder / "inbox").glob(f"*/{CLOSED}"))


def uploads_of(folder: Path, date: dt.date) -> list[tuple[str, Path, Path]]:
    """What was delivered for a day: (name, records, batches), in the order of the names."""
    place = folder / "inbox" / date.isoformat()
    return [
        (
            path.name.removesuffix(".records.parquet"),
            path,
            path.with_name(path.name.replace(".records.", ".batches.")),
        )
        for path in sorted(place.glob("*.records.parquet"))
    ]


def _names(tier: Tier) -> tuple[KeyName, ...]:
    names = [*SEALING, KeyName.parse(SIGN_KEY)]
    if tier is Tier.CITY:
        names.append(KeyName(purpose=Purpose.BATCH_SEAL, algorithm=HMAC, version=1))
    for purpose, last in _VERSIONS.items():
        if (purpose in _FROM_ABOVE and tier is Tier.NATION) or (
            purpose not in _FROM_ABOVE and tier is Tier.CITY
        ):
            names += [
                KeyName(purpose=purpose, algorithm=algorithm.name, version=version)
                for algorithm in Algorithm
                for version in range(1, last + 1)
            ]
    return tuple(names)


def _toml(asked: NewCentre) -> str:
    lines = [
        "# What this centre is told: see docs/federation.md.",
        "[centre]",
        f'tier = "{asked.tier.value}"',
        f"code = {_quoted(asked.code)}",
        f"region = {_quoted(asked.region)}",
        f'zone = "{asked.zone}"',
        f'first_date = "{asked.first_date}"',
        f"participants = {_list(asked.participants)}",
        f"patience = {asked.patience}",
        f"answer_days = {asked.answer_days}",
    ]
    if asked.tier is Tier.CITY:
        fees = ", ".join(f"{name} = {value}" for name, value in asked.fees_bp.items())
        lines += [
            "", "[city]", f"issuer = {_quoted(asked.issuer)}", f"government = {_quoted(asked.government)}",
            f"scheme = {_quoted(asked.scheme)}", f"fees_bp = {{ {fees} }}",
            f"tariff = {_quoted(asked.tariff)}",
        ]  # fmt: skip
    lines += ["", "[line]", f"every_s = {asked.every_s}"]
    if asked.listen:
        lines.append(f'listen = "{asked.listen}"')
    if asked.parent is not None:
        lines += ["", "[parent]", f"code = {_quoted(asked.parent[0])}", f'url = "{asked.parent[1]}"']
    return "\n".join(lines) + "\n"


def _quoted(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise Usage(
            f"{code!r} is no code", where="centre", fix="letters, digits, dots and hyphens, at most 32"
        )
    return f'"{code}"'


def _list(codes: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(code) for code in sorted(set(codes))) + "]"


def summary(folder: Path) -> dict[str, Any]:
    """The folder's own words about itself."""
    config = read_config(folder)
    return {
        "code": config.around.code, "tier": config.around.tier.value, "parent": config.around.parent,
        "children": sorted(config.around.children), "participants": sorted(config.around.participants),
    }  # fmt: skip
