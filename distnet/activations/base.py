"""What an activation is, and how it is found by name."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, cast

import numpy as np

from distnet import config
from distnet.errors import ArgumentError
from distnet.naming import snake_case
from distnet.ops.nn.entry_function import EntryFunction
from distnet.ops.opaque import by_hand, followed
from distnet.ops.tensor import Tensor
from distnet.registry import Configurable, Registry, functions_of
from distnet.results import as_result
from distnet.types import Array, ArrayLike, Json, Shape

Option: TypeAlias = float | int | bool | None
"""The type of an option: a slope, an axis, a switch."""

A = TypeVar("A", bound="Activation")


@dataclass(frozen=True)
class Activation(Configurable, ABC):
    """A function of an array, and its gradient. A subclass defines ``forward`` and ``backward``.

    ``saves_input``, a class attribute, says what backward receives: the input z, or (False) the output y; forward may
    then write y over z.

    >>> @dataclass(frozen=True)
    ... class Cube(Activation):
    ...     saves_input = True
    ...
    ...     def forward(self, z, out):
    ...         np.multiply(z * z, z, out=out)
    ...
    ...     def backward(self, dy, saved, out):
    ...         np.multiply(dy, 3 * saved * saved, out=out)
    >>> Cube()(2.0)
    8.0
    """

    if not TYPE_CHECKING:  # a type checker takes it for the name of the class

        @property
        def __name__(self) -> str:
            """Keras's name of the function, which programs read from ``layer.activation``."""
            name = self.as_json()
            return name if isinstance(name, str) else snake_case(type(self).__name__)

    @property
    def saves_input(self) -> bool:
        """Whether backward needs the input z rather than the output y."""
        return False

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer that is more than a function; not every layer can have such an activation."""
        return False

    @abstractmethod
    def forward(self, z: Array, out: Array) -> None:
        """Write f(z) into ``out``, which may be ``z`` itself unless ``saves_input``."""

    @abstractmethod
    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        """Write dL/dz into ``out``, which may be ``dy`` itself; ``saved`` is z if ``saves_input``, else y."""

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of f(z) for z of this shape: the same, unless a subclass overrides it."""
        return shape

    def __call__(self, x: ArrayLike, *values: Option, **options: Option) -> Array:
        """f(x) as a new array, with other options if given, as Keras's functions take them.

        Args:
            x: of any shape; converted to ``floatx`` unless it is an array of floating point numbers.
            values: options by position, in the order of the fields.
            options: options by name.
        """
        activation = self._with(values, options) if values or options else self
        if type(x) is Tensor:
            return cast(Array, activation.of_tensor(x))
        if hasattr(x, "activated"):  # a placeholder
            return cast(Array, x.activated(activation))
        tensor = followed(x)
        if tensor is not None:
            return cast(Array, activation.of_tensor(tensor))
        x = _floating(x)
        out = np.empty(cast("tuple[int, ...]", activation.output_shape(x.shape)), x.dtype)
        # A number becomes an array of one entry: NumPy's functions return no array for one without axes.
        activation.forward(*((x, out) if x.ndim else (x[np.newaxis], out[np.newaxis])))
        return cast(Array, as_result(out))

    def of_tensor(self, x: Tensor) -> Tensor:
        """f(x) as a tensor: recorded with ``backward``, which has no derivative of its own."""
        y = np.empty(cast("tuple[int, ...]", self.output_shape(x.value.shape)), x.dtype)
        self.forward(x.value, y)
        saved = x.value if self.saves_input else y

        def pull(dy: Array) -> Array:
            dx = np.empty_like(x.value)
            self.backward(dy, saved, dx)
            return dx

        return by_hand(repr(self), x, y, pull)

    def as_json(self) -> Json:
        """Keras's name of this very activation, or else its class and options."""
        for name, member in ACTIVATIONS.members.items():
            if (member if isinstance(member, Activation) else member()) == self:
                return name
        return super().as_json()

    def _with(self, values: tuple[Option, ...], options: Mapping[str, Option]) -> Activation:
        names = [field.name for field in dataclasses.fields(self)]
        given = {**dict(zip(names, values, strict=False)), **options}
        if len(given) < len(values) + len(options) or not given.keys() <= set(names):
            raise ArgumentError(
                f"{type(self).__name__}: expected x and the options {names}, received {values} and {dict(options)}."
            )
        return dataclasses.replace(self, **cast(Any, given))


@dataclass(frozen=True)
class OfOps(Activation, ABC):
    """An activation that is a function of each entry in ``distnet.ops``, with the fields as its options."""

    function: ClassVar[EntryFunction]

    @property
    def options(self) -> dict[str, Any]:
        """What the function is called with."""
        return self.__dict__

    @property
    def saves_input(self) -> bool:
        return self.function.saves_input

    def forward(self, z: Array, out: Array) -> None:
        self.function.write(z, out, **self.options)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        self.function.write_gradient(dy, saved, out, **self.options)

    def of_tensor(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.function(x, **self.options))


def _floating(x: ArrayLike) -> Array:
    """``x`` as an array of floating point numbers; such arrays keep their dtype."""
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f":
        return np.asarray(x)
    return np.asarray(x, dtype=config.floatx())


class Activations(Registry[Activation]):
    """None means ``linear``, as Keras's layers have it."""

    others: ClassVar[list[Callable[[object], Activation | None]]] = []
    """What makes activations of objects that this package does not know, such as layers; returns None for others."""

    def get(self, spec: object) -> Activation:
        made = (make(spec) for make in self.others)
        known = next((activation for activation in made if activation is not None), None)
        return known or super().get("linear" if spec is None else spec)


ACTIVATIONS = Activations("activation", Activation)  # type: ignore[type-abstract]


def register(name: str, *aliases: str) -> Callable[[type[A]], type[A]]:
    """Decorate a class: without options it is Keras's function ``name``."""

    def decorate(cls: type[A]) -> type[A]:
        ACTIVATIONS.add(name, cls, cls.__name__, *aliases)
        return cls

    return decorate


get, serialize, deserialize = functions_of(ACTIVATIONS, __name__, ACTIVATIONS.get)
