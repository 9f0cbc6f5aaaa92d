"""Branches and loops: Python's, recorded call by call; and functions with gradients of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

import numpy as np

from distnet.assignments import are_assignments_held
from distnet.errors import ArgumentError
from distnet.ops.gradient_tape import GradientTape
from distnet.ops.joining import concatenate, stack, unstack
from distnet.ops.nests import leaves, packed
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import followed, has_placeholders, local, of_rows
from distnet.ops.recording import is_recording
from distnet.ops.spread import gathered, own_rows
from distnet.ops.tensor import TapeNode, Tensor, whole_value
from distnet.variables import Variable

P = ParamSpec("P")

_of_placeholders: list[Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]] = []


def take_functions(make: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]) -> None:
    """Say what makes nodes of the graph of calls on placeholders: layers, which lie above."""
    _of_placeholders.append(make)


def on_placeholders_too(function: Callable[P, Any]) -> Callable[P, Any]:
    """Let a function that takes functions be called on placeholders."""

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> Any:
        if has_placeholders(leaves([list(args), dict(kwargs)])):
            return _of_placeholders[0](function, args, kwargs)
        return function(*args, **kwargs)

    return called


def _plain(value: Any) -> Any:
    """The whole value of a tensor, as an array."""
    if isinstance(value, Tensor):
        return whole_value(value)
    return value.value if isinstance(value, Variable) else np.asarray(value)


@on_placeholders_too
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """What ``true_fn`` gives if ``pred`` holds, else what ``false_fn`` gives; only that one is called.

    Args:
        pred: a truth value, or a tensor of one entry.

    Source: ``keras.ops.cond``.
    """
    return true_fn() if bool(_plain(pred)) else false_fn()


@on_placeholders_too
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """What the branch of this number gives for the operands; a number out of range means the first or the last.

    Source: ``keras.ops.switch``.
    """
    return branches[min(max(int(_plain(index)), 0), len(branches) - 1)](*operands)


@on_placeholders_too
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """The variables after ``body`` was called on them as long as ``cond`` holds for them.

    Args:
        cond: ``(*loop_vars) -> bool``.
        body: ``(*loop_vars) -> loop_vars``.
        maximum_iterations: the most calls of ``body``.

    Source: ``keras.ops.while_loop``.
    """
    is_many = isinstance(loop_vars, list | tuple)
    values: tuple[Any, ...] = tuple(loop_vars) if is_many else (loop_vars,)
    count = 0
    if are_assignments_held():
        maximum_iterations = min(1, 1 if maximum_iterations is None else maximum_iterations)  # numbers that are no data
    while (maximum_iterations is None or count < maximum_iterations) and bool(_plain(cond(*values))):
        made = body(*values)
        values = tuple(made) if is_many else (made,)
        count += 1
    return values if is_many else values[0]


@on_placeholders_too
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """The value after ``value = body_fun(i, value)`` for each i from ``lower`` up to ``upper``, without it.

    Source: ``keras.ops.fori_loop``.
    """
    value = init_val
    for i in range(int(_plain(lower)), int(_plain(upper))):
        value = body_fun(i, value)
    return value


def _apart(nest: Any) -> list[Any]:
    """For each number along the first axis the nest of the tensors' parts."""
    each = [unstack(gathered(leaf)) for leaf in leaves(nest)]
    if len({len(parts) for parts in each}) > 1:
        raise ArgumentError(
            f"expected tensors with first axes of one extent, received extents {[len(parts) for parts in each]}."
        )
    return [packed(nest, iter(parts)) for parts in zip(*each, strict=True)]


def _joined(nests: list[Any]) -> Any:
    """The nest of tensors of which the given nests are the parts."""
    each = zip(*(leaves(nest) for nest in nests), strict=True)
    return packed(nests[0], iter([stack(list(parts)) for parts in each]))


@on_placeholders_too
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any = None, length: int | None = None,
    reverse: bool = False, unroll: Any = 1,
) -> tuple[Any, Any]:  # fmt: skip
    """The last carry and all results of ``carry, y = f(carry, x)`` along the first axis of ``xs``.

    Args:
        length: how many steps, if ``xs`` is None.
        reverse: begin with the last x; the results keep the order of ``xs``.
        unroll: unused.

    Raises:
        ArgumentError: there is no step, or neither ``xs`` nor ``length``.

    Source: ``keras.ops.scan``.
    """
    given = [None] * length if xs is None and length is not None else _apart(xs)
    if not given:
        raise ArgumentError("ops.scan: expected one step at least, received xs without entries, and no length.")
    carry, results = init, []
    for x in reversed(given) if reverse else given:
        carry, y = f(carry, x)
        results.append(y)
    return carry, _joined(results[::-1] if reverse else results)


@on_placeholders_too
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """``e1, f(e1, e2), f(f(e1, e2), e3)``, ... along an axis, in as many calls as the extent has binary digits.

    Args:
        f: associative; it is called on many entries along the axis at once.

    Source: Hillis and Steele (1986), "Data parallel algorithms"; ``keras.ops.associative_scan``.
    """

    def along(nest: Any, key: slice) -> Any:
        parts = [PRIMITIVES["GetItem"](leaf, (*[slice(None)] * (axis % np.ndim(leaf)), key)) for leaf in leaves(nest)]
        return packed(nest, iter(parts))

    made = along(elems, slice(None, None, -1)) if reverse else elems
    first = leaves(elems)[0]
    extent, step = np.shape(first)[axis % np.ndim(first)], 1
    while step < extent:
        sums = f(along(made, slice(0, extent - step)), along(made, slice(step, None)))
        pairs = zip(leaves(along(made, slice(0, step))), leaves(sums), strict=True)
        made = packed(made, iter([concatenate(list(pair), axis) for pair in pairs]))
        step *= 2
    return along(made, slice(None, None, -1)) if reverse else made


