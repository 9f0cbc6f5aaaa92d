"""``GradientTape``: gradients of what a block computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np

from distnet.comm.scope import communicator
from distnet.errors import ArgumentError
from distnet.ops.nests import leaves, packed
from distnet.ops.primitive import local, of_rows
from distnet.ops.recording import is_recording, paused
from distnet.ops.spread import own_rows
from distnet.ops.tape import Key, following, gradients, node_of, watched
from distnet.ops.tensor import Tensor
from distnet.results import ResultArray, as_result
from distnet.variables import Variable


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

    def __enter__(self) -> Self:
        self._block = following()
        self._block.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._block is not None:
            self._block.__exit__(kind, error, trace)
            self._block = None

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
            elif not isinstance(each, Variable):
                raise ArgumentError(
                    f"tape.watch: expected a tensor or a variable, received {type(each).__name__}. Use "
                    "ops.convert_to_tensor."
                )

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Within the block nothing is recorded."""
        with paused():
            yield

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
        if self._is_used and not self.persistent:
            raise ArgumentError("tape.gradient: was called before. Use GradientTape(persistent=True) to call it again.")
        self._is_used = True
        targets = [t for t in map(_tensor, leaves(target)) if t is not None]
        given = [None] * len(targets) if output_gradients is None else list(leaves(output_gradients))
        results = [(t, _start(t, g)) for t, g in zip(targets, given, strict=True)]
        wanted = [_key(source) for source in leaves(sources)]
        made = gradients(results, [key for key in wanted if key is not None])
        by_key = {**made.shared, **_over_ranks(made.own, made.shared)}
        each = zip(wanted, leaves(sources), strict=True)
        return packed(
            sources, iter([_as_given(by_key.get(key) if key else None, s, unconnected_gradients) for key, s in each])
        )


def _over_ranks(own: dict[Key, Any], shared: dict[Key, Any]) -> dict[Key, Any]:
    """The ranks' parts summed, in one message for each dtype, and what all ranks share added."""
    ranks, total = communicator(), {}
    for dtype in {part.dtype for part in own.values()}:
        keys = [key for key, part in own.items() if part.dtype == dtype]
        message = np.concatenate([own[key].ravel() for key in keys])
        ranks.allreduce(message)
        ends = np.cumsum([own[key].size for key in keys])
        for key, part in zip(keys, np.split(message, ends[:-1]), strict=True):
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


def _key(source: Any) -> Key | None:
    if isinstance(source, Variable):
        return node_of(source), 0
    tensor = _tensor(source)
    return None if tensor is None or tensor.node is None else (tensor.node, tensor.index)


def _as_given(gradient: Any, source: Any, unconnected: str) -> Any:
    """A gradient as the user gets it."""
    if gradient is None:
        return as_result(np.zeros(source.shape, source.dtype)) if unconnected == "zero" else None
    rows = getattr(source, "rows", None)
    if rows is not None:
        return of_rows(gradient if isinstance(gradient, Tensor) else Tensor(gradient), rows)
    return gradient if isinstance(gradient, Tensor) else as_result(gradient)
