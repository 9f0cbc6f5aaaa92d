"""What a function of tensors is: its value, its gradients, and how ranks share its rows.

>>> from distnet import ops
>>> ops.square(3.0)
9.0
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias

import numpy as np

from distnet import kernels
from distnet.errors import ArgumentError, DistnetError, ShapeError
from distnet.ops import tape
from distnet.ops.operators import PRIMITIVES
from distnet.ops.recording import STATE, is_recording
from distnet.ops.tensor import Pull, Rows, TapeNode, Tensor, hand_on_reads, whole_value
from distnet.results import ResultArray, as_result
from distnet.types import Array
from distnet.variables import Variable

Gradient: TypeAlias = Callable[..., Any]
"""``(dy, y, *operands, **options)``: the gradient by one operand, or the list of those by each of a list."""

Spread: TypeAlias = Callable[["Primitive", Sequence[Any], Mapping[str, Any]], Any]
"""Computes a call of which some operands are spread over the ranks; None if it cannot without gathering their rows."""

_on_placeholders: list[Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any]] = []
_placeholder_types: list[type] = []
_on_spread_rows: list[Callable[[Primitive, Sequence[Any], Mapping[str, Any]], Any]] = []

_SIMPLE = {Tensor, np.ndarray, int, float, bool, type(None), np.float32, np.float64}
"""The kinds of operands that most calls have: no lists, nor anything that stands for a tensor."""

_NUMBERS = {bool, int, float, str, type(None)}
"""The kinds of options that most calls have."""

_SIMPLE_OR_WEIGHTS = _SIMPLE | {Variable}


def take_placeholders(kind: type, make: Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any]) -> None:
    """Say what placeholders are, and what makes nodes of the graph of calls on them: layers, which lie above."""
    _placeholder_types.append(kind)
    _on_placeholders.append(make)


def take_spread_rows(apply: Callable[[Primitive, Sequence[Any], Mapping[str, Any]], Any]) -> None:
    """Say what computes calls of which some operands are spread over the ranks."""
    _on_spread_rows.append(apply)


def has_placeholders(operands: Sequence[Any]) -> bool:
    """Whether there are placeholders among operands, or in lists of them."""
    return any(type(leaf) in _placeholder_types for leaf in flat(operands))


def on_placeholders(function: Primitive, operands: Sequence[Any], options: dict[str, Any]) -> Any:
    """The node of the graph of a call on placeholders."""
    return _on_placeholders[0](function, tuple(operands), options)


class Primitive:
    """A function of tensors: of arrays it gives arrays, of placeholders a node of the graph, of tensors tensors.

    Args:
        value: the function of arrays. Its first ``operands`` arguments are tensors, or lists of tensors.
        operands: how many of the arguments can be tensors.
        kind: Keras's name of the operation's class.
        module: where Keras has that class.
        spread: how it is computed of rows that are spread over ranks; None gathers them first, which is always right.
        returns_many: whether it returns a list or tuple of arrays.
    """

    def __init__(
        self, value: Callable[..., Any], operands: int, kind: str, module: str, spread: Spread | None,
        returns_many: bool,
    ) -> None:  # fmt: skip
        self.value, self.operands, self.kind, self.module = value, operands, kind, module
        self.spread, self.returns_many = spread, returns_many
        self.pulls: tuple[Gradient | None, ...] = ()
        self.writers: tuple[Gradient | None, ...] = ()
        self.__name__ = self.__qualname__ = value.__name__
        self.__doc__, self.__module__, self.__wrapped__ = value.__doc__, value.__module__, value
        self.__signature__ = inspect.signature(value)
        parameters = list(self.__signature__.parameters.values())
        self.takes_any = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.names = tuple(p.name for p in parameters)
        options = parameters[operands:]
        is_complete = not self.takes_any and all(p.default is not p.empty for p in options)
        self.usual_options = {p.name: p.default for p in options} if is_complete else None
        self.defaults = {p.name: p.default for p in parameters if p.default is not p.empty}

    def has_gradients(self, *pulls: Gradient | None) -> None:
        """Say the gradients by the operands, one function for each; None for an operand that has none.

        A gradient may have the shape of the result where the operand was broadcast: it is summed. It is written with
        operators and functions of this package, so that it has a gradient, too.
        """
        self.pulls = pulls

    def can_write(self, *writers: Gradient | None) -> None:
        """Say how gradients of arrays are written into given memory, of the operand's shape.

        ``(dy, y, *operands, out=..., **options)`` returns the memory, or None if it cannot write there.
        """
        self.writers = writers

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        operands, options = self.bound(args, kwargs)
        if kwargs or len(args) != self.operands:
            options = {name: self._without_gradient(name, value) for name, value in options.items()}
        kinds = {type(operand) for operand in operands}
        if kinds <= _SIMPLE and Tensor not in kinds:
            y = self.value(*operands, **options)
            return y if STATE.is_plain else as_result(y)
        if kinds <= _SIMPLE_OR_WEIGHTS and Tensor in kinds:
            operands = [tape.leaf(o) if type(o) is Variable else o for o in operands]
            if all(type(o) is not Tensor or o.rows is None for o in operands):
                return self._recorded_of(operands, options, operands)
            return _on_spread_rows[0](self, operands, options)
        kinds = {type(leaf) for leaf in flat(operands)}
        if not kinds.isdisjoint(_placeholder_types):
            return on_placeholders(self, operands, options)
        if Tensor not in kinds and not (is_recording() and kinds & {Variable, ResultArray}):
            return as_result(self.value(*mapped(_plain, operands), **options))
        operands = mapped(followed, operands)
        leaves = [leaf for leaf in flat(operands) if type(leaf) is Tensor]
        if any(leaf.rows is not None for leaf in leaves):
            return _on_spread_rows[0](self, operands, options)
        return self.recorded(operands, options)

    def bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The operands, and the options with their defaults.

        Raises:
            ArgumentError: an argument is unknown or missing.
        """
        if len(args) == self.operands and not kwargs and self.usual_options is not None:
            return list(args), dict(self.usual_options)
        if self.takes_any:
            given = self.__signature__.bind(*args, **kwargs)
            given.apply_defaults()
            return list(given.args), dict(given.kwargs)
        if len(args) > len(self.names) or not kwargs.keys() <= set(self.names[len(args) :]):
            raise ArgumentError(
                f"ops.{self.__name__}: expected {self.__signature__}, received {args!r:.200} {kwargs!r:.200}."
            )
        values = {**self.defaults, **dict(zip(self.names, args, strict=False)), **kwargs}
        missing = [name for name in self.names if name not in values]
        if missing:
            raise ArgumentError(f"ops.{self.__name__}: expected {self.__signature__}, received no {missing[0]}.")
        named = [(name, values[name]) for name in self.names]
        return [value for _, value in named[: self.operands]], dict(named[self.operands :])

    def _without_gradient(self, name: str, value: Any) -> Any:
        """An option, which is no operand: of a tensor its entries, of which one integer is one of Python's.

        Raises:
            ArgumentError: gradients would flow through it.
        """
        kind = type(value)
        if kind in _NUMBERS:
            return value
        if kind is Tensor or kind is Variable:
            tensor = followed(value)
            if is_recording() and type(tensor) is Tensor and tensor.node is not None:
                raise ArgumentError(
                    f"ops.{self.__name__}: {name}: expected a constant, for no gradient flows through it, received a "
                    f"tensor that has one. Compose what you need of other functions, or pass ops.stop_gradient({name})."
                )
            value = whole_value(tensor) if type(tensor) is Tensor else np.asarray(value)
        elif kind is list or kind is tuple:
            return kind(self._without_gradient(name, item) for item in value)
        if isinstance(value, np.ndarray) and not value.ndim and value.dtype.kind in "iu":
            return int(value)
        return value

    def recorded(self, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """The tensors that the function gives for tensors of which no rows lie elsewhere."""
        return self._recorded_of(operands, options, flat(operands))

    def _recorded_of(self, operands: Sequence[Any], options: Mapping[str, Any], leaves: Sequence[Any]) -> Any:
        """See ``recorded``; ``leaves`` are the operands with the entries of lists among them."""
        is_flat = len(leaves) == len(operands) and not any(isinstance(o, list | tuple) for o in operands)
        plain = [_plain(o) for o in operands] if is_flat else mapped(_plain, operands)
        try:
            y = self.value(*plain, **options)
        except DistnetError:
            raise
        except (ValueError, IndexError) as error:
            shapes = [np.shape(leaf) for leaf in flat(plain)]
            raise ShapeError(
                f"ops.{self.__name__}: cannot be computed of tensors of shapes {shapes}: {error}."
            ) from error
        results = [np.asarray(part) for part in (y if self.returns_many else (y,))]
        node = None
        if STATE.recording > 0 and self.pulls and any(r.dtype.kind in "fc" for r in results):
            parents = [leaf if type(leaf) is Tensor and leaf.value.dtype.kind in "fc" else None for leaf in leaves]
            if any(parent is not None and parent.node is not None for parent in parents):
                is_plain = is_flat and not self.returns_many and not self.takes_any
                make = self._pull_of_one if is_plain else self._pull
                node = TapeNode(parents, make(operands, plain, options, results))
        tensors = [Tensor(r, node if r.dtype.kind in "fc" else None, i) for i, r in enumerate(results)]
        if node is not None:
            hand_on_reads(node.parents, tensors)
        return type(y)(tensors) if self.returns_many else tensors[0]

    def _pull_of_one(
        self, operands: Sequence[Any], plain: list[Any], options: Mapping[str, Any], results: list[Array]
    ) -> Pull:
        """The gradients of a function of so many tensors, without lists, whose result is one: most are."""

        def pull(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
            given = operands if is_followed else plain
            y: Any = Tensor(results[0], node) if is_followed else results[0]
            made: list[Any] = []
            for i, (by_one, operand, is_needed) in enumerate(zip_longest(self.pulls, operands, node.needed)):
                if by_one is None or not is_needed:
                    made.append(None)
                    continue
                writer = self.writers[i] if self.writers and not is_followed else None
                dx = None if writer is None else written(writer, operand, dys[0], y, given, options)
                made.append(_fitting(by_one(dys[0], y, *given, **options), operand) if dx is None else dx)
            return made

        return pull

    def _pull(
        self, operands: Sequence[Any], plain: list[Any], options: Mapping[str, Any], results: list[Array]
    ) -> Pull:
        def pull(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
            given, made_here = plain, list[Any](results)
            if is_followed:
                given, made_here = list(operands), [Tensor(r, node, i) for i, r in enumerate(results)]
            y: Any = made_here if self.returns_many else made_here[0]
            dy: Any = dys[0]
            if self.returns_many:
                dys = [*dys, *[None] * (len(results) - len(dys))]
                dy = [np.zeros_like(r) if d is None else d for d, r in zip(dys, results, strict=True)]
            made: list[Any] = []
            for i, operand in enumerate(operands):
                by_one = self.pulls[i] if i < len(self.pulls) else self.pulls[-1] if self.takes_any else None
                leaves = flat([operand])
                if by_one is None or not any(node.needed[len(made) : len(made) + len(leaves)]):
                    made += [None] * len(leaves)
                    continue
                extra = (i,) if self.takes_any else ()
                dx = by_one(dy, y, *given, *extra, **options)
                each = dx if isinstance(operand, list | tuple) else [dx]
                made += [_fitting(d, leaf) for d, leaf in zip(each, leaves, strict=True)]
            return made

        return pull

    def __repr__(self) -> str:
        return f"<function ops.{self.__name__}>"

    def __reduce__(self) -> str:
        return self.__name__


def primitive(
    operands: int = 1,
    *,
    kind: str | None = None,
    module: str = "numpy",
    spread: Spread | None = None,
    returns_many: bool = False,
) -> Callable[[Callable[..., Any]], Primitive]:
    """Decorate a function of arrays: see ``Primitive`` for the arguments.

    Args:
        kind: by default the function's name in camel case.
        module: the last part of Keras's module: numpy, nn, math, core, linalg, image.
    """

    def decorate(value: Callable[..., Any]) -> Primitive:
        name = kind or "".join(part.capitalize() for part in value.__name__.split("_"))
        made = Primitive(value, operands, name, f"keras.src.ops.{module}", spread, returns_many)
        PRIMITIVES[name] = made
        return made

    return decorate


def flat(operands: Sequence[Any]) -> list[Any]:
    """The operands with the entries of lists among them."""
    leaves: list[Any] = []
    for operand in operands:
        if isinstance(operand, list | tuple):
            leaves += flat(operand)
        else:
            leaves.append(operand)
    return leaves


def mapped(function: Callable[[Any], Any], operands: Sequence[Any]) -> list[Any]:
    """The operands, and the entries of lists among them, as the function gives them."""
    return [type(o)(mapped(function, o)) if isinstance(o, list | tuple) else function(o) for o in operands]


def followed(value: Any) -> Any:
    """A variable, or a result that a tape watches, as a tensor; anything else as it is."""
    if type(value) is Variable:
        return tape.leaf(value)
    if type(value) is ResultArray and value.followed is not None:
        return value.followed
    return value


def _plain(value: Any) -> Any:
    if type(value) is Tensor or type(value) is Variable:
        return value.value
    return np.asarray(value) if type(value) is ResultArray else value


def _fitting(gradient: Any, operand: Any) -> Any:
    """The gradient of an operand that may have been broadcast, and whose dtype may differ."""
    if gradient is None or type(operand) is not Tensor or operand.node is None:
        return None
    value = operand.value
    if gradient.shape != value.shape:
        gradient = (
            PRIMITIVES["SumTo"](gradient, value.shape) if type(gradient) is Tensor else summed_to(gradient, value.shape)
        )
    if gradient.dtype != value.dtype:
        gradient = (
            PRIMITIVES["Cast"](gradient, value.dtype.name) if type(gradient) is Tensor else gradient.astype(value.dtype)
        )
    return gradient


def written(
    writer: Gradient, operand: Tensor, dy: Array, y: Array, operands: Sequence[Any], options: Mapping[str, Any]
) -> Array | None:
    """The gradient of a weight in the memory that waits for it; None if there is none, or it is not suitable."""
    source = operand.node
    if source is not None and source.sums_ranks and source.parents[0] is not None:
        source = source.parents[0].node
    if source is None or source.memory is None or source.memory.shape != operand.value.shape:
        return None
    made: Array | None = writer(dy, y, *operands, out=source.memory, **options)
    if made is not None:
        source.memory = None
    return made


def summed_to(gradient: Array, shape: tuple[int, ...]) -> Array:
    """The gradient of an array of ``shape`` that was broadcast to the gradient's shape."""
    if gradient.ndim > 1 and shape == gradient.shape[-1:] and _is_for_kernels(gradient):
        totals = kernels.current().column_sums(gradient.reshape(1, -1, shape[0]))
        return totals.reshape(shape).astype(gradient.dtype)
    extra = gradient.ndim - len(shape)
    repeated = [i + extra for i, n in enumerate(shape) if n == 1 != gradient.shape[i + extra]]
    total = gradient.sum(axis=(*range(extra), *repeated), keepdims=True) if extra or repeated else gradient
    return np.asarray(total).reshape(shape)


def _is_for_kernels(a: Array) -> bool:
    return a.flags.c_contiguous and a.dtype.char in "fd" and a.size > 0


def local(tensor: Any) -> Any:
    """This rank's rows of a tensor, as a tensor of its own."""
    return (
        tensor if type(tensor) is not Tensor or tensor.rows is None else Tensor(tensor.value, tensor.node, tensor.index)
    )


def of_rows(tensor: Any, rows: Rows) -> Any:
    """The tensor, said to be this rank's rows of one of all ranks; lists entry by entry."""
    if isinstance(tensor, list | tuple):
        return type(tensor)(of_rows(part, rows) for part in tensor)
    return Tensor(tensor.value, tensor.node, tensor.index, rows)