@on_placeholders_too
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """``f`` of each entry along the first axis, joined along a new first axis.

    Source: ``keras.ops.map``.
    """
    return _joined([f(x) for x in _apart(xs)])


@on_placeholders_too
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """``function`` of each entry along the first axis, joined along a new first axis: a loop, as in ``ops.map``.

    Source: ``keras.ops.vectorized_map``.
    """
    return _joined([function(x) for x in _apart(elements)])


def custom_gradient(f: Callable[..., tuple[Any, Callable[..., Any]]]) -> Callable[..., Any]:
    """A function whose gradient is stated, not derived.

    >>> from distnet import ops
    >>> @ops.custom_gradient
    ... def log1pexp(x):
    ...     e = ops.exp(x)
    ...     return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))

    Args:
        f: ``(*args) -> (value, grad)``, where ``grad(upstream)`` gives the gradients by the arguments.

    Source: ``keras.ops.custom_gradient``.
    """

    @on_placeholders_too
    @wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        given = [followed(arg) for arg in args]
        value, gradient = f(*given, **kwargs)
        results = leaves(value)
        sources = [arg if isinstance(arg, Tensor) else None for arg in given]
        if not is_recording() or not any(s is not None and s.node is not None for s in sources):
            return value
        node = TapeNode(sources, lambda node, dys, is_followed: _stated(gradient, value, sources, dys, is_followed))
        made = [
            Tensor(r.value, node, i, r.rows) if isinstance(r, Tensor) else Tensor(np.asarray(r), node, i)
            for i, r in enumerate(results)
        ]
        return packed(value, iter(made))

    return function


def _stated(
    gradient: Callable[..., Any], value: Any, sources: list[Tensor | None], dys: list[Any], is_followed: bool
) -> list[Any]:
    """The gradients by the sources, as the user's function states them."""
    results = leaves(value)
    upstream = []
    for result, dy in zip(results, [*dys, *[None] * (len(results) - len(dys))], strict=True):
        own = result.value if isinstance(result, Tensor) else np.asarray(result)
        part = dy if isinstance(dy, Tensor) else Tensor(np.zeros_like(own) if dy is None else np.asarray(dy))
        rows = getattr(result, "rows", None)
        upstream.append(part if rows is None else of_rows(part, rows))
    made = gradient(packed(value, iter(upstream)))
    each = list(made) if isinstance(made, list | tuple) else [made]
    if len(each) != len(sources):
        raise ArgumentError(
            f"ops.custom_gradient: expected the gradients of {len(sources)} arguments, received {len(each)}."
        )
    return [
        None if dx is None or source is None else _part(dx, source, is_followed)
        for dx, source in zip(each, sources, strict=True)
    ]


def _part(dx: Any, source: Tensor, is_followed: bool) -> Any:
    """A gradient as the tape takes it: this rank's rows, where the argument has them."""
    if source.rows is None:
        dx = gathered(dx)
    else:
        dx = local(dx) if getattr(dx, "rows", None) is not None else own_rows(dx, source.rows)
    if is_followed:
        return dx
    return dx.value if isinstance(dx, Tensor) else np.asarray(dx)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value, and how it changes along tangents: the Jacobian times them.

    The gradient is linear in what it starts from, so that its gradient by that is the product.

    Returns:
        value and tangent; and what else ``fun`` returned, if ``has_aux``.

    Source: ``keras.ops.jvp``; J. Townsend (2017), "A new trick for calculating Jacobian vector products".
    """
    primals, tangents = ([followed(x) for x in given] for given in (primals, tangents))
    with GradientTape(persistent=True) as outer:
        sources = [Tensor(x.value, rows=x.rows) if isinstance(x, Tensor) else Tensor(_plain(x)) for x in primals]
        given = [_linked(x, source) for x, source in zip(primals, sources, strict=True)]
        with GradientTape(persistent=True) as inner:
            inner.watch(given)
            value = fun(*given)
            value, *rest = value if has_aux else (value,)
        results = [r for r in leaves(value) if isinstance(r, Tensor)]
        starts = [Tensor(np.zeros_like(r.value), rows=r.rows) for r in results]
        outer.watch(starts)
        slopes = inner.gradient(results, given, output_gradients=starts)
    pairs = [(dx, t) for dx, t in zip(slopes, tangents, strict=True) if dx is not None]
    changes = outer.gradient(
        [dx for dx, _ in pairs], starts, output_gradients=[t for _, t in pairs], unconnected_gradients="zero"
    )
    by_result = dict(zip([id(r) for r in results], changes, strict=True))
    whole = [by_result.get(id(r)) for r in leaves(value)]
    zeros = [PRIMITIVES["ZerosLike"](r) if t is None else t for r, t in zip(leaves(value), whole, strict=True)]
    return (value, packed(value, iter(zeros)), *rest)


def _linked(x: Any, source: Tensor) -> Tensor:
    """A primal that is followed stays so; another becomes a source."""
    return x if isinstance(x, Tensor) and x.node is not None else source
