"""Reads from the text of a layer's ``call`` that it does the same each time: which functions of tensors, on what.

It is read as Python is: a call is straight if it computes with its tensors, with weights and with constants alone, by
functions of ``distnet.ops``, operators and activations, without branches, loops, and calls of anything else. What the
text refers to by names and attributes is looked up once, and is to be there still when the call is made again.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any, TypeAlias, cast

from distnet.activations import Activation
from distnet.ops.nn.entry_function import EntryFunction
from distnet.ops.primitive import Primitive
from distnet.variables import Variable

_CONSTANTS = {bool, int, float, str, type(None)}
"""Types of values that cannot change in place."""

_TENSOR, _CONSTANT = object(), object()

Place: TypeAlias = tuple[int, str]
"""The line and the name of a function."""


class NotStraight(Exception):  # noqa: N818 - caught where it is raised, no error
    """The text says too little, or something else."""


class StraightText:
    """What the text of a layer's ``call`` says, of so many tensors.

    Raises:
        NotStraight: it may do something else the next time.
    """

    def __init__(self, layer: Any, tensors: int) -> None:
        self.layer = layer
        self.applications = 0
        """How many functions of tensors it applies."""
        self._refers: list[tuple[Mapping[str, Any], str, Any]] = []
        self._cells: list[tuple[CellType, Any]] = []
        self._function = self._call_of(type(layer))
        definition = _definition(self._code)
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
        for names, name, value in self._refers:
            if names.get(name) is not value:
                return False
        for cell, value in self._cells:
            if cell.cell_contents is not value:
                return False
        kind = type(self.layer)
        is_same = kind is self._kind and kind.call is self._function and self._function.__code__ is self._code
        return is_same and vars(self.layer) is self._attributes and "call" not in self._attributes

    def _call_of(self, cls: type) -> FunctionType:
        owner = next(c for c in cls.__mro__ if "call" in vars(c))
        function = vars(owner)["call"]
        is_usual = not any("__getattribute__" in vars(c) for c in cls.__mro__[:-1]) and "call" not in vars(self.layer)
        if type(function) is not FunctionType or not is_usual:
            raise NotStraight
        self._code, self._kind, self._attributes = function.__code__, cls, vars(self.layer)
        return function

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
            case ast.Constant(value) if type(value) in _CONSTANTS:
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
        if not _is_function(function):
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
        if value is _TENSOR or value is _CONSTANT or type(value) in _CONSTANTS:
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
            cell = (self._function.__closure__ or ())[code.co_freevars.index(name)]
            self._cells.append((cell, cell.cell_contents))
            return cell.cell_contents
        return self._reference(self._function.__globals__, name)

    def _attribute(self, owner: Any, name: str) -> Any:
        is_plain = owner is self.layer and not hasattr(inspect.getattr_static(type(owner), name, None), "__get__")
        if name.startswith("__") or not (is_plain or type(owner) is ModuleType):
            raise NotStraight
        return self._reference(vars(owner), name)

    def _reference(self, names: Mapping[str, Any], name: str) -> Any:
        if name not in names:
            raise NotStraight
        self._refers.append((names, name, names[name]))
        return names[name]


def _is_function(value: Any) -> bool:
    """Whether it is a function of tensors that applies one, each time the same, and looks at nothing else."""
    if isinstance(value, Activation):
        return type(value).__module__.startswith("distnet.activations.") and not value.is_layer
    return type(value) in (Primitive, EntryFunction)


def _definition(code: CodeType) -> ast.FunctionDef:
    """The text of a function, if it is that of its code.

    Raises:
        NotStraight: it is not known, or has been changed since.
    """
    try:
        definitions, codes = _parsed("".join(inspect.findsource(code)[0]))
    except (OSError, SyntaxError, TypeError, ValueError):
        raise NotStraight from None
    place = code.co_firstlineno, code.co_name
    if place not in definitions or place not in codes or _content(codes[place]) != _content(code):
        raise NotStraight
    return definitions[place]


@lru_cache(maxsize=8)
def _parsed(source: str) -> tuple[dict[Place, ast.FunctionDef], dict[Place, CodeType]]:
    """The functions of a file that have no decorators, and the codes that Python makes of them."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and not node.decorator_list]
    codes: dict[Place, CodeType] = {}
    waiting = [compile(tree, "", "exec", dont_inherit=True)]
    while waiting:
        inner = [constant for constant in waiting.pop().co_consts if isinstance(constant, CodeType)]
        codes.update({(code.co_firstlineno, code.co_name): code for code in inner})
        waiting += inner
    return {(node.lineno, node.name): node for node in functions}, codes


def _content(code: CodeType) -> tuple[Any, ...]:
    """What a function does; constants with their types, since 1 and True are equal."""
    constants = [(type(constant), repr(constant)) for constant in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
