"""A user's ``call`` tried on zeros: what shapes it gives, and which layers within it builds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet.arguments import is_integer
from distnet.assignments import assignments_held
from distnet.errors import ArgumentError
from distnet.layers.engine.call_scope import CallScope, calling
from distnet.layers.engine.context import ForwardContext, Workspaces
from distnet.layers.engine.inline import run
from distnet.layers.engine.structures import filled, is_nested, leaves, mapped, packed
from distnet.layers.engine.tracking import states_of_metrics
from distnet.ops.recording import paused
from distnet.ops.tape import following
from distnet.ops.tensor import Tensor
from distnet.types import STRING, Shape


@dataclass(frozen=True)
class Spec:
    """A tensor's shape and dtype, and whether it has a mask."""

    shape: Shape
    dtype: str
    is_masked: bool = False


@dataclass(frozen=True)
class Tried:
    """What a layer's ``call`` is tried on.

    Args:
        inputs: of the tensors, in order.
        arguments: of ``call``, with slots for these.
    """

    inputs: Sequence[Spec]
    arguments: Any

    @classmethod
    def on(cls, placeholders: Sequence[Any], arguments: Any) -> Tried:
        """The same shapes, dtypes and masks as these placeholders."""
        return cls([Spec(t.shape, t.dtype, t.may_be_masked) for t in placeholders], arguments)


def specs(layer: Any, given: Tried) -> Any:
    """The outputs of a call, in the structure that it returns; extents that depend on an unknown one are unknown."""
    few = _tried(layer, given, 2, 4)
    if [spec.shape for spec in leaves(few)] != [spec.shape for spec in leaves(_tried(layer, given, 2, 4, 1.0))]:
        raise ArgumentError(
            f"{layer.name}: call returns a tensor whose shape depends on the entries of its inputs. Use ops.where, or "
            "the three-argument form of functions, which keep the shape."
        )
    if all(n is not None for spec in given.inputs for n in spec.shape):
        return few
    many = _tried(layer, given, 3, 6)
    if len(list(leaves(few))) != len(list(leaves(many))):
        raise ArgumentError(
            f"{layer.name}: call returns as many tensors as the batch has rows. Return one of all rows."
        )
    return packed(few, [_common(layer, a, b) for a, b in zip(leaves(few), leaves(many), strict=True)])


def build_within(layer: Any, given: Tried) -> None:
    """Build the layers within that are not built, by a trial."""
    if any(not inner.built for _, inner in layer.inner_layers()):
        _tried(layer, given, 2, 4)


def is_nest(specs: Any) -> bool:
    """Whether these are in a list, tuple or dict."""
    return is_nested(specs)


def as_specs(shape: Any, dtype: str) -> Any:
    """What ``compute_output_shape`` returned."""
    if isinstance(shape, Mapping):
        return {key: as_specs(value, dtype) for key, value in shape.items()}
    if isinstance(shape, list | tuple) and not all(n is None or is_integer(n) for n in shape):
        return [as_specs(value, dtype) for value in shape]
    return Spec(tuple(shape), dtype)


def _common(layer: Any, few: Spec, many: Spec) -> Spec:
    if len(few.shape) != len(many.shape):
        raise ArgumentError(f"{layer.name}: call returns a tensor whose number of axes depends on the extents.")
    shape = tuple(n if n == m else None for n, m in zip(few.shape, many.shape, strict=True))
    return Spec(shape, few.dtype, few.is_masked)


def _tried(layer: Any, given: Tried, rows: int, unknown: int, entry: float = 0.0) -> Any:
    tensors = []
    for spec in given.inputs:
        extents = [(unknown if i else rows) if n is None else n for i, n in enumerate(spec.shape)]
        if spec.dtype == STRING:
            tensors.append(Tensor(np.full(extents, "", object)))
            continue
        tensors.append(Tensor(np.full(extents, entry if np.dtype(spec.dtype).kind == "f" else 0, spec.dtype)))
        if spec.is_masked:
            tensors[-1]._keras_mask = Tensor(np.ones(extents[:2], bool))
    args, kwargs = filled(given.arguments, tensors)
    ctx = ForwardContext(None, 0, 0, 0, rows, Workspaces())
    scope = CallScope(ctx, None)
    with trying(layer), calling(scope), ctx.running(rows):
        y = run(layer, args, kwargs, scope, is_penalized=False)
    return mapped(lambda tensor: Spec(tensor.shape, tensor.dtype.name, tensor._keras_mask is not None), y)


@contextmanager
def trying(layer: Any) -> Iterator[None]:
    """Within the block nothing is recorded, and what it changes of the layer's state is put back."""
    before = [(v, v.value.copy()) for v in layer.variables if not v.trainable]
    states = states_of_metrics(layer)
    with paused(), following(is_recorded=False, is_call=True), assignments_held(), np.errstate(all="ignore"):
        yield
    for variable, value in before:
        variable.value[...] = value
    for metric, _ in states_of_metrics(layer):
        metric.state = None  # of one that the trial made
    for metric, state in states:
        metric.set_state(state)
