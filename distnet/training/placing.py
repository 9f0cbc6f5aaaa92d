"""Which loss and which weight belong to which output: ``compile``'s lists and dicts laid over the model's outputs.

Source: ``keras.src.trainers.compile_utils.CompileLoss.build``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distnet.errors import ArgumentError
from distnet.layers.engine.structures import is_nested, items, leaves, packed
from distnet.losses import Loss
from distnet.training.outputs import Outputs, check_keys


@dataclass(frozen=True)
class OutputLoss:
    """One loss of one output; an output may have several.

    Args:
        name: of the output, with the places or keys before it: ``main``, ``1/side``.
        output: its number.
        loss: of its targets and values.
        weight: factor in the total.
        form: the numbers of the outputs in lists, tuples and dicts, where the loss is one of several at once; the first
            of them is ``output``.
    """

    name: str
    output: int
    loss: Loss
    weight: float
    form: Any = None

    @property
    def outputs(self) -> list[int]:
        """The numbers of all its outputs."""
        return [self.output] if self.form is None else list(leaves(self.form))


@dataclass(frozen=True)
class _Weighted:
    loss: Loss
    weight: float


def is_leaf(spec: Any) -> bool:
    """Whether it is one loss or metric: no list, and no dict but a configuration."""
    if isinstance(spec, str | list | tuple):  # an abstract class such as Mapping takes its time to tell
        return isinstance(spec, str)
    return not (isinstance(spec, Mapping) and "class_name" not in spec)


def is_branch(spec: Any) -> bool:
    """Whether it is a list or a dict of losses or metrics."""
    return not is_leaf(spec)


def spec_mapped(function: Callable[[Any], Any], spec: Any) -> Any:
    """The lists and dicts with ``function`` applied to every leaf but None."""
    if is_leaf(spec):
        return None if spec is None else function(spec)
    if isinstance(spec, Mapping):
        return {key: spec_mapped(function, value) for key, value in spec.items()}
    return [spec_mapped(function, item) for item in spec]


def output_losses(loss: Any, weights: Any, outputs: Outputs) -> list[OutputLoss]:
    """The losses of the outputs, in the order in which logs list them.

    Args:
        loss: one for all outputs; lists and dicts in the outputs' form, in which a list may stand for one output; or
            one list, or a dict by the outputs' names.
        weights: numbers in the form of ``loss`` or of the outputs.

    Raises:
        ArgumentError: they name or count other outputs.
    """
    if is_leaf(loss):
        loss = _of_all(outputs.form, loss)
    loss, weights = _by_place(loss, outputs, "loss"), _by_place(weights, outputs, "loss weight")
    weighted = _with_weights(loss, weights, outputs)
    return list(_placed(outputs.form, weighted, (), outputs))


def _of_all(form: Any, loss: Any) -> Any:
    """One loss for each output, in their form and order."""
    if not is_nested(form):
        return loss
    parts = [(key, _of_all(part, loss)) for key, part in items(form)]
    return dict(parts) if isinstance(form, Mapping) else [part for _, part in parts]


def _by_place(given: Any, outputs: Outputs, what: str) -> Any:
    """A dict by names as a list, for outputs that are no dict; anything else as it is."""
    if is_leaf(given) or not isinstance(given, Mapping):
        return given
    form = outputs.form
    if isinstance(form, Mapping):
        is_by_form = set(given) <= set(form)
        check_keys(given, list(form) if is_by_form or not outputs.is_flat else outputs.keys, what)
        return given
    check_keys(given, outputs.keys, what)
    values = [given.get(name) for name in outputs.keys]
    return packed(form, values) if is_nested(form) else values[0]


def _with_weights(loss: Any, weights: Any, outputs: Outputs) -> Any:
    """The losses, each with its weight; None where there is no loss."""
    flat = list(leaves(loss, is_branch))
    if weights is None:
        factors: list[Any] = [1.0] * len(flat)
    elif isinstance(loss, Mapping) and isinstance(weights, Mapping):
        return {
            key: _with_weights(value, weights.get(key), outputs) if is_branch(value) else _one(value, weights.get(key))
            for key, value in loss.items()
        }
    else:
        factors = list(leaves(weights, is_branch)) if is_branch(weights) else [weights]
        if len(factors) != len(flat):
            raise ArgumentError(
                f"compile: expected one loss weight for each of the {_counted(flat, outputs)}, received "
                f"{len(factors)}. Give a list with one for each, or a dict by name."
            )
    return _packed_spec(loss, iter([_one(one, factor) for one, factor in zip(flat, factors, strict=True)]))


def _counted(losses: Sequence[Any], outputs: Outputs) -> str:
    return f"outputs {outputs.keys}" if len(losses) == len(outputs) else f"{len(losses)} losses"


def _one(loss: Any, weight: Any) -> _Weighted | None:
    return None if loss is None else _Weighted(loss, 1.0 if weight is None else weight)


def _packed_spec(spec: Any, flat: Iterator[Any]) -> Any:
    if is_leaf(spec):
        return next(flat)
    values = {key: _packed_spec(value, flat) for key, value in items(spec)}
    return {key: values[key] for key in spec} if isinstance(spec, Mapping) else [values[i] for i in range(len(spec))]


def _placed(form: Any, spec: Any, path: tuple[Any, ...], outputs: Outputs) -> Iterator[OutputLoss]:
    """The losses of the outputs in ``form``, to which ``path`` leads."""
    if spec is None:
        return
    if isinstance(spec, _Weighted):
        if is_nested(form):
            if not spec.loss.is_differentiated:
                raise _mismatch(spec.loss, form, outputs)
            numbers = list(leaves(form))
            name = "/".join(map(str, path)) or "_".join(outputs.names[i] for i in numbers)
            yield OutputLoss(name, numbers[0], spec.loss, spec.weight, form)
            return
        yield OutputLoss(_named(path, outputs.names[form]), form, spec.loss, spec.weight)
        return
    numbers = list(leaves(form))
    if isinstance(spec, list) and all(is_leaf(item) for item in spec) and len(spec) == len(numbers):
        packed_spec = packed(form, spec)
        for key, item in items(packed_spec) if is_nested(form) else [(None, packed_spec)]:
            yield from _placed(form if key is None else form[key], item, path if key is None else (*path, key), outputs)
    elif isinstance(spec, list) and not is_nested(form):
        for item in spec:
            yield from _placed(form, item, path, outputs)
    elif isinstance(spec, Mapping) != isinstance(form, Mapping) or not is_nested(form) or len(spec) > len(form):
        raise _mismatch(spec, form, outputs)
    else:
        for key, item in spec.items() if isinstance(spec, Mapping) else enumerate(spec):
            yield from _placed(form[key], item, (*path, key), outputs)


def _named(path: tuple[Any, ...], name: str) -> str:
    last = path[-1] if path else 0
    return "/".join(str(part) for part in ((*path[:-1], name) if isinstance(last, int) else path))


def _mismatch(spec: Any, form: Any, outputs: Outputs) -> ArgumentError:
    received = len(spec) if isinstance(spec, list | Mapping) else 1
    names = [outputs.keys[i] for i in leaves(form)]
    return ArgumentError(
        f"compile: expected one loss for each of the outputs {names}, received {received}. "
        "Give a list with one for each, or a dict by name."
    )
