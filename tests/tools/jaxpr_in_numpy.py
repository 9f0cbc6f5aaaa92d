"""JAX programs run by NumPy: what takes JAX a second to compile, to be run five times, takes NumPy milliseconds.

``jit`` stands in for ``jax.jit``: JAX traces and differentiates the function, and NumPy computes its elementary
operations. Those that are not in the table below are left to JAX, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend.core import Literal
from scipy import special

Array = np.ndarray[Any, np.dtype[Any]]
Operation = Callable[..., Any]


def jit(function: Callable[..., Any], **_: object) -> Callable[..., Any]:
    """The function, traced once for each kind of arguments and run by NumPy."""
    programs: dict[object, tuple[Any, Any]] = {}

    def run(*args: Any) -> Any:
        leaves, tree = jax.tree.flatten(args)
        kind = (tree, *((np.shape(leaf), jax.dtypes.result_type(leaf)) for leaf in leaves))
        if kind not in programs:
            program, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
            programs[kind] = program, jax.tree.structure(shapes)
        program, made = programs[kind]
        return jax.tree.unflatten(made, evaluate(program.jaxpr, program.consts, leaves))

    return run


def evaluate(program: Any, consts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
    """The outputs of a jaxpr."""
    known = dict(zip(program.constvars, consts, strict=True))
    known.update(zip(program.invars, inputs, strict=True))

    def value(atom: Any) -> Any:
        return atom.val if type(atom) is Literal else known[atom]

    for step in program.eqns:
        outputs = apply(step.primitive, [value(atom) for atom in step.invars], step.params)
        known.update(zip(step.outvars, outputs, strict=True))
    return [value(atom) for atom in program.outvars]


def apply(primitive: Any, args: list[Any], params: dict[str, Any]) -> Sequence[Any]:
    """The outputs of one operation."""
    name = primitive.name
    if name in CALLS:
        inner = params[CALLS[name]]
        if hasattr(inner, "consts"):
            return evaluate(inner.jaxpr, inner.consts, args)
        return evaluate(inner, (), args)
    if name == "scan":
        return _scan(args, **params)
    if name == "cond":
        index, *operands = args
        branch = params["branches"][int(np.clip(int(index), 0, len(params["branches"]) - 1))]
        return evaluate(branch.jaxpr, branch.consts, operands)
    if name in OPERATIONS and not any(map(_is_key, args)):
        made = OPERATIONS[name](*args, **params)
        return list(made) if primitive.multiple_results else (made,)
    outputs = primitive.bind(*args, **params)
    return [_as_array(o) for o in (outputs if primitive.multiple_results else (outputs,))]


def _as_array(value: Any) -> Any:
    return value if _is_key(value) else np.asarray(value)


def _is_key(value: Any) -> bool:
    """Whether it is a key of random numbers, or an array of keys, which only JAX can read."""
    return hasattr(value, "dtype") and jax.dtypes.issubdtype(value.dtype, jax.dtypes.extended)


def _scan(
    args: list[Any], *, jaxpr: Any, length: int, reverse: bool, num_consts: int, num_carry: int, **_: object
) -> list[Any]:
    consts, carry, xs = (
        args[:num_consts],
        list(args[num_consts : num_consts + num_carry]),
        args[num_consts + num_carry :],
    )
    rows: list[list[Any]] = []
    for i in reversed(range(length)) if reverse else range(length):
        outputs = evaluate(jaxpr.jaxpr, jaxpr.consts, [*consts, *carry, *(x[i] for x in xs)])
        carry = outputs[:num_carry]
        rows.append(outputs[num_carry:])
    if reverse:
        rows.reverse()
    if not rows:
        shapes = jaxpr.out_avals[num_carry:]
        return [*carry, *(np.zeros((0, *s.shape), s.dtype) for s in shapes)]
    return [*carry, *(np.stack(column) for column in zip(*rows, strict=True))]


CALLS = {
    "pjit": "jaxpr",
    "jit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "remat2": "jaxpr",
    "checkpoint": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr",
}
"""Operations that run a program of their own, and the parameter that holds it."""


def _broadcast_in_dim(x: Any, *, shape: Sequence[int], broadcast_dimensions: Sequence[int], **_: object) -> Array:
    x = np.asarray(x)
    spread = [1] * len(shape)
    for axis, extent in zip(broadcast_dimensions, x.shape, strict=True):
        spread[axis] = extent
    return np.broadcast_to(x.reshape(spread), shape)


def _dot_general(a: Array, b: Array, *, dimension_numbers: Any, preferred_element_type: Any, **_: object) -> Any:
    (of_a, of_b), (rows_a, rows_b) = dimension_numbers
    a, b = np.asarray(a), np.asarray(b)
    free_a = [i for i in range(a.ndim) if i not in of_a and i not in rows_a]
    free_b = [i for i in range(b.ndim) if i not in of_b and i not in rows_b]
    rows = tuple(a.shape[i] for i in rows_a)
    inner = int(np.prod([a.shape[i] for i in of_a], dtype=int))
    left = a.transpose(*rows_a, *free_a, *of_a).reshape(
        *rows, int(np.prod([a.shape[i] for i in free_a], dtype=int)), inner
    )
    right = b.transpose(*rows_b, *of_b, *free_b).reshape(
        *rows, inner, int(np.prod([b.shape[i] for i in free_b], dtype=int))
    )
    shape = (*rows, *(a.shape[i] for i in free_a), *(b.shape[i] for i in free_b))
    return np.matmul(left, right).reshape(shape).astype(preferred_element_type or a.dtype, copy=False)


def _pad(x: Any, value: Any, *, padding_config: Sequence[tuple[int, int, int]], **_: object) -> Array:
    x = np.asarray(x)
    extents = [
        low + high + n + max(n - 1, 0) * inside for n, (low, high, inside) in zip(x.shape, padding_config, strict=True)
    ]
    if any(low < 0 or high < 0 for low, high, _ in padding_config):
        return np.asarray(lax.pad(x, value, padding_config))
    y = np.full(extents, value, x.dtype)
    where = tuple(
        slice(low, low + n + max(n - 1, 0) * inside, inside + 1)
        for n, (low, _, inside) in zip(x.shape, padding_config, strict=True)
    )
    y[where] = x
    return y


def _slice(
    x: Array, *, start_indices: Sequence[int], limit_indices: Sequence[int], strides: Sequence[int] | None
) -> Any:
    steps = strides or [1] * len(start_indices)
    return np.asarray(x)[tuple(slice(a, b, s) for a, b, s in zip(start_indices, limit_indices, steps, strict=True))]


def _iota(*, dtype: Any, shape: Sequence[int], dimension: int, **_: object) -> Array:
    spread = [1] * len(shape)
    spread[dimension] = shape[dimension]
    return np.broadcast_to(np.arange(shape[dimension], dtype=dtype).reshape(spread), shape)


def _reshape(x: Any, *, new_sizes: Sequence[int], dimensions: Sequence[int] | None, **_: object) -> Array:
    return np.reshape(x if dimensions is None else np.transpose(x, dimensions), new_sizes)


def _select(which: Any, *cases: Any) -> Any:
    if np.asarray(which).dtype == bool:
        return np.where(which, cases[1], cases[0])
    return np.choose(which, cases)


def _integer_pow(x: Any, *, y: int) -> Any:
    x = np.asarray(x)  # JAX's arrays would make float64 of it
    return np.power(x, y) if y >= 0 else 1 / np.power(x, -y)


def _reducer(function: Any) -> Operation:
    return lambda x, *, axes, **_: function(np.asarray(x), axis=tuple(axes))


def _plain(function: Any) -> Operation:
    return lambda *args, **_: function(*args)


def _sum(x: Array, *, axes: Sequence[int], **_: object) -> Any:
    return np.sum(x, axis=tuple(axes), dtype=np.asarray(x).dtype)


def _div(a: Any, b: Any, **_: object) -> Any:
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind in "iu":
        return np.asarray(lax.div(a, b))
    return np.divide(a, b)


def _not(x: Any, **_: object) -> Any:
    return np.logical_not(x) if np.asarray(x).dtype == bool else np.invert(x)


def _logistic(x: Any, **_: object) -> Any:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-np.asarray(x)))


def _clamp(low: Any, x: Any, high: Any, **_: object) -> Any:
    return np.minimum(np.maximum(x, low), high)


def _concatenate(*parts: Array, dimension: int, **_: object) -> Array:
    return np.concatenate(parts, axis=dimension)


def _split(x: Any, *, sizes: Sequence[int], axis: int) -> list[Array]:
    return np.split(np.asarray(x), np.cumsum(sizes)[:-1], axis=axis)


def _unstack(x: Any, *, axis: int) -> list[Array]:
    return [np.take(x, i, axis=axis) for i in range(np.shape(x)[axis])]


def _extreme(function: Any) -> Operation:
    return lambda x, *, axes, index_dtype, **_: function(np.asarray(x), axis=axes[0]).astype(index_dtype)


def _cumulated(x: Any, *, axis: int, reverse: bool) -> Array:
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)


OPERATIONS: dict[str, Operation] = {
    "split": _split,
    "unstack": _unstack,
    "stack": lambda *parts, axis, **_: np.stack(parts, axis),
    "argmax": _extreme(np.argmax),
    "argmin": _extreme(np.argmin),
    "cumsum": _cumulated,
    "rem": _plain(np.fmod),
    "erf": _plain(special.erf),
    "erfc": _plain(special.erfc),
    **{
        name: _plain(function)
        for name, function in {
            "add": np.add,
            "add_any": np.add,
            "sub": np.subtract,
            "mul": np.multiply,
            "neg": np.negative,
            "exp": np.exp,
            "log": np.log,
            "log1p": np.log1p,
            "expm1": np.expm1,
            "tanh": np.tanh,
            "sqrt": np.sqrt,
            "rsqrt": lambda x: 1 / np.sqrt(x),
            "abs": np.abs,
            "sign": np.sign,
            "floor": np.floor,
            "ceil": np.ceil,
            "sin": np.sin,
            "cos": np.cos,
            "pow": lambda x, y: np.power(x, np.asarray(y).astype(np.asarray(x).dtype)),
            "square": np.square,
            "max": np.maximum,
            "min": np.minimum,
            "eq": np.equal,
            "ne": np.not_equal,
            "lt": np.less,
            "le": np.less_equal,
            "gt": np.greater,
            "ge": np.greater_equal,
            "and": np.bitwise_and,
            "or": np.bitwise_or,
            "xor": np.bitwise_xor,
            "is_finite": np.isfinite,
            "copy": lambda x: x,
        }.items()
    },
    "div": _div,
    "not": _not,
    "logistic": _logistic,
    "integer_pow": _integer_pow,
    "clamp": _clamp,
    "select_n": _select,
    "convert_element_type": lambda x, *, new_dtype, **_: np.asarray(x).astype(new_dtype),
    "reshape": _reshape,
    "tile": lambda x, *, reps, **_: np.tile(x, reps),
    "squeeze": lambda x, *, dimensions, **_: np.squeeze(x, axis=tuple(dimensions)),
    "expand_dims": lambda x, *, dimensions, **_: np.expand_dims(x, tuple(dimensions)),
    "transpose": lambda x, *, permutation, **_: np.transpose(x, permutation),
    "rev": lambda x, *, dimensions, **_: np.flip(x, tuple(dimensions)),
    "broadcast_in_dim": _broadcast_in_dim,
    "dot_general": _dot_general,
    "pad": _pad,
    "slice": _slice,
    "iota": _iota,
    "concatenate": _concatenate,
    "reduce_sum": _sum,
    "reduce_max": _reducer(np.max),
    "reduce_min": _reducer(np.min),
    "reduce_and": _reducer(np.all),
    "reduce_or": _reducer(np.any),
    "reduce_prod": _reducer(np.prod),
}
"""What NumPy computes as JAX does, by JAX's names."""
