"""Sequences of labels over all sequences of steps that mean them: their probability, and the likeliest ones.

Source: Graves et al. (2006), doi:10.1145/1143844.1143891.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from distnet.errors import ArgumentError
from distnet.ops.dtypes import floating
from distnet.ops.nn.followed_alignments import log_probability
from distnet.ops.nn.simplex import write_log_softmax
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import is_spread, rowwise
from distnet.ops.tape import gradients
from distnet.ops.tensor import TapeNode, Tensor
from distnet.types import Array, ArrayLike

_IMPOSSIBLE = -1e5
"""The log probability of what cannot be, as in Keras: the loss is about 1e5 where there are too few steps."""


class Alignments:
    """The states of an alignment: a blank, the first label, a blank, the second label ... a blank.

    Each time step stays, or moves by one state, or by two if that skips the blank between different labels.

    Args:
        labels: (N, L) class numbers.
        log_shares: (N, T, C) log probabilities of the classes.
        lengths: (N,) how many labels count.
        steps: (N,) how many time steps count; None for all.
        blank: the class that means no label.
    """

    def __init__(
        self, labels: Array, log_shares: Array, lengths: Array, steps: Array | None = None, blank: int = 0
    ) -> None:
        rows, length = labels.shape
        self.log_share, self.last, self.steps = log_shares, 2 * lengths, steps
        self.states = np.full((rows, 2 * length + 1), blank)
        self.states[:, 1::2] = labels
        self.emitted = np.take_along_axis(self.log_share, self.states[:, None, :], axis=2)
        self.skip = np.full(self.states.shape, _IMPOSSIBLE, log_shares.dtype)
        self.skip[:, 3::2] = np.where(labels[:, 1:] != labels[:, :-1], 0.0, _IMPOSSIBLE)

    def forward(self) -> Array:
        """(T + 1, N, S): the log probability of the first t time steps and of being in a state after them."""
        rows, steps, states = self.emitted.shape
        ahead = np.full((steps + 1, rows, states), _IMPOSSIBLE, self.emitted.dtype)
        ahead[0, :, 0] = 0.0
        for t in range(steps):
            ahead[t + 1] = self.emitted[:, t] + _sum(ahead[t], _moved(ahead[t], 1), _moved(ahead[t], 2) + self.skip)
            self._keep(t, ahead[t + 1], ahead[t])
        return ahead

    def total(self, at_end: Array) -> Array:
        """(N,): the log probability of ending at the last label or the blank after it."""
        rows = np.arange(len(at_end))
        before = np.where(self.last > 0, at_end[rows, self.last - 1], -np.inf)
        return np.asarray(np.logaddexp(at_end[rows, self.last], before))

    def gradient(self, ahead: Array, log_p: Array) -> Array:
        """(N, T, C) of ``-log_p`` by the logits: what the steps say, minus what they should say."""
        rows, steps, states = self.emitted.shape
        behind = np.full((rows, states), -np.inf, self.emitted.dtype)
        each = np.arange(rows)
        behind[each, self.last] = 0.0
        behind[each, np.maximum(self.last - 1, 0)] = 0.0
        said = np.zeros_like(self.log_share)
        at = (each[:, None], self.states)
        for t in reversed(range(steps)):
            np.add.at(said[:, t], at, np.exp(ahead[t + 1] + behind - log_p[:, None]))
            reached = self.emitted[:, t] + behind
            moved = _sum(reached, _moved(reached, -1), _moved(reached + self.skip, -2))
            self._keep(t, moved, behind)
            behind = moved
        made = np.exp(self.log_share) - said
        if self.steps is not None:
            made[np.arange(steps) >= self.steps[:, None]] = 0
        return np.asarray(made)

    def _keep(self, t: int, made: Array, before: Array) -> None:
        """Take back what a step that does not count has made."""
        if self.steps is not None:
            is_over = t >= self.steps
            made[is_over] = before[is_over]


def _moved(x: Array, by: int) -> Array:
    """``x`` shifted along its last axis; new entries have no probability."""
    moved = np.full_like(x, -np.inf)
    if by > 0:
        moved[:, by:] = x[:, :-by]
    else:
        moved[:, :by] = x[:, -by:]
    return moved


def _sum(a: Array, b: Array, c: Array) -> Array:
    return np.asarray(np.logaddexp(np.logaddexp(a, b), c))


def _alignments(target: Any, output: Array, target_length: Any, output_length: Any, mask_index: int) -> Alignments:
    log_shares = np.empty_like(output)
    write_log_softmax(output, log_shares, -1)
    labels = np.asarray(target).astype(np.intp)
    return Alignments(labels, log_shares, np.asarray(target_length), np.asarray(output_length), mask_index)


def _by_all(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    return rowwise(function, operands, options) if all(map(is_spread, operands)) else None


@primitive(4, kind="CTCLoss", module="nn", spread=_by_all)
def ctc_loss(
    target: ArrayLike, output: ArrayLike, target_length: ArrayLike, output_length: ArrayLike, mask_index: int = 0
) -> Array:
    """``-log p(labels | logits)``: each time step emits a label or a blank, and equal neighbours count once.

    Shapes:
        target (N, L), output (N, T, C), lengths (N,) -> (N,).

    Args:
        mask_index: class number of the blank.

    Source: ``keras.ops.ctc_loss``.
    """
    chain = _alignments(target, floating(output), target_length, output_length, mask_index)
    return np.asarray(-chain.total(chain.forward()[-1]))


def _of_output(
    dy: Any, y: Any, target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int
) -> Any:
    steps = np.asarray(_value(output_length))
    chain = _alignments(_value(target), _value(output), _value(target_length), steps, mask_index)
    if type(output) is Tensor:
        again = -log_probability(output, chain.states, chain.skip, chain.last, steps)
        source = cast(TapeNode, output.node), output.index
        return gradients([(again, dy)], [source]).shared[source]
    ahead = chain.forward()
    return chain.gradient(ahead, chain.total(ahead[-1])) * dy[:, None, None]


ctc_loss.has_gradients(None, _of_output, None, None)


def _value(x: Any) -> Array:
    return np.asarray(getattr(x, "value", x))


@primitive(2, kind="CTCDecode", module="nn", returns_many=True)
def ctc_decode(
    inputs: ArrayLike, sequence_lengths: ArrayLike, strategy: str = "greedy", beam_width: int = 100,
    top_paths: int = 1, merge_repeated: bool = True, mask_index: int = 0,
) -> tuple[Array, Array]:  # fmt: skip
    """The likeliest sequences of labels, padded with -1, and their scores.

    Shapes:
        inputs (N, T, C), sequence_lengths (N,) -> labels (P, N, T), scores (N, P); P is 1 or ``top_paths``.

    Args:
        strategy: ``"greedy"``: the best class of each step; ``"beam_search"``: over prefixes.
        beam_width: prefixes that are kept from step to step.
        merge_repeated: whether equal neighbours count once; only of ``"greedy"``.
        mask_index: class number of the blank.

    Source: ``keras.ops.ctc_decode``.
    """
    x, lengths = floating(inputs), np.asarray(sequence_lengths)
    if strategy == "greedy":
        return _best_steps(x, lengths, merge_repeated, mask_index)
    if strategy == "beam_search":
        return _best_prefixes(x, lengths, beam_width, top_paths, mask_index)
    raise ArgumentError(f'ops.ctc_decode: expected strategy "greedy" or "beam_search", received {strategy!r}.')


def _of_steps(
    dy: Any, y: Any, inputs: Any, sequence_lengths: Any, strategy: str, mask_index: int, **options: Any
) -> Any:
    """Of the greedy score, the sum of the best classes' entries."""
    if strategy != "greedy":
        raise ArgumentError('ops.ctc_decode: strategy="beam_search" has no gradient. Wrap it in ops.stop_gradient.')
    x, lengths = _value(inputs), _value(sequence_lengths)
    counts = np.arange(x.shape[1]) < lengths[:, None]
    is_best = (np.arange(x.shape[2]) == x.argmax(axis=-1)[..., None]) & counts[..., None]
    return -dy[1][..., None] * is_best.astype(x.dtype)


