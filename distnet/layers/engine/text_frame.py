"""One call of a function whose text is run: its names, its statements and its expressions."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.function_text import NotStraight, References
from distnet.layers.engine.straight_text import CONSTANTS

GOES_ON = object()
"""What a statement gives that does not return."""

_MOST_TURNS = 1000
"""Of a loop: a longer one makes more calls than a plan should have."""

_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.MatMult: operator.matmul,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip

_COMPARISONS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip

_BUILTINS = {name: getattr(builtins, name) for name in ("enumerate", "len", "max", "min", "range", "reversed", "zip")}


class Text(Protocol):
    """The run that a call is a part of: see ``text_run``."""

    references: References

    def run(self, owner: AbstractLayer, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any: ...

    def called(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any: ...

    def operated(self, function: Callable[..., Any], operands: Sequence[Any]) -> Any: ...

    def own(self, values: Any) -> Any: ...

    def is_own(self, values: Any) -> bool: ...

    def read(self, value: Any) -> Any: ...

    def attribute(self, owner: Any, name: str) -> Any: ...

    def entry(self, values: Any, key: Any) -> Any: ...


class Frame:
    """One call.

    Args:
        text: the run that it is a part of.
        owner: whose method it is.
        function: the method.
        names: its arguments.
    """

    _STATEMENTS: ClassVar[Mapping[type[ast.stmt], str]] = {
        ast.Expr: "_expression", ast.Assign: "_assign", ast.AugAssign: "_assign_more", ast.If: "_branch",
        ast.For: "_loop", ast.Pass: "_pass",
    }  # fmt: skip
    _EXPRESSIONS: ClassVar[Mapping[type[ast.expr], str]] = {
        ast.Constant: "_constant", ast.Name: "_name", ast.Attribute: "_attribute", ast.Subscript: "_entry",
        ast.Tuple: "_tuple", ast.List: "_list", ast.Dict: "_dict", ast.Slice: "_slice", ast.BinOp: "_binary",
        ast.UnaryOp: "_unary", ast.Compare: "_compare", ast.BoolOp: "_either", ast.IfExp: "_choice",
        ast.Call: "_call", ast.ListComp: "_comprehension",
    }  # fmt: skip

    def __init__(self, text: Text, owner: AbstractLayer, function: Any, names: dict[str, Any]) -> None:
        self.text, self.owner, self.function, self.names = text, owner, function, names

    def executed(self, statements: Sequence[ast.stmt]) -> Any:
        """What the statements return; ``GOES_ON`` if nothing yet.

        Raises:
            NotStraight: they do anything that a run of a text does not.
        """
        for statement in statements:
            if isinstance(statement, ast.Return):
                return None if statement.value is None else self.value(statement.value)
            returned = self._by(self._STATEMENTS, statement)
            if returned is not GOES_ON:
                return returned
        return GOES_ON

    def value(self, node: ast.expr) -> Any:
        """What an expression gives."""
        return self._by(self._EXPRESSIONS, node)

    def _by(self, methods: Mapping[Any, str], node: ast.AST) -> Any:
        if type(node) not in methods:
            raise NotStraight
        return getattr(self, methods[type(node)])(node)

    def _pass(self, node: ast.Pass) -> Any:
        return GOES_ON

    def _expression(self, node: ast.Expr) -> Any:
        if not isinstance(node.value, ast.Constant) and not self._appends(node.value):
            self.value(node.value)
        return GOES_ON

    def _appends(self, node: ast.expr) -> bool:
        """Whether it is ``values.append(value)``, for a list that the text made, which then has the value."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "append":
            return False
        values = self.value(node.func.value)
        if type(values) is not list or not self.text.is_own(values) or node.keywords or len(node.args) != 1:
            raise NotStraight
        values.append(self.value(node.args[0]))
        return True

    def _assign(self, node: ast.Assign) -> Any:
        value = self.value(node.value)
        for target in node.targets:
            self._put(target, value)
        return GOES_ON

    def _put(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(name):
                self.names[name] = value
            case ast.Tuple(parts) | ast.List(parts):
                for part, each in zip(parts, self._iterated(value), strict=True):
                    self._put(part, each)
            case _:
                raise NotStraight

    def _assign_more(self, node: ast.AugAssign) -> Any:
        if not isinstance(node.target, ast.Name):
            raise NotStraight
        self.names[node.target.id] = self._operated(node.op, self._name(node.target), self.value(node.value))
        return GOES_ON

    def _branch(self, node: ast.If) -> Any:
        return self.executed(node.body if self._is_true(node.test) else node.orelse)

    def _loop(self, node: ast.For) -> Any:
        if node.orelse:
            raise NotStraight
        values = self.value(node.iter)
        turns = self._iterated(values)
        for value in turns:
            self._put(node.target, value)
            returned = self.executed(node.body)
            if returned is not GOES_ON:
                return returned
            if len(values) != len(turns):
                raise NotStraight
        return GOES_ON

    def _iterated(self, values: Any) -> Sequence[Any]:
        if type(values) not in (list, tuple, range) or len(values) > _MOST_TURNS:
            raise NotStraight
        return list(values)

    def _is_true(self, node: ast.expr) -> bool:
        value = self.value(node)
        if type(value) not in CONSTANTS and type(value) not in (list, tuple):
            raise NotStraight
        return bool(value)

    def _constant(self, node: ast.Constant) -> Any:
        if type(node.value) not in CONSTANTS:
            raise NotStraight
        return node.value

    def _name(self, node: ast.Name) -> Any:
        name, code, references = node.id, self.function.__code__, self.text.references
        if name in self.names:
            return self.names[name]
        if name in code.co_varnames or name in code.co_cellvars or name.startswith("__"):
            raise NotStraight
        if name in code.co_freevars:
            return self.text.read(references.cell(self.function, name))
        names = self.function.__globals__
        if name in _BUILTINS and references.is_absent(names, name):
            return _BUILTINS[name]
        return self.text.read(references.named(names, name))

    def _attribute(self, node: ast.Attribute) -> Any:
        return self.text.attribute(self.value(node.value), node.attr)

    def _entry(self, node: ast.Subscript) -> Any:
        return self.text.entry(self.value(node.value), self.value(node.slice))

    def _slice(self, node: ast.Slice) -> slice:
        return slice(*(None if part is None else self.value(part) for part in (node.lower, node.upper, node.step)))

    def _tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(map(self.value, node.elts))

    def _list(self, node: ast.List) -> Any:
        return self.text.own(list(map(self.value, node.elts)))

    def _dict(self, node: ast.Dict) -> Any:
        if None in node.keys:
            raise NotStraight
        keys = [self.value(key) for key in node.keys if key is not None]
        return self.text.own(dict(zip(keys, map(self.value, node.values), strict=True)))

    def _comprehension(self, node: ast.ListComp) -> Any:
        if len(node.generators) > 1:
            raise NotStraight
        part = node.generators[0]
        inner, values = Frame(self.text, self.owner, self.function, dict(self.names)), []
        for value in self._iterated(self.value(part.iter)):
            inner._put(part.target, value)
            if all(map(inner._is_true, part.ifs)):
                values.append(inner.value(node.elt))
        return self.text.own(values)

    def _binary(self, node: ast.BinOp) -> Any:
        return self._operated(node.op, self.value(node.left), self.value(node.right))

    def _unary(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return not self._is_true(node.operand)
        return self._operated(node.op, self.value(node.operand))

    def _operated(self, kind: ast.AST, *operands: Any) -> Any:
        if type(kind) not in _OPERATORS:
            raise NotStraight
        function = _OPERATORS[type(kind)]
        if all(type(operand) in CONSTANTS for operand in operands):
            return function(*operands)
        return self.text.operated(function, operands)

    def _compare(self, node: ast.Compare) -> Any:
        left, right, kind = self.value(node.left), self.value(node.comparators[0]), node.ops[0]
        if len(node.ops) > 1:
            raise NotStraight
        if isinstance(kind, ast.Is | ast.IsNot):
            return (left is right) == isinstance(kind, ast.Is)
        is_in = isinstance(kind, ast.In | ast.NotIn) and type(right) in (list, tuple)
        if any(type(value) not in CONSTANTS for value in (left, *(right if is_in else [right]))):
            raise NotStraight
        return _COMPARISONS[type(kind)](left, right)

    def _either(self, node: ast.BoolOp) -> Any:
        for part in node.values:
            value = self.value(part)
            if type(value) not in CONSTANTS:
                raise NotStraight
            if bool(value) == isinstance(node.op, ast.Or):
                break
        return value

    def _choice(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self._is_true(node.test) else node.orelse)

    def _call(self, node: ast.Call) -> Any:
        function = self._function(node.func)
        args = [self.value(arg) for arg in node.args]
        if any(word.arg is None for word in node.keywords):
            raise NotStraight
        kwargs = {str(word.arg): self.value(word.value) for word in node.keywords}
        if type(function) is str:
            return self.text.run(self.owner, function, args, kwargs)
        if any(function is known for known in _BUILTINS.values()):
            return self._of_builtin(function, args, kwargs)
        return self.text.called(function, args, kwargs)

    def _function(self, node: ast.expr) -> Any:
        """What is called; the name of another method of the user's class."""
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            kind = next((cls for cls in type(owner).__mro__ if node.attr in vars(cls)), None)
            if owner is self.owner and node.attr not in vars(owner) and kind is not None:
                if kind.__module__.startswith("distnet."):
                    raise NotStraight
                return node.attr
            return self.text.attribute(owner, node.attr)
        function = self.value(node)
        if type(function) is str:
            raise NotStraight
        return function

    def _of_builtin(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if function is len and len(args) == 1 and isinstance(args[0], list | tuple):
            return len(args[0])
        known = CONSTANTS if function in (max, min) else CONSTANTS | {list, tuple, range}
        if kwargs or any(type(arg) not in known for arg in args):
            raise NotStraight
        made = function(*args)
        return made if type(made) in CONSTANTS or type(made) is range else self.text.own(list(made))
