"""``GradientTape``: gradients of what a block computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np

from distnet.checksums import checksum
from distnet.comm.scope import communicator, tell_of
from distnet.errors import ArgumentError
from distnet.ops.nests import leaves, packed
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import local, of_rows
from distnet.ops.recording import STATE, is_recording, paused
from distnet.ops.signature import LENGTH, Checksums, check_sums, signature, told_of
from distnet.ops.spread import gathered, own_rows
from distnet.ops.tape import Key, following, gradients, node_of, watched
from distnet.ops.tensor import TapeNode, Tensor
from distnet.results import ResultArray, as_result
from distnet.types import Array
from distnet.variables import Variable

_UNCONNECTED = ("none", "zero")
"""What is given for what a target does not depend on."""


class GradientTape:
    """Records what is computed within its block, for gradients.

    >>> import distnet
    >>> x = distnet.ops.convert_to_tensor(3.0)
    >>> with distnet.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> tape.gradient(y, x)
    6.0

    Args:
        persistent: whether ``gradient`` may be called more than once.
        watch_accessed_variables: whether trainable weights are watched without being told to.

    Source: ``tensorflow.GradientTape``.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent, self.watch_accessed_variables = persistent, watch_accessed_variables
        self._is_used = False
        self._block: Any = None
        self._watched: dict[int, Variable] = {}
        self._accessed: dict[int, Variable] = {}
        self._since = 0

    def __enter__(self) -> Self:
        self._block = following(is_tape=True)
        self._block.__enter__()
        if not STATE.accessed:
            STATE.held, STATE.called = (), ()
        STATE.accessed = (*STATE.accessed, self._accessed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._block is not None:
            self._block.__exit__(kind, error, trace)
            self._block = None
            STATE.accessed = tuple(a for a in STATE.accessed if a is not self._accessed)
        tell_of(error)

    def watch(self, tensor: Any) -> None:
        """Follow a tensor, or those in nested lists, tuples and dicts, as weights are followed.

        Raises:
            ArgumentError: it is no tensor: NumPy's arrays cannot be followed. Use ``ops.convert_to_tensor``.
        """
        for each in leaves(tensor):
            if isinstance(each, Tensor):
                watched(each)
            elif isinstance(each, ResultArray):
                if each.followed is None:
                    each.followed = watched(Tensor(np.asarray(each)))
            elif isinstance(each, Variable):
                self._watched[id(each)] = each
            else:
                raise ArgumentError(
                    f"tape.watch: expected a tensor or a variable, received {type(each).__name__}. Use "
                    "ops.convert_to_tensor."
                )

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Within the block nothing is recorded."""
        with paused():
            yield

    def reset(self) -> None:
        """Forget what was recorded and watched: gradients are of what is computed from now on.

        Source: ``tensorflow.GradientTape.reset``.
        """
        self._since = TapeNode().number
        self._watched.clear()
        self._accessed.clear()
        self._is_used = False

    def watched_variables(self) -> tuple[Variable, ...]:
        """The trainable weights that were used within the block, and the variables that it was told to watch.

        Source: ``tensorflow.GradientTape.watched_variables``.
        """
        accessed = self._accessed if self.watch_accessed_variables else {}
        return tuple({**self._watched, **accessed}.values())

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """The gradients of the sum of ``target`` by ``sources``, in the structure of these.

        On several ranks every rank gets those of the global batch.

        Args:
            target: a tensor, or a nest of tensors whose sum is meant.
            sources: variables and watched tensors.
            output_gradients: what the entries of the target are multiplied by, like ``target``.
            unconnected_gradients: ``"none"`` gives None, ``"zero"`` zeros, for what the target does not depend on.

        Raises:
            ArgumentError: a second call, unless the tape is persistent.
        """
        self._use("gradient", unconnected_gradients)
        flat = leaves(sources)
        pairs = zip(self._gradients(target, flat, output_gradients), flat, strict=True)
        return packed(sources, iter([_connected(dx, x, (), unconnected_gradients) for dx, x in pairs]))

    def jacobian(
        self, target: Any, sources: Any, unconnected_gradients: str = "none", parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:  # fmt: skip
        """The gradient of each entry of ``target`` by ``sources``: one walk back for each entry.

        On several ranks every rank gets the whole.

        Shapes:
            (Y...) by (X...) -> (Y..., X...)

        Args:
            target: one tensor.
            sources: variables and watched tensors.
            unconnected_gradients: as for ``gradient``.
            parallel_iterations, experimental_use_pfor: how TensorFlow computes it; ignored.

        Source: ``tensorflow.GradientTape.jacobian``.
        """
        self._use("jacobian", unconnected_gradients)
        flat, shape = leaves(sources), tuple(target.shape)
        each = [self._gradients(target, flat, one) for one in _ones_at_places(shape, target.dtype)]
        by_source = zip(*each, strict=True) if each else [()] * len(flat)
        made = [_joined(list(map(gathered, dxs)), shape, x.shape) for dxs, x in zip(by_source, flat, strict=True)]
        return packed(
            sources, iter([_connected(dx, x, shape, unconnected_gradients) for dx, x in zip(made, flat, strict=True)])
        )

    def batch_jacobian(
        self, target: Any, source: Any, unconnected_gradients: str = "none", parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:  # fmt: skip
        """The gradient of each entry of a row of ``target`` by the same row of ``source``, on which alone it depends.

        Shapes:
            (N, Y...) by (N, X...) -> (N, Y..., X...)

        Args:
            target: one tensor.
            source: one watched tensor.
            unconnected_gradients: as for ``gradient``.
            parallel_iterations, experimental_use_pfor: how TensorFlow computes it; ignored.

        Raises:
            ArgumentError: they have different numbers of rows.

        Source: ``tensorflow.GradientTape.batch_jacobian``.
        """
        self._use("batch_jacobian", unconnected_gradients)
        shape, of_source = tuple(target.shape), tuple(source.shape)
        if not shape or not of_source or shape[0] != of_source[0]:
            raise ArgumentError(
                f"tape.batch_jacobian: expected target and source of equally many rows, received shapes {shape} and "
                f"{of_source}. Use tape.jacobian."
            )
        columns = _ones_at_places(shape[1:], target.dtype)
        each = [self._gradients(target, [source], np.broadcast_to(one, shape))[0] for one in columns]
        made = _joined(each, shape, of_source[1:], axis=1)
        return _connected(made, source, shape, unconnected_gradients, of_source[1:])

    def _use(self, method: str, unconnected_gradients: str) -> None:
        """Count the only question, unless the tape is persistent."""
        if unconnected_gradients not in _UNCONNECTED:
            raise ArgumentError(
                f"tape.{method}: expected unconnected_gradients of {_UNCONNECTED}, received {unconnected_gradients!r}."
            )
        if self._is_used and not self.persistent:
            raise ArgumentError(
                f"tape.{method}: was called before. Use GradientTape(persistent=True) to call it again."
            )
        self._is_used = True

    def _gradients(self, target: Any, sources: Sequence[Any], output_gradients: Any) -> list[Any]:
        """The gradients by each of the sources; None for what the target does not depend on."""
        targets = [t for t in map(_tensor, leaves(target)) if t is not None]
        given = [None] * len(targets) if output_gradients is None else list(leaves(output_gradients))
        results = [(t, _start(t, g)) for t, g in zip(targets, given, strict=True)]
        wanted = [self._key(source) for source in sources]
        made = gradients(results, [key for key in wanted if key is not None], self._since)
        by_key = {**made.shared, **_over_ranks(made.own, made.shared, sources, _held(targets))}
        return [_as_given(by_key.get(key) if key else None, x) for key, x in zip(wanted, sources, strict=True)]

    def _key(self, source: Any) -> Key | None:
        if isinstance(source, Variable):
            is_watched = self.watch_accessed_variables or id(source) in self._watched
            return (node_of(source), 0) if is_watched else None
        tensor = _tensor(source)
        if tensor is None or tensor.node is None or tensor.node.number < self._since:
            return None
        return tensor.node, tensor.index


def _ones_at_places(shape: tuple[int, ...], dtype: Any) -> Iterator[Array]:
    """For each place of an array of this shape one that is 1 there, and 0 elsewhere."""
    for place in np.ndindex(*shape):
        one = np.zeros(shape, dtype)
        one[place] = 1
        yield one


def _joined(each: Sequence[Any], shape: tuple[int, ...], of_source: tuple[int, ...], axis: int = 0) -> Any:
    """The gradients of a target's entries as one array of ``shape`` and the source's axes; None if there are none.

    Args:
        each: the gradient of each entry, along ``axis`` of the result before that has the target's axes.
        shape: the target's.
        of_source: the extents behind.
        axis: 1 where the rows stay first.
    """
    known = next((dx for dx in each if dx is not None), None)
    if known is None:
        return None
    dxs = [np.zeros(known.shape, known.dtype) if dx is None else dx for dx in each]
    return PRIMITIVES["Reshape"](PRIMITIVES["Stack"](dxs, axis), (*shape, *of_source))


def _held(targets: Sequence[Tensor]) -> Checksums:
    """What every rank holds whole: what the tape used, and targets such as the loss."""
    losses = [checksum(target.value) for target in targets if target.rows is None]
    return (*STATE.held, *(("the target, such as the loss,", loss) for loss in losses))


def _over_ranks(own: dict[Key, Any], shared: dict[Key, Any], sources: Sequence[Any], held: Checksums) -> dict[Key, Any]:
    """The ranks' parts summed, in one message for each dtype, and what all ranks share added.

    Raises:
        ReplicaError: the ranks take gradients of different weights, or of different data.
    """
    ranks, total = communicator(), {}
    told = told_of(held, sources) if own and ranks.size > 1 else ()
    signed = signature(told) if told else np.zeros(0)
    for dtype in {part.dtype: None for part in own.values()}:
        keys = [key for key, part in own.items() if part.dtype == dtype]
        message = np.concatenate([*(own[key].ravel() for key in keys), signed.astype(dtype)])
        ranks.allreduce(message)
        if signed.size:
            check_sums(ranks, message[-LENGTH:], told, sources)
        ends = np.cumsum([own[key].size for key in keys])
        for key, part in zip(keys, np.split(message, ends), strict=False):
            total[key] = part.reshape(own[key].shape) + shared.get(key, 0)
    return total


def _tensor(target: Any) -> Tensor | None:
    if isinstance(target, ResultArray):
        target = target.followed
    return target if isinstance(target, Tensor) else None


def _start(target: Tensor, given: Any) -> Any:
    """The gradient by the target itself: ones, or what is given; this rank's rows of it."""
    dy: Any
    if given is None:
        dy = np.ones(target.value.shape, target.dtype)
    elif target.rows is not None:
        return own_rows(given, target.rows) if getattr(given, "rows", None) is None else local(given)
    else:
        dy = given if isinstance(given, Tensor) else np.asarray(given, target.dtype)
    return Tensor(dy) if is_recording() and not isinstance(dy, Tensor) else dy


def _as_given(gradient: Any, source: Any) -> Any:
    """A gradient as the user gets it."""
    if gradient is None:
        return None
    rows = getattr(source, "rows", None)
    if rows is not None:
        return of_rows(gradient if isinstance(gradient, Tensor) else Tensor(gradient), rows)
    return gradient if isinstance(gradient, Tensor) else as_result(gradient)


def _connected(made: Any, source: Any, shape: tuple[int, ...], unconnected: str, behind: Any = None) -> Any:
    """What was made; where that is nothing, zeros of the axes of target and source, if they are wanted."""
    if made is not None or unconnected == "none":
        return made
    return as_result(np.zeros((*shape, *(source.shape if behind is None else behind)), source.dtype))