ctc_decode.has_gradients(_of_steps, None)


def _best_steps(x: Array, lengths: Array, merge_repeated: bool, blank: int) -> tuple[Array, Array]:
    is_over = np.arange(x.shape[1]) >= lengths[:, None]
    best = np.where(is_over, blank, x.argmax(axis=-1))
    scores = -np.where(is_over, 0, x.max(axis=-1)).sum(axis=1)[:, None]
    is_label = best != blank
    if merge_repeated:
        is_label[:, 1:] &= best[:, 1:] != best[:, :-1]
    order = np.argsort(~is_label, axis=1, kind="stable")
    labels = np.take_along_axis(np.where(is_label, best, -1), order, axis=1)
    return labels[None].astype("int32"), scores.astype(x.dtype)


def _best_prefixes(x: Array, lengths: Array, beam_width: int, top_paths: int, blank: int) -> tuple[Array, Array]:
    log_shares = np.empty_like(x)
    write_log_softmax(x, log_shares, -1)
    rows, steps, _ = x.shape
    labels = np.full((top_paths, rows, steps), -1, "int32")
    scores = np.full((rows, top_paths), -np.inf, x.dtype)
    for row in range(rows):
        beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -np.inf)}
        for t in range(max(int(lengths[row]), 1) if steps else 0):
            beam = _extended(beam, log_shares[row, t], beam_width, blank)
        best = sorted(beam, key=lambda path: -_total(beam[path]))[:top_paths]
        for i, path in enumerate(best):
            labels[i, row, : len(path)] = path
            scores[row, i] = _total(beam[path])
    return labels, scores


def _extended(
    beam: dict[tuple[int, ...], tuple[float, float]], shares: Array, width: int, blank: int
) -> dict[tuple[int, ...], tuple[float, float]]:
    """The best prefixes after one more step, each with its log probabilities of ending in a blank and in a label."""
    made: dict[tuple[int, ...], list[float]] = {}

    def add(path: tuple[int, ...], place: int, score: float) -> None:
        pair = made.setdefault(path, [-np.inf, -np.inf])
        pair[place] = float(np.logaddexp(pair[place], score))

    for path, (in_blank, in_label) in beam.items():
        total = float(np.logaddexp(in_blank, in_label))
        for number, share in enumerate(shares.tolist()):
            if number == blank:
                add(path, 0, total + share)
            elif path and path[-1] == number:
                add(path, 1, in_label + share)
                add((*path, number), 1, in_blank + share)
            else:
                add((*path, number), 1, total + share)
    best = sorted(made, key=lambda path: -_total(made[path]))[:width]
    return {path: (made[path][0], made[path][1]) for path in best}


def _total(pair: Any) -> float:
    return float(np.logaddexp(*pair))
