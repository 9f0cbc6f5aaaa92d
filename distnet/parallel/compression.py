"""Gradients that travel in 16 bits and are added in float32: half the bytes, fewer digits.

Each rank adds up one piece of the array for all: it is sent that piece by every rank, adds in order of rank, and sends
the sum back. What is sent are 16 bits a number, also to a rank itself: all ranks have the same sum, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distnet.comm import Communicator, Request
from distnet.types import Array

_HEADER = 1
"""Entries before the numbers: by which power of two they were multiplied."""
_MOST_SHIFT = 126


def pack(values: Array, kind: str) -> Array:
    """Rows of float32 in 16 bits, each behind its header.

    For float16 a row is multiplied by a power of two that puts its largest magnitude between 2^14 and 2^15: nothing
    overflows, and a number is off by at most 2^-11 of itself, or 2^-39 of the row's largest. A row that is not finite
    is sent as it is, and what of it exceeds 65504 becomes infinite. A bfloat16 has the range of float32; a number is
    off by at most 2^-8 of itself.

    Shapes:
        (rows, n) -> (rows, 1 + n) uint16

    Args:
        values: float32.
        kind: ``"float16"`` or ``"bfloat16"``.
    """
    packed = np.zeros((len(values), _HEADER + values.shape[1]), np.uint16)
    if kind == "bfloat16":
        bits = np.ascontiguousarray(values).view(np.uint32)
        rounded = (bits + (np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1)))) >> np.uint32(16)
        packed[:, _HEADER:] = np.where(np.isnan(values), np.uint32(0x7FC0), rounded)
        return packed
    shifts = _shifts(values)
    packed[:, :_HEADER] = shifts.view(np.uint16)
    with np.errstate(over="ignore", under="ignore"):
        packed[:, _HEADER:] = (values * _powers(shifts)).astype(np.float16).view(np.uint16)
    return packed


def unpack(packed: Array, kind: str) -> Array:
    """The float32 numbers of ``pack``, to 16 bits.

    Shapes:
        (rows, 1 + n) uint16 -> (rows, n)
    """
    numbers = np.ascontiguousarray(packed[:, _HEADER:])
    if kind == "bfloat16":
        return (numbers.astype(np.uint32) << np.uint32(16)).view(np.float32)
    shifts = packed[:, :_HEADER].view(np.int16)
    return np.asarray(numbers.view(np.float16).astype(np.float32) * _powers(-shifts))


def _shifts(values: Array) -> Array:
    """(rows, 1) int16, the exponents of the powers of two."""
    peaks = np.abs(values).max(axis=1, keepdims=True, initial=0)
    is_plain = np.isfinite(peaks) & (peaks > 0)
    shifts = 15 - np.frexp(np.where(is_plain, peaks, 1))[1]
    return np.where(is_plain, np.minimum(shifts, _MOST_SHIFT), 0).astype(np.int16)


def _powers(exponents: Array) -> Array:
    """Of two, in float32; multiplying by them is exact, and much faster than ``ldexp``."""
    return np.ldexp(np.float32(1), exponents)


class CompressedSum:
    """The sum of an array over ranks, under way in 16 bits.

    Args:
        communicator: the ranks.
        buffer: (n,) float32, which becomes the sum; it may be written before ``wait``.
        kind: see ``pack``.
        across_nodes: whether only the ranks with this ``local_rank`` take part.
    """

    def __init__(self, communicator: Communicator, buffer: Array, kind: str, across_nodes: bool) -> None:
        self.communicator, self.buffer, self.kind, self.across_nodes = communicator, buffer, kind, across_nodes
        ranks = communicator.node_count if across_nodes else communicator.size
        pieces = np.zeros((ranks, -(-buffer.size // ranks)), np.float32)
        pieces.reshape(-1)[: buffer.size] = buffer
        sent = pack(pieces, kind)
        self._received = np.empty_like(sent)
        self._request = communicator.ialltoall(sent, self._received, across_nodes)

    def test(self) -> bool:
        """Let the first half go on; the second begins in ``wait``."""
        return self._request.test() and False

    def wait(self) -> None:
        """Add, send the sum, and put it in the buffer."""
        self._request.wait()
        parts = unpack(self._received, self.kind)
        with np.errstate(over="ignore", invalid="ignore"):
            for part in parts[1:]:
                parts[0] += part
        gathered = self._received
        self.communicator.iallgather(pack(parts[:1], self.kind), gathered, self.across_nodes).wait()
        self.buffer[...] = unpack(gathered, self.kind).reshape(-1)[: self.buffer.size]


class Together:
    """Several communications as one.

    Args:
        requests: of these.
    """

    def __init__(self, *requests: Request) -> None:
        self._requests: Sequence[Request] = requests

    def test(self) -> bool:
        """Let each go on."""
        each = [request.test() for request in self._requests]
        return all(each)

    def wait(self) -> None:
        """Return once each is complete."""
        for request in self._requests:
            request.wait()
