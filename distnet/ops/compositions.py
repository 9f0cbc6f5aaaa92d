"""Functions of tensors that are made of others, which give them their gradients and say how ranks share their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, followed, has_placeholders, mapped, on_placeholders


class Composition(Primitive):
    """A function of tensors written with others: of placeholders it makes one node of the graph."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        operands, options = self.bound(args, kwargs)
        if has_placeholders(operands):
            return on_placeholders(self, operands, options)
        given = {key: followed(value) for key, value in options.items()}
        return self.value(*mapped(followed, operands), **given)


def composition(
    operands: int = 1, *, kind: str | None = None, module: str = "numpy", returns_many: bool = False
) -> Callable[[Callable[..., Any]], Composition]:
    """Decorate a function written with functions of tensors: see ``Primitive`` for the arguments."""

    def decorate(value: Callable[..., Any]) -> Composition:
        name = kind or "".join(part.capitalize() for part in value.__name__.split("_"))
        made = Composition(value, operands, name, f"keras.src.ops.{module}", None, returns_many)
        PRIMITIVES[name] = made
        return made

    return decorate
