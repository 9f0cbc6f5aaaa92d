"""An operation on placeholders: one function of ``distnet.ops`` as a node of the graph."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar, cast

import numpy as np

from distnet import activations, config, naming
from distnet.activations import Activation
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import KerasTensor, Layer, placeholders
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.on_placeholders import take_activations
from distnet.layers.engine.on_tensors import as_tensor
from distnet.layers.engine.structures import Slot, slotted
from distnet.layers.operations.operands import called_with, keras_module, left_to_call
from distnet.layers.operations.specimens import Specimens
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, take_placeholders
from distnet.ops.recording import paused
from distnet.ops.spread import gathered, own_rows, summed
from distnet.ops.tape import following, gradients, watched
from distnet.ops.tensor import Rows, Tensor
from distnet.types import STRING, Array, Json

Op = TypeVar("Op", bound="Operation")


@dataclass(eq=False)
class Operation(Layer):
    """One function of tensors, like Keras's operations on placeholders; like these it drops masks.

    It is called on its operands, of which some are placeholders and the others constants. On several ranks a function
    that mixes rows computes with those of all ranks.

    Args:
        arguments: the arguments of Keras's class of that name.

    Source: ``keras.Operation``.
    """

    takes_integers: ClassVar[bool] = True
    dtypes: ClassVar[tuple[str, ...]] = ("float32", "float64")

    kind: ClassVar[str]
    """Keras's name of the function, a key of ``PRIMITIVES``, and of its class."""

    arguments: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._depends_on_batch = False
        super().__post_init__()

    @property
    def depends_on_batch(self) -> bool:
        """Whether a row of the results may depend on other rows of the operands."""
        return self._depends_on_batch

    @property
    def function(self) -> Primitive:
        """The function computed."""
        return cast(Primitive, PRIMITIVES[self.kind])

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """The placeholders among the operands, their places, and the constants."""
        operands = (inputs, *args)
        template, tensors = slotted(operands, lambda leaf: isinstance(leaf, KerasTensor))
        options = {
            "operands": template,
            "dtypes": tuple(t.dtype for t in tensors),
            "have_rows": _have_rows(tensors),
        }
        return tensors, options

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The placeholder of the result, or the list of several.

        Raises:
            ShapeError: the function cannot be computed for these shapes.
        """
        made = super().__call__(*args, **kwargs)
        call = self.calls[-1]
        call.is_masked = False
        trial = self._trial([t.shape for t in call.inputs], call.options)
        for tensor, dtype, has_rows in zip(call.outputs, trial.dtypes, trial.have_rows, strict=True):
            tensor.dtype = self.dtype if np.dtype(dtype).kind == "f" else dtype
            tensor.has_rows = has_rows
        call.options = {**call.options, "results_have_rows": tuple(trial.have_rows)}
        self._depends_on_batch = self._depends_on_batch or trial.mixes_rows
        return made

    def in_form(self, outputs: Sequence[Any]) -> Any:
        """The outputs in the form that the function returns: alone, or a list."""
        return outputs[0] if len(outputs) == 1 and not self.function.returns_many else list(outputs)

    def compute_call_shape(self, shape: Any, options: Mapping[str, Any]) -> Any:
        """Computed by specimens: extents that depend on an unknown one are unknown."""
        made = self._trial(shape if isinstance(shape, list) else [shape], options).shapes
        return made if self.function.returns_many or len(made) > 1 else made[0]

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, tuple[list[Tensor], list[Any], Rows | None]]:
        arrays = self._declared(x if isinstance(x, list) else [x], ctx.options["dtypes"])
        count = next((len(a) for a, has in zip(arrays, ctx.options["have_rows"], strict=True) if has), 0)
        rows = ctx.rows(count)
        tensors = [
            Tensor(a, rows=rows if has else None) for a, has in zip(arrays, ctx.options["have_rows"], strict=True)
        ]
        for tensor in tensors:
            if tensor.dtype.kind == "f":
                watched(tensor)
        with following(), np.errstate(all="ignore"):
            results = [as_tensor(result) for result in self._results(tensors, ctx.options)]
            if rows is not None:
                results = [
                    _placed(result, rows, has)
                    for result, has in zip(results, ctx.options["results_have_rows"], strict=True)
                ]
        y = [result.value for result in results]
        return y if self.function.returns_many or len(y) > 1 else y[0], (tensors, results, rows)

    def backward(self, dy: Any, saved: tuple[list[Tensor], list[Tensor], Rows | None], ctx: BackwardContext) -> Any:
        tensors, results, rows = saved
        dys = dy if isinstance(dy, list) else [dy]
        ends = [
            (_apart(result), d)
            for result, d in zip(results, dys, strict=True)
            if d is not None and result.node is not None
        ]
        with paused():
            keys = [(t.node, t.index) for t in tensors if t.node is not None]
            made = gradients(ends, keys)
            each: list[Array | None] = []
            for tensor in tensors:
                key = None if tensor.node is None else (tensor.node, tensor.index)
                part = None if key is None else made.shared.get(key)
                if key in made.own:
                    own = summed(made.own[key])
                    part = own if part is None else part + own
                each.append(part)
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
        known = options_of(cls.kind)
        given = {key: value for key, value in config.items() if key in known}
        return cls(arguments=given, name=cast(str, config.get("name")))

    def described(self, options: Mapping[str, Any]) -> Json:
        """What a call with these options computes, the constants in it, without names."""
        return [self.kind, _plain(list(self.arguments.items())), _plain(options["operands"])]

    def as_json(self) -> Json:
        """Keras 3's form of an operation."""
        return {
            "module": keras_module(self.function),
            "class_name": self.kind,
            "config": self.get_config(),
            "registered_name": self.kind,
        }

    def anew(self) -> Self:
        """Another operation that computes the same."""
        return type(self)(arguments=dict(self.arguments), name=self.name, dtype=self.dtype)

    def computed(self, tensors: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """What the function gives for tensors or arrays in the places of a call's placeholders."""
        operands = _filled(options["operands"], tensors)
        if self.function.takes_any:
            return self.function(*operands, **self.arguments)
        names = called_with(self.function)
        return self.function(**dict(zip(names, operands, strict=False)), **self.arguments)

    def _results(self, tensors: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
        y = self.computed(tensors, options)
        parts = list(y) if isinstance(y, list | tuple) else [y]
        return [self._in_dtype(part) for part in parts]

    def _in_dtype(self, y: Any) -> Any:
        if y.dtype.kind != "f" or y.dtype == np.dtype(self.dtype):
            return y
        return PRIMITIVES["Cast"](y, self.dtype)

    def _declared(self, arrays: Sequence[Array], dtypes: Sequence[str]) -> list[Array]:
        """The arrays in the dtypes of their placeholders, floating point numbers in the layer's."""
        wanted = [self.dtype if np.dtype(dtype).kind == "f" else dtype for dtype in dtypes]
        return [a.astype(dtype, copy=False) for a, dtype in zip(arrays, wanted, strict=True)]

    def _trial(self, shapes: Sequence[Any], options: Mapping[str, Any]) -> Specimens:
        def value(arrays: Sequence[Array]) -> list[Array]:
            return [np.asarray(part) for part in self._results(self._declared(arrays, options["dtypes"]), options)]

        dtypes = [self.dtype if np.dtype(dtype).kind == "f" else dtype for dtype in options["dtypes"]]
        trial = Specimens(value, shapes, dtypes, options["have_rows"], _extents(options["operands"]))
        try:
            trial.run()
        except (ArithmeticError, ArgumentError, IndexError, ShapeError, TypeError, ValueError) as error:
            raise ShapeError(f"{self.name}: {self.kind} of {list(shapes)} cannot be computed: {error}.") from None
        return trial


def options_of(kind: str) -> dict[str, Any]:
    """The arguments of Keras's class of operations, with their defaults."""
    function = cast(Primitive, PRIMITIVES[kind])
    return {name: function.defaults.get(name) for name in left_to_call(function)}


def applied(kind: str, *operands: Any, name: str | None = None, **arguments: Any) -> Any:
    """Applies a function to placeholders and constants: the placeholder of its result, or the list of several.

    Args:
        kind: Keras's name of the function.
        operands: in order.
        name: of the operation; by default the kind in snake case, numbered.
        arguments: the options; defaults are filled in.
    """
    dtype = next((t.dtype for t in placeholders(operands) if t.dtype != STRING and np.dtype(t.dtype).kind == "f"), None)
    given = {**options_of(kind), **arguments}
    if given.get("data_format", "") is None:
        given["data_format"] = config.image_data_format()  # Keras finds no default when it reads a file
    name = name or naming.unique_name(kind)
    return operation_class(kind)(arguments=given, name=name, dtype=cast(str, dtype))(*operands)


def _of_placeholders(function: Primitive, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What a function called on placeholders gives."""
    if function.takes_any:
        return applied(function.kind, *operands, **options)
    named = {**dict(zip(function.names, operands, strict=False)), **options}
    given = [named.pop(name) for name in called_with(function)]
    return applied(function.kind, *given, **named)


take_placeholders(KerasTensor, _of_placeholders)
take_activations(lambda activation, x: activated(activation, x))


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
    operation = next((name for name in PRIMITIVES if name.lower() == kind), None)
    options = {f.name: getattr(activation, f.name) for f in dataclasses.fields(activation)}
    known = {} if operation is None else {key: value for key, value in options.items() if key in options_of(operation)}
    if operation is None or (operation != "Relu6" and type(activation)(**known) != activation):
        raise ArgumentError(
            f"{activation!r} of a placeholder: expected an activation that Keras has as an operation. "
            "Use the layer Activation."
        )
    return applied(operation, x, **known)


@functools.cache
def operation_class(kind: str, base: type[Op] = Operation) -> type[Op]:  # type: ignore[assignment]
    """The class of a function's operations, which is called as Keras's."""
    return type(kind, (base,), {"kind": kind})


def _have_rows(tensors: Sequence[KerasTensor]) -> tuple[bool, ...]:
    """For each tensor whether its first axis is the batch; there is none where tensors declare batches that differ."""
    batches = {t.shape[0] for t in tensors if t.has_rows and t.shape[0] is not None}
    return tuple(t.has_rows and len(batches) < 2 for t in tensors)


def _placed(result: Tensor, rows: Rows, has_rows: bool) -> Tensor:
    """A result with its rows where the graph expects them: this rank's, or all of them."""
    if has_rows:
        if result.rows is not None:
            return result
        part: Tensor = own_rows(result, rows)
        return Tensor(part.value, part.node, part.index, rows)
    whole: Tensor = gathered(result)
    return whole


def _apart(result: Tensor) -> Tensor:
    """The result as the end of a tape, whichever rows it has."""
    return Tensor(result.value, result.node, result.index)


def _filled(value: Any, tensors: Sequence[Any]) -> Any:
    """Operands with tensors instead of slots."""
    if isinstance(value, Slot):
        return tensors[value.number]
    if isinstance(value, list | tuple):
        return type(value)(_filled(item, tensors) for item in value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
        kinds = [t.dtype for t in tensors if t.dtype.kind == "f"]
        return value.astype(kinds[0]) if kinds else value
    return value


def _extents(value: Any) -> list[int]:
    """The extents of the constants among the operands."""
    if isinstance(value, list | tuple) and any(isinstance(item, Slot | list | tuple | np.ndarray) for item in value):
        return [n for item in value for n in _extents(item)]
    return list(value.shape) if isinstance(value, np.ndarray) else []


def _plain(value: Any) -> Json:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()  # type: ignore[no-any-return]
    if isinstance(value, Slot | slice):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
