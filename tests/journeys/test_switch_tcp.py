"""The switch over real sockets, with its journal on a disk (each engine) and MACs and PINs in the key service.

Method: a till and a bank with a real ledger, each on TCP; faults are made at the sockets.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from jinka.codec.framing import Frame, close_frame
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from tests.keys.ground import Dice
from tests.keys.payments import KEY, rig
from tests.switch.ground import BANK_PIN, CODEC, MAC, PANS, TILL_PIN, config, reversal
from tests.switch.ground import request as payment
from tests.switch.tcp import FRAMING, town


def test_a_purchase_over_the_wire(tmp_path: Path, where: Path | str) -> None:
    async def live() -> None:
        async with town(tmp_path, config(), where=where) as there:
            till = await there.till()
            answer = await till.ask(payment(1))
            assert (answer.mti, answer.text(39), answer.text(38)) == ("0210", "00", "B12345")
            many = await asyncio.gather(*(till.send(payment(n, pan=PANS[n % 7])) for n in range(2, 202)))
            assert {m.text(39) for m in many} == {"00"}
            assert there.runner.disk.flushes < 2 * there.runner.disk.written / 3  # one flush serves many
            answer = await till.ask(reversal(payment(1), 900))
            assert answer.text(39) == "00"
            await till.close()
            assert there.failures == []
            await asyncio.sleep(0.2)
            assert there.bank.bank.balance(PANS[0]) == 10_000_000 - 1000 * sum(
                n % 7 == 0 for n in range(2, 202)
            )

    asyncio.run(live())


def test_macs_and_pins_are_the_key_services_business(tmp_path: Path, where: Path | str) -> None:
    keys = rig().service
    dice = Dice(1)
    source = PinZone(key=BlockKey(cipher=BlockCipher.TDES, value=KEY), format=PinFormat.ISO_0)
    block = encipher_pin(source, "1234", PANS[0], dice)

    def sealed(message: object) -> bytes:
        blank = message.changed({128: bytes(8)})
        raw = CODEC.encode(blank)[:-8]
        return raw + keys.generate_mac(raw, key=MAC.key, algorithm=MAC.algorithm)

    async def live() -> None:
        rules = config(till={"mac": MAC, "pin": TILL_PIN}, bank={"pin": BANK_PIN})
        async with town(tmp_path, rules, where=where) as there:
            till = await there.till()
            good = await asyncio.wait_for(till.send(payment(1, f52=block), sealed), 20)
            assert good.text(39) == "00"
            raw = CODEC.encode(good)
            keys.verify_mac(raw[:-8], raw[-8:], key=MAC.key, algorithm=MAC.algorithm)
            [seen] = there.bank.bank.seen
            assert seen.raw(52) not in (b"", block)
            wrong = await asyncio.wait_for(
                till.send(payment(2), lambda m: CODEC.encode(m.changed({128: bytes(8)}))), 20
            )
            assert wrong.text(39) == "A0"
            bare = await till.ask(payment(3))
            assert bare.text(39) == "A0"
            broken = await asyncio.wait_for(till.send(payment(4, f52=b"garbage!"), sealed), 20)
            assert broken.text(39) == "99"
            assert len(there.bank.bank.seen) == 1
            await till.close()

    asyncio.run(live())


def test_bad_peers_hurt_nobody_else(tmp_path: Path, where: Path | str) -> None:
    """False lengths, garbage, half a frame, a flood, and a peer that does not read."""

    async def live() -> None:
        wires = {"rate": 400.0, "burst": 50, "frame_s": 0.2, "write_max": 4096}
        async with town(tmp_path, config(), link=wires, where=where) as there:
            till = await there.till()
            for nasty in (b"\xff\xff", b"\0\0", b"\0\x05abcde" * 3, b"\x00\x40half"):
                reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
                writer.write(nasty)
                assert await asyncio.wait_for(reader.read(), 5) == b""  # closed, without a word
                writer.close()
                await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            mute, writer = await asyncio.open_connection("127.0.0.1", there.port)
            flood = [close_frame(FRAMING, Frame(message=CODEC.encode(payment(n, pan="4000000000000002"))))
                     for n in range(1000, 3000)]  # fmt: skip
            writer.write(b"".join(flood))
            answer = await till.ask(payment(1), 5)
            assert answer.text(39) == "00"
            assert there.runner.core.board.counts["requests", "till"] < 1_000  # the flood waits its turn
            writer.close()
            assert mute is not None
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            reasons = {reason for reason, _ in there.runner.closed}
            assert {"framing", "garbage", "half_frame"} <= reasons
            await till.close()

    asyncio.run(live())


def test_a_bank_that_falls_silent_costs_nobody_money(tmp_path: Path, where: Path | str) -> None:
    """Requests in flight are reversed; while the line is gone stand-in answers; advices follow; the books agree."""

    async def live() -> None:
        rules = config(bank={"timeout_ms": 300, "retry_ms": 100, "retry_max_ms": 300})
        async with town(tmp_path, rules, where=where) as there:
            till, bank = await there.till(), there.bank
            before = await asyncio.gather(*(till.send(payment(n, pan=PANS[n % 7])) for n in range(1, 21)))
            bank.deaf = True
            during = await asyncio.gather(*(till.send(payment(n, pan=PANS[n % 7])) for n in range(21, 41)))
            assert {m.text(39) for m in during} == {"68"}
            port = bank.port
            bank.stop()
            while there.runner.core.board.ready_line("bank") is not None:
                await asyncio.sleep(0.01)
            after = await asyncio.gather(*(till.send(payment(n, pan=PANS[n % 8])) for n in range(41, 81)))
            bank.deaf = False
            await bank.start(port)
            for _ in range(500):
                if not there.runner.core.forwarding.depth("bank"):
                    break
                await asyncio.sleep(0.02)
            approved = [m for m in before + during + after if m.text(39) == "00"]
            assert 20 < len(approved) < 80
            assert {m.text(39) for m in after if m.text(2) == PANS[7]} == {"91"}
            for pan in PANS:
                paid = sum(int(m.text(4)) for m in approved if m.text(2) == pan)
                assert bank.bank.balance(pan) == 10_000_000 - paid, pan
            await till.close()

    asyncio.run(live())
