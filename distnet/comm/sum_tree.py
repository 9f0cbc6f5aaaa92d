"""Sums along one fixed binary tree, whichever rank holds which of the things that are summed.

Sums of floating point depend on their order. Here the order is the tree's, which depends on the number of leaves alone:
each rank sums the largest subtrees of which it holds all leaves, and what is above them is summed of all ranks' sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from distnet.comm.base import Communicator
from distnet.comm.fixed_blocks import blocks_of
from distnet.types import Array

Node: TypeAlias = tuple[int, int]
"""A subtree: its first leaf, and the one behind its last."""


@dataclass(frozen=True)
class SumTree:
    """The tree over some number of leaves; of each node's leaves the first half, rounded up, are its left child's.

    Args:
        leaves: how many.
    """

    leaves: int

    def within(self, leaves: range) -> list[Node]:
        """The largest subtrees whose leaves all are among these, in order."""
        return list(self._within((0, self.leaves), leaves))

    def _within(self, node: Node, leaves: range) -> Iterator[Node]:
        first, stop = node
        if stop <= leaves.start or first >= leaves.stop:
            return
        if leaves.start <= first and stop <= leaves.stop:
            yield node
            return
        for half in _halves(node):
            yield from self._within(half, leaves)

    def sum_in_place(self, parts: Mapping[Node, Array], node: Node | None = None) -> Array:
        """The sum below a node, or below the root, in memory of the first part; others' memory is used, too.

        Args:
            parts: the sums of some subtrees, or leaves, that make up the node.
        """
        top = (0, self.leaves) if node is None else node
        known = parts.get(top)
        if known is not None:
            return known
        left, right = (self.sum_in_place(parts, half) for half in _halves(top))
        with np.errstate(over="ignore", invalid="ignore"):  # as in MPI's sums; for the optimizer to see
            np.add(left, right, out=left)
        return left

    def subtrees(self, held: range, leaves: Sequence[Array]) -> dict[Node, Array]:
        """The sums of the largest subtrees of the leaves that are held, in memory of these."""
        parts = {(number, number + 1): leaf for number, leaf in zip(held, leaves, strict=True)}
        return {node: self.sum_in_place(parts, node) for node in self.within(held)}

    def nodes_of_ranks(self, size: int) -> list[list[Node]]:
        """For each of the ranks, the subtrees that it sums."""
        return [self.within(blocks_of(rank, size, self.leaves)) for rank in range(size)]

    def total(self, ranks: Communicator, held: range, leaves: Sequence[Array]) -> Array:
        """The sum over the leaves of all ranks, the same on each; the leaves' memory is used.

        Args:
            ranks: who hold the leaves.
            held: the numbers of this rank's.
            leaves: equal in shape and dtype.
        """
        own = self.subtrees(held, leaves)
        if ranks.size == 1:
            return self.sum_in_place(own)
        gathered = ranks.allgather_rows(np.stack(list(own.values())))
        nodes = [node for nodes in self.nodes_of_ranks(ranks.size) for node in nodes]
        return self.sum_in_place(dict(zip(nodes, gathered, strict=True)))


def _halves(node: Node) -> tuple[Node, Node]:
    first, stop = node
    middle = first + (stop - first + 1) // 2
    return (first, middle), (middle, stop)
