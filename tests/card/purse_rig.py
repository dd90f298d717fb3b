"""A card with passbook, purse and grey lock, and the other side's arithmetic written down from the standards' lists."""

from __future__ import annotations

from jinka.card import Card
from jinka.codec import Algorithm
from jinka.crypto import grey_session, load_session, mac4, purchase_session, tac_key
from jinka.profile import GreySpec
from tests.card.rig import OK, Scripted, application

KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
LOAD, BUY, TAC, UNLOAD, LIMIT, GREY, MAINTAIN, UNBLOCK, RELOAD = (
    bytes((n,)) * 8 + KEY[:8] for n in range(1, 10)
)
RAND = "A1A2A3A4"
TERMINAL = bytes.fromhex("440300000001")
MOMENT = bytes.fromhex("20180901083000")
PIN = "123456"
PASSBOOK_LOCK = GreySpec(lock_type=0x91, unlock_type=0x93, online_type=0x95)
PURSE_LOCK = GreySpec()
TDES = Algorithm.TDES


def keys(label: int = 0) -> list[str]:
    """WRITE KEY data of every use; ``label`` 04 for SM4."""
    two = f"{label:02X}"
    return [
        f"01 3F F0 EF 01 {two} {LOAD.hex()}",
        f"01 3E F0 EF 01 {two} {BUY.hex()}",
        f"00 34 F0 EF 01 {two} {TAC.hex()}",
        f"01 3D F0 EF 01 {two} {UNLOAD.hex()}",
        f"01 3C F0 EF 01 {two} {LIMIT.hex()}",
        f"01 3B F0 EF 01 {two} {GREY.hex()}",
        f"00 36 F0 EF {two if label else 'FF'} 33 {MAINTAIN.hex()}",
        f"00 37 F0 EF {two if label else 'FF'} 33 {UNBLOCK.hex()}",
        f"00 38 F0 EF {two if label else 'FF'} 33 {RELOAD.hex()}",
        f"00 3A F0 EF 01 33 {PIN}FF",
    ]


def card_with(
    *,
    balance: int = 5000,
    passbook: int = 5000,
    overdraft: int = 0,
    counters: str = "00000000",
    label: int = 0,
    passbook_lock: GreySpec = PASSBOOK_LOCK,
    purse_lock: GreySpec = PURSE_LOCK,
    seal: bool = True,
) -> Card:
    """Balances are what can be spent, the limit included."""
    start = counters + overdraft.to_bytes(3, "big").hex()
    content = [f"00D681000B{passbook:08X}{start}", f"00D682000B{balance:08X}{start}"]
    return application(
        Scripted(*[RAND] * 20),
        keys(label),
        content=content,
        grey=(passbook_lock.parameters, purse_lock.parameters),
        files=["0015 A8 0008 F0 F0 FFFF", "0017 E8 0008 F0 F0 FFFF"],
        seal=seal,
    )


def send(card: Card, head: str, data: bytes = b"", le: int | None = None) -> bytes:
    raw = bytes.fromhex(head) + (bytes((len(data),)) + data if data else b"")
    return card.transmit(raw if le is None else raw + bytes((le,)))


def verify(card: Card) -> None:
    assert send(card, "00200000", bytes.fromhex(PIN)) == OK


def balance(card: Card, which: int = 2) -> int:
    answer = send(card, f"805C00{which:02X}", le=4)
    assert answer[-2:] == OK
    return int.from_bytes(answer[:4], "big")


def tac(data: bytes, algorithm: Algorithm = TDES) -> bytes:
    return mac4(algorithm, tac_key(algorithm, TAC), data)


def load(card: Card, amount: int, which: int) -> bytes:
    """A whole load; the answer to CREDIT."""
    amount4, kind = amount.to_bytes(4, "big"), bytes((which,))
    opened = send(card, f"805000{which:02X}", b"\x01" + amount4 + TERMINAL, 16)
    if opened[-2:] != OK:
        return opened
    session = load_session(TDES, LOAD, opened[8:12], int.from_bytes(opened[4:6], "big"))
    mac2 = mac4(TDES, session, amount4 + kind + TERMINAL + MOMENT)
    return send(card, "80520000", MOMENT + mac2, 4)


