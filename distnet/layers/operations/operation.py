"""An operation on placeholders: one elementary function as a node of the graph.

What differentiates users' code by a tape can take its place: a node would then be a function of any kind.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, cast

import numpy as np

from distnet import activations, naming
from distnet.activations import Activation
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import KerasTensor, Layer, placeholders
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.on_placeholders import makes_operations
from distnet.layers.operations.changing_shapes import SHAPING
from distnet.layers.operations.elementwise import ELEMENTWISE
from distnet.layers.operations.functions import Differentiable, summed_to
from distnet.layers.operations.reducing_axes import REDUCTIONS
from distnet.ops.primitive import take_placeholders
from distnet.types import Array, Json, Shape

FUNCTIONS: Mapping[str, Differentiable] = {**ELEMENTWISE, **REDUCTIONS, **SHAPING}
"""The functions, by the names of Keras 3's classes."""

_ROWS = 5
"""Rows of the arrays on which a new operation is tried."""


@dataclass(frozen=True)
class Slot:
    """The place of a tensor among the operands of a call."""

    number: int


@dataclass(eq=False)
class Operation(Layer):
    """One elementary function of tensors, like Keras's operations on placeholders; like these it drops masks.

    It is called on its operands, of which some are placeholders and the others constants.

    Args:
        arguments: the arguments of Keras's class of that name.

    Raises:
        ArgumentError: the function mixes rows, but a rank has only its own.

    Source: ``keras.Operation``.
    """

    takes_integers: ClassVar[bool] = True
    dtypes: ClassVar[tuple[str, ...]] = ("float32", "float64")

    kind: ClassVar[str]
    """Keras's name of the function, one of ``FUNCTIONS``, and of its class."""

    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def function(self) -> Differentiable:
        """The function computed."""
        return FUNCTIONS[self.kind]

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """The placeholders among the operands, their places, and the constants."""
        operands = (inputs, *args)
        tensors = list(placeholders(operands))
        numbers = iter(range(len(tensors)))
        return tensors, {"operands": _slotted(operands, numbers), "dtypes": tuple(t.dtype for t in tensors)}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The placeholder of the result, or the list of several.

        Raises:
            ArgumentError, ShapeError: the function mixes rows, or cannot be computed for these shapes.
        """
        made = super().__call__(*args, **kwargs)
        call = self.calls[-1]
        call.is_masked = False
        results = self._tried([t.shape for t in call.inputs], call.options, _ROWS, 4)
        for tensor, result in zip(call.outputs, results, strict=True):
            tensor.dtype = self.dtype if result.dtype.kind == "f" else result.dtype.name
        return made

    def compute_call_shape(self, shape: Any, options: Mapping[str, Any]) -> Any:
        """Computed by a trial: extents that depend on an unknown one are unknown."""
        shapes = shape if isinstance(shape, list) else [shape]
        few, many = (self._tried(shapes, options, _ROWS, unknown) for unknown in (4, 6))
        self._check_rows(shapes, options, few)
        batch = next((s[0] for s in shapes if s[0] is not None), None)
        made = [
            (batch, *(n if n == m else None for n, m in zip(a.shape[1:], b.shape[1:], strict=True)))
            for a, b in zip(few, many, strict=True)
        ]
        return made if self._gives_list(options, shapes) else made[0]

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, tuple[list[Array], Any]]:
        arrays = self._declared(x if isinstance(x, list) else [x], ctx.options["dtypes"])
        y = self._value(arrays, ctx.options)
        return y, (arrays, y)

    def backward(self, dy: Any, saved: tuple[list[Array], Any], ctx: BackwardContext) -> Any:
        arrays, y = saved
        if self.function.gradients is None:
            return [None] * len(arrays) if len(arrays) > 1 else None
        template = ctx.options["operands"]
        operands = _filled(template, arrays)
        with np.errstate(all="ignore"):  # slopes of constants, and of entries that nothing depends on
            made = self.function.gradients(dy, y, *operands, **self.arguments)
        by_slot: dict[int, Array] = dict(_by_slot(template, made))
        each = [
            None if by_slot.get(i) is None or a.dtype.kind != "f" else summed_to(by_slot[i], a.shape).astype(a.dtype)
            for i, a in enumerate(arrays)
        ]
        return each if len(each) > 1 else each[0]

    def compute_mask(self, x: Any, mask: Any) -> None:
        """None: operations drop masks."""
        return None

    def get_config(self) -> dict[str, Json]:
        """As Keras 3 writes it."""
        return {"name": self.name, **{key: _plain(value) for key, value in self.arguments.items()}}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The operation that ``get_config`` described."""
        given = {key: value for key, value in config.items() if key in FUNCTIONS[cls.kind].options}
        return cls(arguments=given, name=cast(str, config.get("name")))

    def described(self, options: Mapping[str, Any]) -> Json:
        """What a call with these options computes, the constants in it, without names."""
        return [self.kind, _plain(list(self.arguments.items())), _plain(options["operands"])]

    def as_json(self) -> Json:
        """Keras 3's form of an operation."""
        return {
            "module": self.function.module,
            "class_name": self.kind,
            "config": self.get_config(),
            "registered_name": self.kind,
        }

    def _value(self, arrays: list[Array], options: Mapping[str, Any]) -> Any:
        y = self.function.value(*_filled(options["operands"], arrays), **self.arguments)
        return [self._result(part) for part in y] if isinstance(y, list) else self._result(y)

    def _result(self, y: Any) -> Array:
        array: Array = np.asarray(y)
        return array.astype(self.dtype, copy=False) if array.dtype.kind == "f" else array

    def _declared(self, arrays: list[Array], dtypes: tuple[str, ...]) -> list[Array]:
        """The arrays in the dtypes of their placeholders, floating point numbers in the layer's."""
        wanted = [self.dtype if np.dtype(dtype).kind == "f" else dtype for dtype in dtypes]
        return [a.astype(dtype, copy=False) for a, dtype in zip(arrays, wanted, strict=True)]

    def _examples(self, shapes: list[Shape], options: Mapping[str, Any], rows: int, unknown: int) -> list[Array]:
        rng = np.random.default_rng(0)
        extents = [(rows, *(unknown if n is None else n for n in shape[1:])) for shape in shapes]
        return self._declared([rng.uniform(0.1, 0.9, shape) for shape in extents], options["dtypes"])

    def _tried(self, shapes: list[Shape], options: Mapping[str, Any], rows: int, unknown: int) -> list[Array]:
        """The results of some arrays of these shapes."""
        try:
            with np.errstate(all="ignore"):
                y = self._value(self._examples(shapes, options, rows, unknown), options)
        except (ArithmeticError, IndexError, TypeError, ValueError) as error:
            raise ShapeError(f"{self.name}: {self.kind} of {shapes} cannot be computed: {error}.") from None
        return y if isinstance(y, list) else [y]

    def _gives_list(self, options: Mapping[str, Any], shapes: list[Shape]) -> bool:
        return isinstance(self._value(self._examples(shapes, options, 1, 4), options), list)

    def _check_rows(self, shapes: list[Shape], options: Mapping[str, Any], whole: list[Array]) -> None:
        """Fail unless each row of the results depends only on the same row of the operands."""
        arrays = self._examples(shapes, options, _ROWS, 4)
        try:
            with np.errstate(all="ignore"):
                parts = [self._value([a[i:j] for a in arrays], options) for i, j in ((0, 2), (2, _ROWS))]
            each = [part if isinstance(part, list) else [part] for part in parts]
            joined = [np.concatenate(pair) for pair in zip(*each, strict=True)]
            is_apart = all(
                a.shape == b.shape and a.shape[:1] == (_ROWS,) and np.allclose(a, b, equal_nan=True)
                for a, b in zip(joined, whole, strict=True)
            )
        except (ArithmeticError, IndexError, TypeError, ValueError):
            is_apart = False
        if not is_apart:
            raise ArgumentError(
                f"{self.name}: {self.kind} of tensors of shapes {shapes} mixes the rows of the batch, its first axis, "
                "but a rank has only its own rows. Leave that axis out of the axes, keys and shapes."
            )


