"""Reads from the text of a layer's ``call`` that it does the same each time: which functions of tensors, on what.

It is read as Python is: a call is straight if it computes with its tensors, with weights and with constants alone, by
functions of ``distnet.ops``, operators and activations, without branches, loops, and calls of anything else. What the
text refers to by names and attributes is looked up once, and is to be there still when the call is made again.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from types import ModuleType
from typing import Any, cast

from distnet.activations import Activation
from distnet.layers.engine.function_text import NotStraight, References, definition_of
from distnet.ops.nn.entry_function import EntryFunction
from distnet.ops.primitive import Primitive
from distnet.variables import Variable

CONSTANTS = frozenset({bool, int, float, str, type(None)})
"""Types of values that cannot change in place."""

_TENSOR, _CONSTANT = object(), object()


class StraightText:
    """What the text of a layer's ``call`` says, of so many tensors.

    Raises:
        NotStraight: it may do something else the next time.
    """

    def __init__(self, layer: Any, tensors: int) -> None:
        self.layer = layer
        self.applications = 0
        """How many functions of tensors it applies."""
        self.references = References()
        self._function = self.references.method(layer, "call")
        self._code = self._function.__code__
        definition = definition_of(self._code)
        names = [argument.arg for argument in definition.args.args][1:]
        if (
            "__class__" in self._code.co_freevars
            or definition.args.posonlyargs
            or definition.args.vararg
            or len(names) < tensors
        ):
            raise NotStraight
        self._known: dict[str, Any] = {**dict.fromkeys(names[:tensors], _TENSOR), definition.args.args[0].arg: layer}
        self._own = {argument.arg for argument in ast.walk(definition.args) if isinstance(argument, ast.arg)}
        self._read(definition.body)

    def holds(self) -> bool:
        """Whether all that it refers to is still there."""
        return self.references.hold()

    def _read(self, statements: Sequence[ast.stmt]) -> None:
        *before, last = statements
        for statement in before:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if not isinstance(target, ast.Name) or len(cast(ast.Assign, statement).targets) > 1:
                raise NotStraight
            self._known[target.id] = self._value(cast(ast.Assign, statement).value)
        if not isinstance(last, ast.Return) or last.value is None or self._value(last.value) is not _TENSOR:
            raise NotStraight

    def _value(self, node: ast.expr) -> Any:
        """What an expression gives: ``_TENSOR``, ``_CONSTANT``, or the object it is."""
        match node:
            case ast.Constant(value) if type(value) in CONSTANTS:
                return _CONSTANT
            case ast.Name(name):
                return self._named(name)
            case ast.Attribute(value, name):
                return self._attribute(self._value(value), name)
            case ast.Tuple(parts) | ast.List(parts) if all(self._operand(part) is _CONSTANT for part in parts):
                return _CONSTANT
            case ast.BinOp(left, _, right):
                return self._applied(self._operand(left), self._operand(right))
            case ast.UnaryOp(ast.USub(), operand):
                return self._applied(self._operand(operand))
            case ast.Call(called, arguments, keywords):
                return self._called(self._value(called), arguments, keywords)
        raise NotStraight

    def _called(self, function: Any, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> Any:
        """What a function gives, whose operands alone may be tensors: its options are constants of its node."""
        if not is_function(function):
            raise NotStraight
        operands = function.names[: function.operands] if isinstance(function, Primitive) else ("x",)
        places = [i < len(operands) for i in range(len(arguments))] + [word.arg in operands for word in keywords]
        given = [self._operand(a) for a in (*arguments, *(word.value for word in keywords))]
        if any(value is _TENSOR and not is_operand for value, is_operand in zip(given, places, strict=True)):
            raise NotStraight
        if _TENSOR not in given or not all(word.arg for word in keywords):
            raise NotStraight
        return self._applied(*given)

    def _operand(self, node: ast.expr) -> Any:
        value = self._value(node)
        if isinstance(value, Variable):
            return _TENSOR
        if value is _TENSOR or value is _CONSTANT or type(value) in CONSTANTS:
            return value if value is _TENSOR else _CONSTANT
        raise NotStraight

    def _applied(self, *given: Any) -> Any:
        if _TENSOR not in given:
            return _CONSTANT
        self.applications += 1
        return _TENSOR

    def _named(self, name: str) -> Any:
        code = self._code
        if name in self._known:
            return self._known[name]
        if name in self._own or name.startswith("__"):
            raise NotStraight
        if name in code.co_freevars:
            return self.references.cell(self._function, name)
        return self.references.named(self._function.__globals__, name)

    def _attribute(self, owner: Any, name: str) -> Any:
        is_plain = owner is self.layer and not hasattr(inspect.getattr_static(type(owner), name, None), "__get__")
        if name.startswith("__") or not (is_plain or type(owner) is ModuleType):
            raise NotStraight
        return self.references.named(vars(owner), name)


def is_function(value: Any) -> bool:
    """Whether it is a function of tensors that applies one, each time the same, and looks at nothing else."""
    if isinstance(value, Activation):
        return type(value).__module__.startswith("distnet.activations.") and not value.is_layer
    return type(value) in (Primitive, EntryFunction)
