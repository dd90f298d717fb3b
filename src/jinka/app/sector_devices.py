"""What devices of a journey have: the list that all obey now, and the keys of their own authority."""

from __future__ import annotations

from jinka.app.sector_world import World
from jinka.issuer import MaintenanceHost
from jinka.terminal import BlockList
from jinka.terminal.records import FileAccess


def block_list(world: World) -> BlockList:
    """The list as it came down to every device."""
    return BlockList(version=len(world.blocked) + 1, entries=dict(world.blocked))


def uses_own(world: World, device: str, application: str) -> bool:
    """Whether a device has anything to do with these records: it names them, and they are its own sector's."""
    sector, found = world.device(device)
    named = (world.application_of(device), *found.also)
    return application in named and world.sector_of(application).name == sector.name


def maintenance_at(world: World, device: str, application: str) -> MaintenanceHost:
    """The key under which a device writes: its own authority's, even where the application is another's, whose part
    of the card refuses it then. Applications of one issuer have one key: between them stands the rule of devices.
    """
    own = world.application_of(device)
    if world.sector_of(own).issuer != world.sector_of(application).issuer:
        return world.maintenance(own)
    world.require_own(device, application)
    return world.maintenance(application)


def access_at(world: World, device: str, application: str) -> FileAccess | None:
    """The access key that a device proves before it reads: that of an application which is its own. For another's it
    has none, whatever it asks for: the card then refuses to read.
    """
    opened = world.profile(application).access_keys()
    if not opened or not uses_own(world, device, application):
        return None
    [key] = set(opened.values())
    return FileAccess(kid=key.kid, files=frozenset(opened), provider=world.access(application, key))
