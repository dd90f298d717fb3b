"""Verbs for many messages at once: MACs made and checked under one key, for a switch that has hundreds a moment.

ISO/IEC 9797-1 algorithms and UnionPay's terminals', as one by one (`jinka.keys.payment`). The border is passed once for
all: caller, key, state, audit. A bad message is told by its row and stops none of the others.
"""

from __future__ import annotations

import hmac

import numpy as np
import numpy.typing as npt

from jinka.crypto.block_key import BlockCipher
from jinka.crypto.mac import MacAlgorithm, MacScheme, Padding, make_mac, pad
from jinka.crypto.unionpay_mac import PosMacForm, pos_mac
from jinka.keys.border import verb
from jinka.keys.catalogue import Use
from jinka.keys.payment import MAC_PURPOSES, WorkingKeyVerbs
from jinka.keys.steps import StepKey
from jinka.kit import Usage

MESSAGES_MAX = 1 << 14
BYTES_MAX = 16 << 20


class MacBatchVerbs(WorkingKeyVerbs):
    """``form`` asks for the MAC of UnionPay's terminals instead of ``algorithm``."""

    @verb
    def generate_macs(
        self, messages: list[bytes], *, key: str, algorithm: MacAlgorithm, form: PosMacForm | None = None
    ) -> list[bytes]:
        """A MAC of 8 bytes for each message."""
        return _macs(self._step(key, Use.MAKE, *MAC_PURPOSES), messages, algorithm, form)

    @verb
    def check_macs(
        self,
        messages: list[bytes],
        macs: list[bytes],
        *,
        key: str,
        algorithm: MacAlgorithm,
        form: PosMacForm | None = None,
    ) -> npt.NDArray[np.bool_]:
        """For each message whether its MAC is right; each is compared in constant time."""
        if len(macs) != len(messages):
            raise Usage("lists of different lengths", where="check_macs")
        made = _macs(self._step(key, Use.CHECK, *MAC_PURPOSES), messages, algorithm, form)
        return np.array(
            [hmac.compare_digest(right, given) for right, given in zip(made, macs, strict=True)],
            dtype=np.bool_,
        )


def _macs(
    step: StepKey, messages: list[bytes], algorithm: MacAlgorithm, form: PosMacForm | None
) -> list[bytes]:
    if len(messages) > MESSAGES_MAX or sum(map(len, messages)) > BYTES_MAX:
        raise Usage(f"{len(messages)} messages", where="MACs", fix="smaller batches")
    if form is not None:
        return [pos_mac(step, message, form) for message in messages]
    if algorithm is MacAlgorithm.RETAIL and step.cipher is BlockCipher.TDES and step.size == 16:
        return step.chains([pad(message, Padding.METHOD_1, 8) for message in messages])
    scheme = MacScheme(algorithm=algorithm)
    return [make_mac(scheme, step, message) for message in messages]
