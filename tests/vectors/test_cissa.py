"""DVB-CISSA against ETSI TS 103 127, annex B, cases 1 and 4. Goal: the published blocks, and the clear rest.

As github.com/tsduck/tsduck has them: src/utest/crypto/tv_dvb_cissa.h, commit 12b836f9943feba41d56a0b3213faeffeed6368e.
"""

from __future__ import annotations

import pytest

from jinka.crypto.cissa import descramble, scramble
from jinka.kit import Usage

WORD = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
TEXT = b"This is the payload used for creating the test vectors for the DVB IPTV scrambler/descrambler. "
PAYLOAD = (TEXT * 2)[:184]


def test_the_published_packet() -> None:
    made = scramble(WORD, PAYLOAD)
    assert made[:16].hex() == "15ce67e0cb01b53ce76054e57a4ad120"
    assert made[160:176].hex() == "1e164840303aff838a019bf810a8e0b2"
    assert made[176:] == b"/descram"
    assert descramble(WORD, made) == PAYLOAD


def test_an_adaptation_field_leaves_ten_blocks() -> None:
    made = scramble(WORD, PAYLOAD[:175])
    assert made[152:160].hex() == "317fcb62f4346a1b"
    assert made[160:] == PAYLOAD[160:175]


def test_another_word_opens_nothing_and_sizes_are_kept() -> None:
    assert descramble(bytes(16), scramble(WORD, PAYLOAD))[:176] != PAYLOAD[:176]
    for word, payload in ((bytes(8), b""), (WORD, bytes(185))):
        with pytest.raises(Usage):
            scramble(word, payload)
