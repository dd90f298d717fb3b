#!/usr/bin/env python3
"""Write docs/cards: a page for each declared application, with its files, keys, commands and state machines.

Everything comes from the declarations in `jinka.sectors` and the tables in `jinka.card`, but for two machines that the
card has in its code and in no table: those stand here, and tests/cli/test_card_docs.py drives a card through each of
their moves. With --check nothing is written, and a page that differs is named (exit code 1).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from jinka.app.card_samples import sample_card
from jinka.app.card_tree import KIND_WORDS, declared_tree, read_words, right_words, write_words
from jinka.card import Psam, domains, emv, purse
from jinka.card.cos import CARD_TABLE
from jinka.card.emv_data import Stage
from jinka.card.globalplatform import SecurityDomain
from jinka.codec import Command, TransactionType
from jinka.profile import ApplicationKind, ApplicationProfile, FileKind, KeySpec, KeyUse
from jinka.sectors import PROFILES

FOLDER = Path(__file__).parents[1] / "docs" / "cards"
_MADE = "<!-- made by scripts/make_card_docs.py from the declarations; do not edit -->"
_PASSBOOK_FILE = 0x0001
_STEPS = {  # the command that concludes a transaction, by the step that `jinka.card.purse` waits for
    purse.Step.CREDIT: "CREDIT FOR LOAD",
    purse.Step.DEBIT: "DEBIT FOR PURCHASE",
    purse.Step.CASH: "DEBIT FOR CASH WITHDRAWAL",
    purse.Step.UNLOAD: "DEBIT FOR UNLOAD",
    purse.Step.LIMIT: "UPDATE OVERDRAFT LIMIT",
}

FOLDER_MOVES = (
    ("open", "SELECT another folder", "in use"),
    ("in use", "84 1E 00 00 APPLICATION BLOCK", "blocked"),
    ("in use", "84 1E 00 01 APPLICATION BLOCK", "blocked for good"),
    ("blocked", "84 18 APPLICATION UNBLOCK", "in use"),
)
GREY_MOVES = (
    ("not grey", "GREY LOCK, right MAC1", "grey"),
    ("grey", "DEBIT FOR UNLOCK, right GMAC", "TAC unread"),
    ("grey", "GREY UNLOCK, right MAC2 of the issuer", "not grey"),
    ("grey", "two wrong GMACs", "grey"),
    ("grey", "power off and on", "grey"),
    ("TAC unread", "GET LOCK PROOF, P1 01", "not grey"),
    ("TAC unread", "GREY LOCK, right MAC1", "grey"),
)


def pages() -> dict[str, str]:
    """File name to text."""
    found = {f"{profile.name}.md": _application(profile) for profile in PROFILES}
    found["security-domains.md"] = _domains()
    found["psam.md"] = _psam()
    found["index.md"] = _index()
    return found


def _index() -> str:
    rows = [(f"[{p.title_en}]({p.name}.md)", p.title_zh, p.aid.hex().upper(), p.authority) for p in PROFILES]
    return _page(
        "Card applications",
        "卡片应用",
        "What Jinka's cards carry, one page for each application that a sector declares.",
        _table(("application", "应用", "AID", "authority"), rows),
        "Beside them: [security domains](security-domains.md) and the [purchase security module](psam.md).",
    )


def _application(profile: ApplicationProfile) -> str:
    facts = [
        ("name", f"`{profile.name}`, version {profile.version}"),
        ("AID", f"`{profile.aid.hex().upper()}`, folder {profile.fid:04X}"),
        ("authority", profile.authority),
        ("standards", ", ".join(profile.standards)),
    ]
    if profile.purse is not None:
        spec = profile.purse
        facts.append(("purse", f"{spec.unit.code}, at most {spec.limit:,}"))
    personal = ", ".join(f"{datum.value} ({fid:04X})" for fid, datum in profile.personal)
    if personal:
        facts.append(("personal data", personal))
    return _page(
        profile.title_en,
        profile.title_zh,
        _table(("", ""), facts),
        "## Files 文件\n\nA right *level a to b* holds while the security register is from a to b.",
        _files(profile),
        "## Keys 密钥" if profile.keys else "",
        _keys(profile.keys) if profile.keys else "",
        "## State machines 状态机",
        *_machines(profile),
        "## Commands of its own 自有命令" if _own_commands(profile) else "",
        _own_commands(profile),
        "The commands of every card are listed with the [security module](psam.md)'s.",
    )


def _files(profile: ApplicationProfile) -> str:
    rows = []
    for depth, node in declared_tree(profile).walk():
        folder = node.kind is FileKind.FOLDER
        rows.append(
            (
                "&emsp;" * depth + f"`{node.fid:04X}`",
                f"{node.title_en} {node.title_zh}" + (f" `{node.name.hex().upper()}`" if folder else ""),
                " ".join(KIND_WORDS[node.kind]),
                "" if folder else str(node.size),
                "" if folder else " ".join(read_words(node)),
                "" if folder else " ".join(write_words(node)),
            )
        )
    return _table(
        ("file 文件", "what 内容", "kind 类型", "bytes 字节", "read or use 读取", "write 写入"), rows
    )


def _keys(keys: Iterable[KeySpec]) -> str:
    rows = [
        (
            key.use.name.lower().replace("_", " "),
            f"`{key.use:02X}`",
            str(key.kid),
            f"{key.folder:04X}" if key.folder else "",
            key.algorithm.name,
            right_words(key.use_right)[0],
            str(key.tries),
            str(key.state_after) if key.use in (KeyUse.PIN, KeyUse.EXTERNAL_AUTHENTICATE) else "",
        )
        for key in keys
    ]
    head = (
        "use 用途",
        "type",
        "index",
        "folder",
        "algorithm",
        "may be used 使用权",
        "tries 次数",
        "level after",
    )
    return _table(head, rows)


def _machines(profile: ApplicationProfile) -> Iterator[str]:
    if profile.purse is not None:
        yield "A transaction: begun by INITIALIZE, concluded by the other side's MAC, dropped by any other command."
        yield _mermaid(_purse_moves(profile))
    if profile.purse is not None and profile.purse.grey is not None:
        yield "The grey lock: it lasts without power, and while it stands neither load nor purchase is possible."
        yield _mermaid(GREY_MOVES)
    if profile.application is ApplicationKind.EMV:
        yield "A debit or credit transaction: which command each stage allows."
        yield _mermaid(_emv_moves())
    for folder in dict.fromkeys(key.folder for key in profile.keys):
        moves = list(_security_moves(key for key in profile.keys if key.folder == folder))
        if moves:
            where = f" of folder {folder:04X}" if folder else ""
            yield f"The security register{where}: what raises it, and what is left after wrong tries."
            yield _mermaid(moves)
    yield "The folder: open until it is first left, then its access rights hold."
    yield _mermaid(FOLDER_MOVES)


def _purse_moves(profile: ApplicationProfile) -> Iterator[tuple[str, str, str]]:
    has_passbook = any(spec.fid == _PASSBOOK_FILE and spec.kind is FileKind.PURSE for spec in profile.files)
    ends = {}
    for (p1, p2), kind in purse._INITIALIZE.items():
        if p2 == purse.PASSBOOK and not has_passbook:
            continue
        name = TransactionType(kind.type).name.lower().replace("_", " ")
        state = f"begun {kind.type:02X}"
        yield "idle", f"INITIALIZE {p1:02X} {p2:02X} ({name})", state
        ends[state] = _STEPS[kind.step]
    for state, step in ends.items():
        yield state, f"{step}, right MAC", "idle"
        yield state, "wrong MAC or another command", "idle"


def _emv_moves() -> Iterator[tuple[str, str, str]]:
    after = {(0x80, 0xA8): {Stage.SELECTED: Stage.INITIATED}}
    for name, stages in emv.STAGES.items():
        for stage in sorted(stages, key=lambda stage: list(Stage).index(stage)):
            targets = after.get(name, {}).get(stage, stage)
            label = f"{name[0]:02X} {name[1]:02X} {_title(_handler(emv.EmvApplet.table, name))}"
            if name == (0x80, 0xAE):  # the first may ask to go online, the second ends
                if stage is Stage.INITIATED:
                    yield stage.value, f"{label}, ARQC", Stage.ONLINE.value
                yield stage.value, f"{label}, TC or AAC", Stage.COMPLETED.value
            elif name == (0x80, 0xA8):
                yield stage.value, label, targets.value
                yield stage.value, f"{label}, qPBOC offline", Stage.PAYING.value
                yield stage.value, f"{label}, qPBOC online", Stage.ONLINE.value
                yield stage.value, f"{label}, qPBOC declined", Stage.COMPLETED.value
            else:
                yield stage.value, label, targets.value
    yield Stage.PAYING.value, "00 B2 READ RECORD, the last one: the debit", Stage.COMPLETED.value


def _security_moves(keys: Iterable[KeySpec]) -> Iterator[tuple[str, str, str]]:
    for key in keys:
        if key.use not in (KeyUse.PIN, KeyUse.EXTERNAL_AUTHENTICATE):
            continue
        command = "VERIFY PIN" if key.use is KeyUse.PIN else "EXTERNAL AUTHENTICATE"
        yield "level 0", f"{command}, key {key.kid}", f"level {key.state_after}"
        yield "level 0", f"{key.tries} wrong with key {key.kid}", f"key {key.kid} locked"


def _domains() -> str:
    life = [
        (state.name.lower(), move.value, (target.name.lower() if target is not None else "the state before"))
        for (state, move), target in domains.LIFE_MOVES.items()
    ]
    card = sorted(
        ((a.name.lower(), "SET STATUS", b.name.lower()) for a, b in domains.CARD_MOVES),
        key=lambda row: [life.name.lower() for life in domains.CardLife].index(row[0]),
    )
    return _page(
        "Security domains",
        "安全域",
        "Each authority loads, personalises, locks and removes its applications over a channel under its own keys "
        "(GlobalPlatform 2.3.1, SCP02 and SCP03).",
        "Names: the issuer declares with each domain (`FieldUpdate.make_domain`, later `grant`) with what its AIDs and "
        "its packages' and folders' names may begin; without a declaration with the domain's own AID alone.\n\n"
        "Channels: one counter for the whole card, in its head, rises with each channel and outlives every domain, so "
        "a recorded session opens nothing. SCP02 ends with the 65,535th channel of a card, those of SCP03 included.\n\n"
        "By hand: `jinka card domain new|list|install|lock|unlock|remove` on a card image (written back) or "
        "`--reader`. The domain is the issuer's under the test keys, or `--domain AID --domain-keys FILE`: a file "
        'of mode 0600, `{"version": 1, "enc": "…", "mac": "…", "dek": "…"}` in hex, SCP03 unless '
        '`"protocol": "scp02"`, with `"diversification"` none, visa2, emv or kdf3. What it installs holds '
        "nobody's data: filling it, making domains and changing their keys are `FieldUpdate`'s alone.\n\n"
        "At rest: `jinka issue` makes cards of one application, whose base is its template. For cards of several "
        "authorities make one specimen as all are made, for nobody and with keys of zeros, and give its memory to "
        "`ImageBase.of_specimen(name, version, memory)`, which wipes what secrets are left. Cards are `Card(nvm, "
        "randomness, base)`, images are read with `CardImage.from_bytes(raw, {base.id: base})`; keep the specimen's "
        "memory as long as its images. `jinka bench card` does so and prints how many bytes a card takes.",
        "## Life of an application or a domain 应用与安全域的生命周期",
        _mermaid(life),
        "## Life of the card 卡片的生命周期",
        _mermaid(card),
        "## Commands 命令",
        _commands(SecurityDomain.table),
    )


def _psam() -> str:
    return _page(
        "Purchase security module",
        "消费安全模块（PSAM）",
        "The terminal's module: it holds parent keys, makes MAC1, checks MAC2, and greys and releases fuel purses.",
        "## Commands of its own 自有命令",
        _commands({name: made for name, made in Psam.table.items() if CARD_TABLE.get(name) is not made}),
        "## Commands of every card 通用命令",
        _commands(CARD_TABLE),
    )


def _own_commands(profile: ApplicationProfile) -> str:
    if profile.application is ApplicationKind.NATIVE:
        return ""
    card = sample_card(profile.name)
    card.transmit(Command(0x00, 0xA4, 0x04, 0, profile.aid).build())
    return _commands(card.applet.table) if card.applet is not None else ""


def _commands(table: Mapping[tuple[int, int], object]) -> str:
    rows = [(f"`{cla:02X} {ins:02X}`", _sentence(made)) for (cla, ins), made in sorted(table.items())]
    return _table(("CLA INS", "what it does, as its code says"), rows)


def _handler(table: Mapping[tuple[int, int], object], name: tuple[int, int]) -> object:
    return table.get(name) or CARD_TABLE[name]


def _sentence(made: object) -> str:
    return " ".join((made.__doc__ or "").split("\n\n")[0].split()) or getattr(made, "__name__", "")


def _title(made: object) -> str:
    return str(getattr(made, "__name__", "")).replace("_", " ").upper()


def _mermaid(moves: Iterable[tuple[str, str, str]]) -> str:
    moves = list(moves)
    names = {
        state: f"s{number}"
        for number, state in enumerate(dict.fromkeys(s for a, _, b in moves for s in (a, b)))
    }
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state}" as {name}' for state, name in names.items()]
    lines.append(f"    [*] --> {names[moves[0][0]]}")
    lines += [f"    {names[a]} --> {names[b]}: {_label(label)}" for a, label, b in moves]
    return "\n".join([*lines, "```"])


def _label(text: str) -> str:
    """Mermaid ends a transition's label at a colon or a semicolon, and then understands nothing any more."""
    return text.replace(":", " ").replace(";", ",")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def _page(english: str, chinese: str, *parts: str) -> str:
    return "\n\n".join([f"# {english} {chinese}", _MADE, *(part for part in parts if part)]) + "\n"


def main() -> int:
    """Write the pages, or with --check name those that differ."""
    made, wrong = pages(), []
    if "--check" not in sys.argv[1:]:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
    for path in sorted(FOLDER.glob("*.md")):
        if made.pop(path.name, None) != path.read_text(encoding="utf-8"):
            wrong.append(path.name)
    wrong += made
    for name in wrong:
        print(f"docs/cards/{name} is not what the declarations say; run scripts/make_card_docs.py")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