def buy(card: Card, amount: int, which: int, *, p1: int = 1, kind: int | None = None) -> bytes:
    """A whole purchase (P1 01) or cash withdrawal (P1 02); the answer to DEBIT."""
    amount4 = amount.to_bytes(4, "big")
    type_ = bytes((kind if kind is not None else {1: 5, 2: 6}[which],))
    opened = send(card, f"8050{p1:02X}{which:02X}", b"\x01" + amount4 + TERMINAL, 15)
    if opened[-2:] != OK:
        return opened
    serial = bytes.fromhex("00000007")
    session = purchase_session(TDES, BUY, opened[11:15], int.from_bytes(opened[4:6], "big"), serial)
    mac1 = mac4(TDES, session, amount4 + type_ + TERMINAL + MOMENT)
    return send(card, f"8054{p1:02X}00", serial + MOMENT + mac1, 8)


SERIAL, TERMINAL_RAND = bytes.fromhex("00000009"), bytes.fromhex("B1B2B3B4")


def lock_session(algorithm: Algorithm = TDES, counter: int = 0) -> bytes:
    return grey_session(algorithm, GREY, bytes.fromhex(RAND), counter, SERIAL, TERMINAL_RAND)


def lock_command(
    card: Card, which: int = 2, spec: GreySpec = PURSE_LOCK, algorithm: Algorithm = TDES
) -> bytes:
    """INITIALIZE FOR GREY LOCK, then the GREY LOCK that is to be sent."""
    opened = send(card, f"E07A08{which:02X}", b"\x01" + TERMINAL, 15)
    assert opened[-2:] == OK, opened.hex()
    session = lock_session(algorithm, int.from_bytes(opened[4:6], "big"))
    mac1 = mac4(algorithm, session, bytes((spec.lock_type,)) + TERMINAL + MOMENT)
    return bytes.fromhex("E07C080013") + SERIAL + TERMINAL_RAND + MOMENT + mac1 + b"\x08"


def lock(card: Card, which: int = 2, spec: GreySpec = PURSE_LOCK, algorithm: Algorithm = TDES) -> bytes:
    return card.transmit(lock_command(card, which, spec, algorithm))


def debit_command(
    amount: int, *, which: int = 2, counter: int = 0, gmac: bytes | None = None, algorithm: Algorithm = TDES
) -> bytes:
    amount4 = amount.to_bytes(4, "big")
    proof = gmac if gmac is not None else mac4(algorithm, lock_session(algorithm, counter), amount4)
    data = amount4 + counter.to_bytes(2, "big") + TERMINAL + SERIAL + MOMENT + proof
    return bytes((0xE0, 0x7E, 0x08, which, len(data))) + data + b"\x04"


def release_command(card: Card, amount: int, spec: GreySpec = PURSE_LOCK, which: int = 2) -> bytes:
    """INITIALIZE FOR GREY UNLOCK with its MAC1 checked, then the issuer's GREY UNLOCK."""
    opened = send(card, f"E07A09{which:02X}", b"\x01" + TERMINAL, 18)
    assert opened[-2:] == OK, opened.hex()
    session = load_session(TDES, UNLOAD, opened[10:14], int.from_bytes(opened[6:8], "big"))
    head = bytes((spec.online_type,)) + TERMINAL
    assert opened[14:18] == mac4(TDES, session, opened[:6] + head)
    amount4 = amount.to_bytes(4, "big")
    mac2 = mac4(TDES, session, amount4 + head + MOMENT)
    return bytes.fromhex("E07E09000F") + amount4 + MOMENT + mac2 + b"\x04"


def unload_command(card: Card, amount: int) -> bytes:
    """INITIALIZE FOR UNLOAD with its MAC1 checked, then DEBIT FOR UNLOAD."""
    amount4 = amount.to_bytes(4, "big")
    opened = send(card, "80500501", b"\x01" + amount4 + TERMINAL, 16)
    assert opened[-2:] == OK, opened.hex()
    session = load_session(TDES, UNLOAD, opened[8:12], int.from_bytes(opened[4:6], "big"))
    head = amount4 + b"\x03" + TERMINAL
    assert opened[12:16] == mac4(TDES, session, opened[:4] + head)
    return bytes.fromhex("805403000B") + MOMENT + mac4(TDES, session, head + MOMENT) + b"\x04"


def limit_command(card: Card, new: int) -> bytes:
    """INITIALIZE FOR UPDATE with its MAC1 checked, then UPDATE OVERDRAW LIMIT."""
    opened = send(card, "80500401", b"\x01" + TERMINAL, 19)
    assert opened[-2:] == OK, opened.hex()
    session = load_session(TDES, LIMIT, opened[11:15], int.from_bytes(opened[4:6], "big"))
    head = b"\x07" + TERMINAL
    assert opened[15:19] == mac4(TDES, session, opened[:4] + opened[6:9] + head)
    new3 = new.to_bytes(3, "big")
    return bytes.fromhex("805800000E") + new3 + MOMENT + mac4(TDES, session, new3 + head + MOMENT) + b"\x04"
