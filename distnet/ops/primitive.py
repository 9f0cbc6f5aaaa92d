"""What a function of tensors is: its value, its gradients, and how ranks share its rows.

>>> from distnet import ops
>>> ops.square(3.0)
9.0
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from distnet.errors import ArgumentError, DistnetError, ShapeError
from distnet.ops import tape
from distnet.ops.fitting import fitting, written
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

_are_tensors: dict[tuple[type, ...], bool] = {}
"""By the kinds of operands, for those that are simple or weights: whether there are tensors among them, or arrays only.

Each call of a user's layer asks several times.
"""


def _has_tensors(kinds: tuple[type, ...]) -> bool | None:
    """Whether there are tensors among operands of these kinds, or arrays only; None where it is not that simple."""
    known = set(kinds)
    if known <= _SIMPLE and Tensor not in known:
        _are_tensors[kinds] = False
    elif known <= _SIMPLE | {Variable} and Tensor in known:
        _are_tensors[kinds] = True
    return _are_tensors.get(kinds)


def take_placeholders(kind: type, make: Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any]) -> None:
    """Say what placeholders are, and what makes nodes of the graph of calls on them: layers, which lie above."""
    _placeholder_types.append(kind)
    _on_placeholders.append(make)


def take_spread_rows(apply: Callable[[Primitive, Sequence[Any], Mapping[str, Any]], Any]) -> None:
    """Say what computes calls of which some operands are spread over the ranks."""
    _on_spread_rows.append(apply)


def are_placeholders(*values: Any) -> bool:
    """Whether some of these are placeholders."""
    return any(type(value) in _placeholder_types for value in values)


def has_placeholders(operands: Sequence[Any]) -> bool:
    """Whether there are placeholders among operands, or in lists of them."""
    return any(type(leaf) in _placeholder_types for leaf in flat(operands))


def on_placeholders(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The node of the graph of a call on placeholders."""
    return _on_placeholders[0](function, tuple(operands), dict(options))


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
        self.pulls = self._of_each(pulls) if pulls else ()
        self.writers = self._of_each(self.writers)

    def can_write(self, *writers: Gradient | None) -> None:
        """Say how gradients of arrays are written into given memory, of the operand's shape.

        ``(dy, y, *operands, out=..., **options)`` returns the memory, or None if it cannot write there.
        """
        self.writers = self._of_each(writers)

    def _of_each(self, functions: tuple[Gradient | None, ...]) -> tuple[Gradient | None, ...]:
        """As many as there are operands, if their number is known."""
        return functions if self.takes_any else (*functions, *[None] * (self.operands - len(functions)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        operands, options = self.bound(args, kwargs)
        if kwargs or len(args) != self.operands:
            options = {name: self._without_gradient(name, value) for name, value in options.items()}
        kinds = tuple(map(type, operands))
        has_tensors = _are_tensors.get(kinds)
        if has_tensors is None:
            has_tensors = _has_tensors(kinds)
        if has_tensors:
            operands = [tape.leaf(o) if type(o) is Variable else o for o in operands]
            for operand in operands:
                if type(operand) is Tensor and operand.rows is not None:
                    return _on_spread_rows[0](self, operands, options)
            return self._of_tensors(operands, options)
        if has_tensors is None:
            return self._of_others(operands, options)
        y = self.value(*operands, **options)
        return y if STATE.is_plain else as_result(y)

    def _of_others(self, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """What the function gives where operands may be lists, placeholders, or what stands for a tensor."""
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

    def bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """The operands, and the options with their defaults.

        Raises:
            ArgumentError: an argument is unknown or missing.
        """
        usual = self.usual_options
        if usual is not None and len(args) == self.operands and kwargs.keys() <= usual.keys():
            return args, {**usual, **kwargs} if kwargs else usual
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
        if not any(isinstance(o, list | tuple) for o in operands):
            return self._of_tensors(operands, options)
        return self._of_lists(operands, options)

    def _of_tensors(self, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """See ``recorded``; there are no lists among the operands."""
        if self.returns_many or self.takes_any:
            return self._of_lists(operands, options)
        plain = [o.value if type(o) is Tensor else _plain(o) for o in operands]
        y = np.asarray(self._computed(plain, options))
        if y.dtype.kind not in "fc":
            return Tensor(y)
        is_followed, parents = False, list[Tensor | None]()
        if STATE.recording > 0 and self.pulls:
            for o in operands:
                is_parent = type(o) is Tensor and o.node is not None and o.value.dtype.kind in "fc"
                parents.append(o if is_parent else None)
                is_followed = is_followed or is_parent
        if not is_followed:
            return Tensor(y)
        node = TapeNode(parents, _pull_of_one, False, self, (operands, plain, options, y))
        if STATE.nodes is not None:
            STATE.nodes.append(node)
        made = Tensor(y, node)
        hand_on_reads(parents, (made,))
        return made

    def _computed(self, plain: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """What the function gives for arrays.

        Raises:
            ShapeError: it cannot be computed of them.
        """
        try:
            return self.value(*plain, **options)
        except DistnetError:
            raise
        except (ValueError, IndexError) as error:
            shapes = [np.shape(leaf) for leaf in flat(plain)]
            raise ShapeError(
                f"ops.{self.__name__}: cannot be computed of tensors of shapes {shapes}: {error}."
            ) from error

    def _of_lists(self, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """See ``recorded``; operands and results may be lists."""
        plain = mapped(_plain, operands)
        y = self._computed(plain, options)
        results = [np.asarray(part) for part in (y if self.returns_many else (y,))]
        node = None
        if STATE.recording > 0 and self.pulls and any(r.dtype.kind in "fc" for r in results):
            leaves = flat(operands)
            parents = [leaf if type(leaf) is Tensor and leaf.value.dtype.kind in "fc" else None for leaf in leaves]
            if any(parent is not None and parent.node is not None for parent in parents):
                node = TapeNode(parents, self._pull(operands, plain, options, results))
        tensors = [Tensor(r, node if r.dtype.kind in "fc" else None, i) for i, r in enumerate(results)]
        if node is not None:
            hand_on_reads(node.parents, tensors)
        return type(y)(tensors) if self.returns_many else tensors[0]

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
                made += [fitting(d, leaf) for d, leaf in zip(each, leaves, strict=True)]
            return made

        return pull

    def __repr__(self) -> str:
        return f"<function ops.{self.__name__}>"

    def __reduce__(self) -> str:
        return self.__name__


def _pull_of_one(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
    """The gradients of a function of so many tensors, without lists, whose result is one: most are."""
    return [gradient_by(node, i, dys[0], is_followed) if is_needed else None for i, is_needed in enumerate(node.needed)]


def gradient_by(node: TapeNode, i: int, dy: Any, is_followed: bool = False) -> Any:
    """The gradient by one operand, of a function that makes one tensor; None if it has none."""
    function: Primitive = node.function
    operands, plain, options, y = node.computed
    by_one = function.pulls[i]
    if by_one is None:
        return None
    if is_followed:
        return fitting(by_one(dy, Tensor(y, node), *operands, **options), operands[i])
    writer = function.writers[i]
    dx = None if writer is None else written(writer, operands[i], dy, y, plain, options)
    return fitting(by_one(dy, y, *plain, **options), operands[i]) if dx is None else dx


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
