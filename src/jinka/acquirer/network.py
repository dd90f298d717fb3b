"""The gateway's payments through a switch: messages over a line, and the doubt settled by repeats and reversals.

Implements `Payments`. A payment in doubt is taken back by its reversal, which the switch keeps even when the payment
has not come. What follows a payment is asked again under its own numbers, which the switch answers as it did before.
A refund is an advice (0220): the switch takes it as a fact and tells the issuer until it knows. The line is passed in.
"""

from __future__ import annotations

from typing import Protocol

from jinka.acquirer.iso import UNHEARD, answer_of, request_of, reversal_of, taken_back
from jinka.acquirer.orders import Kind
from jinka.acquirer.ports import Answer, Ask, NotSent, Result, Unheard
from jinka.codec.iso8583.message import Message

_UNREACHED = "91"


class Wire(Protocol):
    """A line to the switch: a gateway's, or a terminal's."""

    def ask(self, message: Message) -> Message:
        """The answer; raises `NotSent` when the message never left, `NoAnswer` when nobody knows."""
        ...


class RememberingWire(Wire, Protocol):
    """A line that keeps what came late: `jinka.node.switch_client`."""

    def late(self, message: Message) -> Message | None:
        """The answer to a message that was given up, if it came after all."""
        ...


class SwitchPayments:
    """``institution`` is the acquirer's number, field 32."""

    def __init__(self, wire: RememberingWire, *, institution: str) -> None:
        self._wire, self._institution = wire, institution

    def authorise(self, ask: Ask) -> Answer:
        """Hold, or take for a purchase."""
        return self._ask(ask)

    def capture(self, ask: Ask) -> Answer:
        """Complete a pre-authorisation."""
        return self._ask(ask)

    def refund(self, ask: Ask) -> Answer:
        """Give back."""
        return self._ask(ask)

    def void(self, ask: Ask) -> Answer:
        """Take a payment back: by its void, or by a reversal when its own outcome is in doubt."""
        if ask.operation.kind is Kind.VOID and not ask.operation.reversing:
            return self._ask(ask)
        return taken_back(self._wire.ask(reversal_of(ask, self._institution)))

    def status(self, ask: Ask) -> Answer | None:
        """An answer that came late. Nothing else is known here: the switch is asked by a repeat or a reversal."""
        message = self._wire.late(request_of(ask, self._institution))
        return None if message is None else answer_of(message)

    def _ask(self, ask: Ask) -> Answer:
        try:
            message = self._wire.ask(request_of(ask, self._institution))
        except NotSent:
            if ask.again:
                raise  # it may have left the first time
            return Answer(result=Result.DECLINED, code=_UNREACHED)
        if ask.again and message.text(39) in UNHEARD:
            raise Unheard(f"the repeat was answered {message.text(39)}", where="field 39")
        return answer_of(message)
