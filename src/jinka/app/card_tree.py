"""`jinka card tree`: the files of an application with who may read and write them, declared or as a card has them.

Access rights are said in words (FMCOS 2.0 user manual: XY, allowed when Y <= security register <= X). The declared tree
is also the one of the pages in docs/cards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jinka.app.card_files import declared_profiles
from jinka.card import CardOs
from jinka.card.files import STATE, File, body_size
from jinka.profile import FREE, NEVER, ApplicationProfile, FileKind, FileSpec, FolderSpec
from jinka.sectors import bank

KIND_WORDS: dict[FileKind, tuple[str, str]] = {
    FileKind.BINARY: ("binary", "二进制"),
    FileKind.FIXED: ("fixed records", "定长记录"),
    FileKind.VARIABLE: ("variable records", "变长记录"),
    FileKind.CYCLIC: ("cyclic records", "循环记录"),
    FileKind.PURSE: ("purse", "钱包"),
    FileKind.FOLDER: ("folder", "目录"),
    FileKind.KEY: ("keys", "密钥"),
    FileKind.SECRET: ("hidden bytes", "隐藏数据"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One file: identifier, what it is, its size in the card's memory, and its access rights as bytes."""

    fid: int
    kind: FileKind
    size: int
    read: int
    write: int
    mac: bool = False
    encrypted: bool = False
    name: bytes = b""
    title_en: str = ""
    title_zh: str = ""
    state: str = ""
    children: tuple[Node, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data, hex for bytes, the rights in words too."""
        return {
            "fid": f"{self.fid:04X}",
            "kind": KIND_WORDS[self.kind][0],
            "name": self.name.hex().upper(),
            "read": read_words(self)[0],
            "write": write_words(self)[0],
            "size": self.size,
            "title_en": self.title_en,
            "title_zh": self.title_zh,
            "state": self.state,
            "children": [child.as_dict() for child in self.children],
        }

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """This file and all below it, with their depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


def right_words(right: int) -> tuple[str, str]:
    """An access right in English and Chinese."""
    low, high = right & 0x0F, right >> 4
    if right == FREE or (low == 0 and high == 0x0F):
        return "free", "自由"
    if right == NEVER or low > high:
        return "never", "禁止"
    return f"level {low} to {high}", f"安全状态 {low} 至 {high}"


def read_words(node: Node) -> tuple[str, str]:
    """The right to read; what is hidden is never read, and the right is the one to let the card use it."""
    # in the place of a key file's right stands the short name of its folder
    english, chinese = right_words(NEVER if node.kind is FileKind.KEY else node.read)
    return (f"use: {english}", f"使用：{chinese}") if node.kind is FileKind.SECRET else (english, chinese)


def write_words(node: Node) -> tuple[str, str]:
    """The right to write with what secure messaging adds to it."""
    english, chinese = right_words(node.write)
    if english == "never":
        return english, chinese
    if node.encrypted:
        return f"{english}, enciphered with MAC", f"{chinese}，加密并带 MAC"
    return (f"{english}, with MAC", f"{chinese}，带 MAC") if node.mac else (english, chinese)


def declared_tree(profile: ApplicationProfile) -> Node:
    """The tree that a profile declares."""
    inner = {folder.fid: folder for folder in profile.folders}

    def below(fid: int) -> tuple[Node, ...]:
        files = tuple(_declared(spec) for spec in profile.files if spec.folder == fid)
        folders = tuple(
            Node(
                fid=folder.fid,
                kind=FileKind.FOLDER,
                size=0,
                read=folder.create_right,
                write=NEVER,
                name=folder.name,
                title_en=folder.title_en,
                title_zh=folder.title_zh,
                children=below(folder.fid),
            )
            for folder in inner.values()
            if folder.parent == fid
        )
        return files + folders

    return Node(
        fid=profile.fid,
        kind=FileKind.FOLDER,
        size=0,
        read=NEVER,
        write=NEVER,
        name=profile.aid,
        title_en=profile.title_en,
        title_zh=profile.title_zh,
        children=below(0),
    )


def _declared(spec: FileSpec) -> Node:
    return Node(
        fid=spec.fid,
        kind=spec.kind,
        size=body_size(spec.kind, spec.size, spec.records, spec.record_length),
        read=spec.read_right,
        write=spec.write_right,
        mac=spec.mac_required,
        title_en=spec.title_en,
        title_zh=spec.title_zh,
    )


def card_tree(card: CardOs) -> Node:
    """The tree that a card really has, found in its memory; titles where an application declared here has them."""
    return _found(card, card.directory.root, None)


_STATES = {0: "open", 1: "in use", 2: "blocked", 3: "blocked for good"}
STATES_ZH = {"open": "开放", "in use": "使用中", "blocked": "锁定", "blocked for good": "永久锁定"}
_DIRECTORY = 0x0001  # in the root: EMV Book 1, 12.2, the file of 1PAY.SYS.DDF01


def _found(card: CardOs, file: File, profile: ApplicationProfile | None) -> Node:
    if file.kind is FileKind.FOLDER and file.name:
        known = (*declared_profiles().values(), bank.ENVIRONMENT)
        profile = next((p for p in known if p.aid == file.name), profile)
    english, chinese = _titles(file, profile)
    children = sorted(file.children.values(), key=lambda child: (child.kind is FileKind.FOLDER, child.header))
    folder = file.kind is FileKind.FOLDER
    return Node(
        fid=file.fid,
        kind=file.kind,
        size=0 if folder else file.size,
        read=file.read,
        write=file.write,
        mac=file.mac,
        encrypted=file.encrypted,
        name=file.name,
        title_en=english,
        title_zh=chinese,
        state=_STATES.get(card.nvm.memory[file.header + STATE], "") if folder else "",
        children=tuple(_found(card, child, profile) for child in children),
    )


def _titles(file: File, profile: ApplicationProfile | None) -> tuple[str, str]:
    if profile is None:
        if file.parent is None:
            return "root folder", "主控目录"
        directory = file.fid == _DIRECTORY and file.kind is FileKind.VARIABLE
        return ("directory of applications", "应用目录") if directory else ("", "")
    if file.name == profile.aid:
        return profile.title_en, profile.title_zh
    specs: tuple[FileSpec | FolderSpec, ...] = (*profile.files, *profile.folders)
    return next(((spec.title_en, spec.title_zh) for spec in specs if spec.fid == file.fid), ("", ""))
