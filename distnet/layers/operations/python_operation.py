"""Functions of functions on placeholders: ``ops.scan(f, init, xs)`` and others as nodes of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NoReturn, Self, cast

from distnet import naming
from distnet.assignments import assignments_held
from distnet.errors import AbsentError, ArgumentError, ShapeError
from distnet.layers.engine.base import KerasTensor, placeholders
from distnet.layers.engine.context import ForwardContext
from distnet.layers.engine.structures import filled
from distnet.layers.operations.operation import Operation, operation_class
from distnet.layers.operations.specimens import Specimens
from distnet.ops import nests
from distnet.ops.control import take_functions
from distnet.ops.conversions import convert_to_tensor
from distnet.ops.primitive import Primitive
from distnet.registry import is_describing, to_json
from distnet.types import Json, Shape


@dataclass(eq=False)
class PythonOperation(Operation):
    """One call of a function that is handed Python functions.

    Models with one are trained and used like others; no file holds them, for none holds the functions.

    Args:
        python: what is called: ``ops.scan``, for example.

    Source: ``keras.ops.Scan`` and others.
    """

    python: Callable[..., Any] = cast(Any, None)

    @property
    def function(self) -> Primitive:
        """What the graph needs to know: there may be several results."""
        return cast(Primitive, SimpleNamespace(returns_many=True))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        self._depends_on_batch = True
        return made

    def in_form(self, outputs: Sequence[Any]) -> Any:
        """The outputs in the lists, tuples and dicts that the function returns."""
        return nests.packed(self._form, iter(outputs))

    def computed(self, tensors: Sequence[Any], options: Mapping[str, Any]) -> Any:
        args, kwargs = filled(options["operands"], tensors)
        return self.python(*args, **kwargs)

    def _results(self, tensors: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
        y = self.computed(tensors, options)
        parts = nests.leaves(y)
        if any(isinstance(part, KerasTensor) for part in parts):
            raise ArgumentError(
                "a function uses placeholders that it is not handed. Give it all tensors as arguments, for example by "
                "ops.switch(index, branches, *operands)"
            )
        self._form = nests.packed(y, iter([0] * len(parts)))
        return [self._in_dtype(part if hasattr(part, "dtype") else convert_to_tensor(part)) for part in parts]

    def forward(self, x: Any, ctx: ForwardContext) -> Any:
        y, saved = super().forward(x, ctx)
        for output, result in zip(self.calls[-1].outputs, saved[1], strict=True):
            if not _fits(output.shape, result.shape):
                raise ShapeError(
                    f"{self.name}: expected a result of shape {tuple(output.shape)} in every case, received "
                    f"{result.shape}. All branches, and all steps of a loop, must return equal shapes."
                )
        return y, saved

    def _trial(self, shapes: Sequence[Any], options: Mapping[str, Any]) -> Specimens:
        with assignments_held():
            return super()._trial(shapes, options)

    def described(self, options: Mapping[str, Any]) -> Json:
        """What is called, and the functions that it is handed."""
        functions = [leaf for leaf in nests.leaves(list(options["operands"])) if callable(leaf)]
        return [self.kind, [to_json(function) for function in functions]]

    def get_config(self) -> dict[str, Json]:
        """The name alone, for display.

        Raises:
            AbsentError: it is to be saved.
        """
        if not is_describing():
            self._refuse()
        return {"name": self.name}

    def as_json(self) -> Json:
        return {"class_name": self.kind, "config": cast(Json, self.get_config())}

    def anew(self) -> Self:
        return type(self)(python=self.python, name=self.name, dtype=self.dtype)

    def _refuse(self) -> NoReturn:
        raise AbsentError(
            f"{self.name}: {self.kind} of placeholders calls Python functions, which no file holds. Use it in the call "
            "of a layer of your own, and register that."
        )


def _fits(expected: Shape, received: Sequence[int]) -> bool:
    pairs = zip(expected, received, strict=False)
    return len(expected) == len(received) and all(m is None or m == n for m, n in pairs)


def _of_functions(python: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The placeholders of the results."""
    dtypes = [t.dtype for t in placeholders([list(args), kwargs]) if t.dtype.startswith("float")]
    operation = operation_class("".join(part.capitalize() for part in python.__name__.split("_")), PythonOperation)
    name = naming.unique_name(operation.kind)
    return operation(python=python, name=name, dtype=cast(str, dtypes[0] if dtypes else None))(args, kwargs)


take_functions(_of_functions)
