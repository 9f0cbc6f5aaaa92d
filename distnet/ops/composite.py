"""Functions of tensors that are written with other functions of tensors, which give them their gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, flat, has_placeholders, mapped
from distnet.ops.recording import is_recording
from distnet.ops.tape import following, gradients, leaf
from distnet.ops.tensor import TapeNode, Tensor
from distnet.results import ResultArray, as_result
from distnet.types import Array
from distnet.variables import Variable


class Composite(Primitive):
    """A function written with functions of tensors: of tensors these are recorded; for the graph it is one node.

    Args:
        function: takes tensors or arrays, and gives them. Other arguments are as for ``Primitive``.
    """

    def __init__(self, function: Callable[..., Any], operands: int, kind: str, module: str, returns_many: bool) -> None:
        super().__init__(function, operands, kind, module, None, returns_many)
        self.function, self.value = function, self._of_arrays
        self.has_gradients(*(self._gradient_by(i) for i in range(operands)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        operands, options = self.bound(args, kwargs)
        leaves = flat(operands)
        if has_placeholders(leaves):
            return super().__call__(*args, **kwargs)
        if is_recording() or any(type(leaf) is Tensor for leaf in leaves):
            return self.function(*mapped(_as_tensor, operands), **options)
        return as_result(self._of_arrays(*operands, **options))

    def _of_arrays(self, *operands: Any, **options: Any) -> Any:
        made = self.function(*mapped(_as_array, operands), **options)
        return type(made)(map(np.asarray, made)) if self.returns_many else np.asarray(made)

    def _gradient_by(self, number: int) -> Callable[..., Any]:
        def gradient(dy: Any, y: Any, *operands: Any, **options: Any) -> Any:
            return self._gradient(number, dy, operands, options)

        return gradient

    def _gradient(self, number: int, dy: Any, operands: Sequence[Any], options: Mapping[str, Any]) -> Array | None:
        """The gradient by one operand, an array: the function is followed anew."""
        with following():
            node = TapeNode()
            source = Tensor(np.asarray(operands[number]), node)
            given = [source if i == number else operand for i, operand in enumerate(operands)]
            made = self.function(*given, **options)
        parts = list(zip(made, dy, strict=True)) if self.returns_many else [(made, dy)]
        results = [(tensor, np.asarray(d)) for tensor, d in parts if type(tensor) is Tensor]
        return gradients(results, [(node, 0)]).shared.get((node, 0))


def composite(
    operands: int = 1, *, kind: str | None = None, module: str = "nn", returns_many: bool = False
) -> Callable[[Callable[..., Any]], Composite]:
    """Decorate a function of tensors: see ``Composite``; ``kind`` is by default its name in camel case."""

    def decorate(function: Callable[..., Any]) -> Composite:
        name = kind or "".join(part.capitalize() for part in function.__name__.split("_"))
        made = Composite(function, operands, name, f"keras.src.ops.{module}", returns_many)
        PRIMITIVES[name] = made
        return made

    return decorate


def _as_tensor(value: Any) -> Any:
    if type(value) is Variable:
        return leaf(value)
    if type(value) is ResultArray:
        return np.asarray(value) if value.followed is None else value.followed
    return value


def _as_array(value: Any) -> Any:
    return value.value if isinstance(value, Tensor | Variable) else value
