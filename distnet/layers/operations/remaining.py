"""Functions that ``distnet.ops`` does not have yet, for placeholders alone."""

from __future__ import annotations

import inspect
from typing import Any

from distnet.layers.operations.changing_shapes import SHAPING
from distnet.layers.operations.elementwise import ELEMENTWISE
from distnet.layers.operations.functions import Differentiable
from distnet.layers.operations.reducing_axes import REDUCTIONS
from distnet.naming import snake_case
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive


def _as_primitive(kind: str, function: Differentiable) -> Primitive:
    def value(*args: Any, **options: Any) -> Any:
        return function.value(*args, **options)

    is_any = function.operands == ("operands",)
    by_position, by_any, by_name = (
        inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.KEYWORD_ONLY
    )  # fmt: skip
    value.__name__ = snake_case(kind)
    value.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            *(inspect.Parameter(name, by_any if is_any else by_position) for name in function.operands),
            *(
                inspect.Parameter(name, by_name if is_any else by_position, default=default)
                for name, default in function.options.items()
            ),
        ]
    )
    made = Primitive(value, len(function.operands), kind, function.module, None, kind == "Split")
    if function.gradients is not None:
        gradients = function.gradients
        if is_any:
            made.has_gradients(lambda dy, y, *args, **options: gradients(dy, y, *args[:-1], **options)[args[-1]])
        else:
            made.has_gradients(
                *(lambda *args, i=i, **options: gradients(*args, **options)[i] for i in range(len(function.operands)))
            )
    return made


for _kind, _function in {**ELEMENTWISE, **REDUCTIONS, **SHAPING}.items():
    if _kind not in PRIMITIVES:
        PRIMITIVES[_kind] = _as_primitive(_kind, _function)