@makes_operations
def applied(kind: str, *operands: Any, name: str | None = None, **arguments: Any) -> Any:
    """Applies a function to placeholders and constants: the placeholder of its result, or the list of several.

    Args:
        kind: Keras's name of the function.
        operands: in order.
        name: of the operation; by default the kind in snake case, numbered.
        arguments: the options; defaults are filled in.
    """
    dtype = next((t.dtype for t in placeholders(operands) if np.dtype(t.dtype).kind == "f"), None)
    given = {**FUNCTIONS[kind].options, **arguments}
    name = name or naming.unique_name(kind)
    return operation_class(kind)(arguments=given, name=name, dtype=cast(str, dtype))(*operands)


def called(kind: str, *args: Any, **kwargs: Any) -> Any:
    """Like ``applied``, for arguments as Keras's function takes them: by position or by name.

    Raises:
        ArgumentError: an argument is unknown.
    """
    function = FUNCTIONS[kind]
    names = (*function.operands, *function.options)
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    if kind == "Einsum":
        return applied(kind, *args[1:], subscripts=args[0])
    if len(args) > len(names) or not set(function.operands) <= given.keys() <= set(names):
        received = [*args, *sorted(kwargs)]
        raise ArgumentError(f"{kind} of placeholders: expected {list(names)}, received {received!r:.200}.")
    return applied(kind, *(given.pop(name) for name in function.operands), **given)


