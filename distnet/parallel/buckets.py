"""Parts of a message that are sent one by one, each as soon as the backward pass has made it.

Backward makes the last layers' gradients first. They travel between the nodes while earlier layers run, in an order
that reaches the first layer last, which is the same on every rank. Within one node nothing travels: there the whole
message is one bucket.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast
from weakref import WeakMethod

from distnet.comm import Communicator, Request
from distnet.variables import Span, Variable, VariableStore

Finish: TypeAlias = Callable[[range, slice], None]
"""Makes the last changes to the gradients of some spans, by number, which are a part of the message."""

BUCKET_BYTES = 1 << 20
"""From this size on a part of the gradient is sent by itself, where there are several nodes."""


def least_bytes(communicator: Communicator) -> float:
    """Of a bucket, for these ranks."""
    return BUCKET_BYTES if communicator.node_count > 1 else math.inf


class Buckets:
    """The parts of a store's message, in the order in which they are sent; the last layers' come first.

    What follows the gradients in the message is part of the first bucket: it is known before the backward pass.

    Args:
        store: has the message.
        least: bytes of a bucket; only the last may have less.
        finish: is called before a part is sent.
        send: starts to send a part of the message; a method, whose object lives as long as it is needed.
    """

    def __init__(
        self,
        store: VariableStore,
        least: float,
        finish: Finish,
        send: Callable[[slice], Request],
    ) -> None:
        self._finish = finish
        self._send = WeakMethod(send)  # its object has these buckets: a circle would keep the messages' memory
        starts = _first_spans(store.spans, least / store.dtype.itemsize)
        ends = [len(store.spans), *starts[:-1]]
        self.spans = [range(start, end) for start, end in zip(starts, ends, strict=True)]
        """Numbers of the spans in each bucket."""
        bounds = [store.message.size, *(store.spans[i].start if i else 0 for i in starts)]
        self.parts = [slice(start, stop) for stop, start in itertools.pairwise(bounds)]
        """Each bucket's entries of the message."""
        self._bucket_of = {
            id(store.spans[i].variable): bucket for bucket, spans in enumerate(self.spans) for i in spans
        }
        self.begin_step()

    @property
    def are_several(self) -> bool:
        """Whether anything is sent before the whole message is there."""
        return len(self.parts) > 1

    def begin_step(self) -> None:
        """Nothing is whole, and nothing sent."""
        self._awaited = [len(spans) for spans in self.spans]
        self._requests: list[Request] = []

    def settle(self, variables: Sequence[Variable]) -> None:
        """The gradients of these variables are whole; every rank says so at the same place of the backward pass."""
        for variable in variables:
            self._awaited[self._bucket_of[id(variable)]] -= 1
        while len(self._requests) < len(self.parts) and not self._awaited[len(self._requests)]:
            self._send_next()
        for request in self._requests:
            request.test()

    def finish_alone(self) -> None:
        """Make the last changes, where there is no other rank to send to; nothing was settled before."""
        for spans, part in zip(self.spans, self.parts, strict=True):
            self._finish(spans, part)

    def complete(self) -> None:
        """Send what was not sent, and wait until all has been received."""
        while len(self._requests) < len(self.parts):
            self._send_next()
        requests, self._requests = self._requests, []
        for request in requests:
            request.wait()
        self.begin_step()

    def _send_next(self) -> None:
        bucket = len(self._requests)
        self._finish(self.spans[bucket], self.parts[bucket])
        send = cast("Callable[[slice], Request]", self._send())
        self._requests.append(send(self.parts[bucket]))


def _first_spans(spans: Sequence[Span], least: float) -> list[int]:
    """The number of each bucket's first span, the last bucket's first; the first span begins one in any case."""
    starts, end = [], spans[-1].stop if spans else 0
    for number in reversed(range(len(spans))):
        if end - spans[number].start >= least:
            starts.append(number)
            end = spans[number].start
    return starts if starts and starts[-1] == 0 else [*starts, 0]