take_placeholders(KerasTensor, lambda function, operands, options: applied(function.kind, *operands, **options))


@makes_operations
def activated(activation: Activation, x: KerasTensor) -> Any:
    """The operation of an activation.

    Raises:
        ArgumentError: the activation is none of Keras's.
    """
    if activation == activations.linear:
        return x
    if isinstance(activation, activations.ReLU) and activation not in (activations.relu, activations.relu6):
        return applied("ReLU", x, **dataclasses.asdict(activation))
    kind = {"Exponential": "Exp"}.get(type(activation).__name__, type(activation).__name__).lower()
    kind = "relu6" if activation == activations.relu6 else kind
    operation = next((name for name in FUNCTIONS if name.lower() == kind), None)
    options = {f.name: getattr(activation, f.name) for f in dataclasses.fields(activation)}
    known = (
        {}
        if operation is None
        else {key: value for key, value in options.items() if key in FUNCTIONS[operation].options}
    )
    if operation is None or (operation != "Relu6" and type(activation)(**known) != activation):
        raise ArgumentError(
            f"{activation!r} of a placeholder: expected an activation that Keras has as an operation. "
            "Use the layer Activation."
        )
    return applied(operation, x, **known)


@functools.cache
def operation_class(kind: str) -> type[Operation]:
    """The class of a function's operations, which is called as Keras's."""
    return type(kind, (Operation,), {"kind": kind})


def _slotted(value: Any, numbers: Iterator[int]) -> Any:
    """Operands with slots instead of placeholders."""
    if isinstance(value, KerasTensor):
        return Slot(next(numbers))
    if isinstance(value, list | tuple):
        return type(value)(_slotted(item, numbers) for item in value)
    return value


def _filled(value: Any, arrays: list[Array]) -> Any:
    """Operands with arrays instead of slots."""
    if isinstance(value, Slot):
        return arrays[value.number]
    if isinstance(value, list | tuple):
        return type(value)(_filled(item, arrays) for item in value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
        kinds = [a.dtype for a in arrays if a.dtype.kind == "f"]
        return value.astype(kinds[0]) if kinds else value
    return value


def _by_slot(template: Any, gradients: Any) -> Iterator[tuple[int, Array]]:
    """Each slot's number with its gradient."""
    if isinstance(template, Slot):
        yield template.number, gradients
    elif isinstance(template, list | tuple) and isinstance(gradients, list | tuple):
        for item, gradient in zip(template, gradients, strict=True):
            yield from _by_slot(item, gradient)


def _plain(value: Any) -> Json:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()  # type: ignore[no-any-return]
    if isinstance(value, Slot | slice):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
