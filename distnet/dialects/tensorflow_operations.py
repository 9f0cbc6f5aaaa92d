"""TensorFlow's operations on tensors, as files of its Keras hold them: by name, with their arguments.

Source: ``TFOpLambda``, ``SlicingOpLambda`` of tf_keras 2.21, ``TensorFlowOpLayer`` of TensorFlow 2.0 - 2.3.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from distnet.dialects.keras_2_operations import OF_AXES, OF_ONE, OF_TWO
from distnet.errors import ArgumentError
from distnet.layers.engine.base import KerasTensor
from distnet.layers.operations import applied

Operation = Callable[..., Any]

_OF_ONE_NODE = {
    "Neg": "Negative", "Abs": "Absolute", "Exp": "Exp", "Log": "Log", "Sqrt": "Sqrt", "Rsqrt": "Rsqrt",
    "Square": "Square", "Tanh": "Tanh", "Sigmoid": "Sigmoid", "Relu": "Relu", "Softmax": "Softmax", "Sin": "Sin",
    "Cos": "Cos", "Softplus": "Softplus", "Relu6": "Relu6", "Elu": "Elu", "Selu": "Selu",
}  # fmt: skip
_OF_TWO_NODES = {
    "Add": "Add", "AddV2": "Add", "Sub": "Subtract", "Mul": "Multiply", "RealDiv": "TrueDivide", "Div": "Divide",
    "Pow": "Power", "Maximum": "Maximum", "Minimum": "Minimum", "MatMul": "Matmul", "BatchMatMulV2": "Matmul",
}  # fmt: skip
_REDUCING_NODES = {"Mean": "Mean", "Sum": "Sum", "Max": "Max", "Min": "Min"}


def operation_of_tensorflow(kind: str, name: str, config: Mapping[str, Any]) -> Operation:
    """The operation that a layer of TensorFlow's Keras stands for.

    Raises:
        ArgumentError: it is none of distnet's.
    """
    if kind == "TensorFlowOpLayer":
        return _of_node(name, config)
    function = str(config.get("function"))
    for table, form in ((OF_ONE, _one), (OF_TWO, _two), (OF_AXES, _axes)):
        if function in table:
            return form(name, table[function])
    if function in _OTHERS:
        return lambda *args, **kwargs: _OTHERS[function](name, *args, **_meant(name, kwargs))
    raise ArgumentError(f"{name}: TensorFlow's operation {function!r} is no layer of distnet.")


def _meant(name: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without names and what is off."""
    return {key: value for key, value in kwargs.items() if key != "name" and value is not None and value is not False}


def _refuse(name: str, rest: Mapping[str, Any]) -> None:
    if rest:
        raise ArgumentError(f"{name}: arguments {sorted(rest)} of TensorFlow's operation are not supported.")


def _one(name: str, kind: str) -> Operation:
    def operation(x: Any, **kwargs: Any) -> Any:
        _refuse(name, _meant(name, kwargs))
        return applied(kind, x, name=name)

    return operation


def _two(name: str, kind: str) -> Operation:
    def operation(first: Any, /, *args: Any, **kwargs: Any) -> Any:
        given = {key: value for key, value in kwargs.items() if key != "name"}
        second = args[0] if args else given.pop("x" if kind == "Arctan2" else "y")
        _refuse(name, _meant(name, given))
        return applied(kind, first, second, name=name)

    return operation


def _axes(name: str, kind: str) -> Operation:
    def operation(x: Any, axis: Any = None, keepdims: bool = False, **kwargs: Any) -> Any:
        _refuse(name, _meant(name, kwargs))
        return applied(kind, x, axis=axis, keepdims=keepdims, name=name)

    return operation


def _item(name: str, x: Any, slice_spec: Any = 0) -> Any:
    key = tuple(_part(part) for part in slice_spec) if isinstance(slice_spec, list) else _part(slice_spec)
    if isinstance(x, KerasTensor):
        return applied("GetItem", x, key, name=name)
    return x[key[0] if isinstance(key, tuple) else key]  # a shape


def _part(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return Ellipsis if "class_name" in value else slice(*(value.get(key) for key in ("start", "stop", "step")))


def _matmul(name: str, a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    a, b = (
        applied("Swapaxes", x, axis1=-1, axis2=-2) if is_turned else x
        for x, is_turned in ((a, transpose_a), (b, transpose_b))
    )
    return applied("Matmul", a, b, name=name)


def _softmax(kind: str) -> Callable[..., Any]:
    return lambda name, x, axis=-1: applied(kind, x, axis=axis, name=name)


def _reshape(name: str, x: Any, shape: Any) -> Any:
    return applied("Reshape", x, newshape=[-1 if n is None else n for n in shape], name=name)


def _shape(name: str, x: Any, out_type: Any = None) -> Any:
    return x.shape


def _squared_difference(name: str, x: Any, y: Any) -> Any:
    return applied("Square", applied("Subtract", x, y), name=name)


def _add_n(name: str, xs: list[Any]) -> Any:
    for i, x in enumerate(xs[1:], 1):
        xs = [applied("Add", xs[0], x, name=name if i == len(xs) - 1 else None), *xs[1:]]
    return xs[0]


def _l2_normalize(name: str, x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    squares = applied("Sum", applied("Square", x), axis=axis, keepdims=True)
    return applied("Multiply", x, applied("Rsqrt", applied("Maximum", squares, epsilon)), name=name)


def _gather(name: str, x: Any, indices: Any, axis: int = 0, **rest: Any) -> Any:
    _refuse(name, {key: value for key, value in rest.items() if value})
    return applied("Take", x, indices, axis=axis, name=name)


def _pad(name: str, x: Any, paddings: Any, mode: str = "constant", constant_values: float = 0) -> Any:
    is_constant = mode.lower() == "constant"
    return applied("Pad", x, constant_values if is_constant else None, pad_width=paddings, mode=mode.lower(), name=name)


def _scanned(kind: str) -> Callable[..., Any]:
    """Sums or products so far; TensorFlow's other forms are refused by their arguments."""
    return lambda name, x, axis=0: applied(kind, x, axis=axis, name=name)


def _norm(name: str, x: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False) -> Any:
    order = None if ord == "euclidean" else ord
    return applied("Norm", x, ord=order, axis=axis, keepdims=keepdims, name=name)


def _resize(name: str, images: Any, size: Any, method: str = "bilinear", antialias: bool = False) -> Any:
    return applied("Resize", images, size=tuple(size), interpolation=method, antialias=antialias, name=name)


def _batch_flatten(name: str, x: Any) -> Any:
    return applied("Reshape", x, newshape=(-1, math.prod(x.shape[1:])), name=name)


_OTHERS: Mapping[str, Callable[..., Any]] = {
    "__operators__.getitem": _item,
    "linalg.matmul": _matmul,
    "nn.softmax": _softmax("Softmax"),
    "nn.log_softmax": _softmax("LogSoftmax"),
    "concat": lambda name, xs, axis: applied("Concatenate", xs, axis=axis, name=name),
    "stack": lambda name, xs, axis=0: applied("Stack", xs, axis=axis, name=name),
    "reshape": _reshape,
    "compat.v1.shape": _shape,
    "shape": _shape,
    "compat.v1.transpose": lambda name, x, perm=None: applied("Transpose", x, axes=perm, name=name),
    "transpose": lambda name, x, perm=None: applied("Transpose", x, axes=perm, name=name),
    "compat.v1.squeeze": lambda name, x, axis=None: applied("Squeeze", x, axis=axis, name=name),
    "squeeze": lambda name, x, axis=None: applied("Squeeze", x, axis=axis, name=name),
    "expand_dims": lambda name, x, axis=0: applied("ExpandDims", x, axis=axis, name=name),
    "clip_by_value": lambda name, x, clip_value_min, clip_value_max: applied(
        "Clip", x, x_min=clip_value_min, x_max=clip_value_max, name=name
    ),
    "where": lambda name, condition, x, y: applied("Where", condition, x, y, name=name),
    "cast": lambda name, x, dtype: applied("Cast", x, dtype=dtype, name=name),
    "split": lambda name, x, num_or_size_splits, axis=0: applied(
        "Split", x, indices_or_sections=_ends(num_or_size_splits), axis=axis, name=name
    ),
    "one_hot": lambda name, x, depth, axis=-1, dtype="float32": applied(
        "OneHot", x, num_classes=depth, axis=axis, dtype=dtype, name=name
    ),
    "math.squared_difference": _squared_difference,
    "math.add_n": _add_n,
    "math.l2_normalize": _l2_normalize,
    "compat.v1.gather": _gather,
    "gather": _gather,
    "nn.leaky_relu": lambda name, x, alpha=0.2: applied("LeakyRelu", x, negative_slope=alpha, name=name),
    "nn.gelu": lambda name, x, approximate=False: applied("Gelu", x, approximate=approximate, name=name),
    "identity": lambda name, x: applied("Multiply", x, 1.0, name=name),
    "compat.v1.pad": _pad,
    "pad": _pad,
    "tile": lambda name, x, multiples: applied("Tile", x, repeats=tuple(multiples), name=name),
    "reverse": lambda name, x, axis: applied("Flip", x, axis=tuple(axis), name=name),
    "roll": lambda name, x, shift, axis: applied("Roll", x, shift=shift, axis=axis, name=name),
    "repeat": lambda name, x, repeats, axis=None: applied("Repeat", x, repeats=repeats, axis=axis, name=name),
    "unstack": lambda name, x, num=None, axis=0: applied("Unstack", x, num=num, axis=axis, name=name),
    "einsum": lambda name, equation, *xs: applied("Einsum", *xs, subscripts=equation, name=name),
    "math.argmax": lambda name, x, axis=0: applied("Argmax", x, axis=axis, name=name),
    "math.argmin": lambda name, x, axis=0: applied("Argmin", x, axis=axis, name=name),
    "math.cumsum": _scanned("Cumsum"),
    "math.cumprod": _scanned("Cumprod"),
    "math.top_k": lambda name, x, k=1, sorted=True: applied("TopK", x, k=k, sorted=sorted, name=name),
    "compat.v1.norm": _norm,
    "norm": _norm,
    "linalg.norm": _norm,
    "image.resize": _resize,
    "keras.backend.batch_flatten": _batch_flatten,
}


def _ends(sizes: Any) -> Any:
    """Where NumPy is to split, for TensorFlow's number of parts or their sizes."""
    return sizes if isinstance(sizes, int) else [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]


def _of_node(name: str, config: Mapping[str, Any]) -> Operation:
    """An operation of TensorFlow's own graph; its constant inputs are numbered among the others."""
    node = _node_definition(name, config.get("node_def"))
    op = str(node.get("op"))
    constants = {int(key): value for key, value in (config.get("constants") or {}).items()}
    kind = {**_OF_ONE_NODE, **_OF_TWO_NODES, **_REDUCING_NODES}.get(op)
    attributes = node.get("attr", {})
    if kind is None or any(
        attributes.get(key, {}).get("b") for key in ("transpose_a", "transpose_b", "adj_x", "adj_y")
    ):
        raise ArgumentError(f"{name}: TensorFlow's operation {op!r} is no layer of distnet.")

    def operation(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        tensors = [*(inputs if isinstance(inputs, list) else [inputs]), *args]
        given = iter(tensors)
        operands = [constants[i] if i in constants else next(given) for i in range(len(tensors) + len(constants))]
        if op in _REDUCING_NODES:
            keepdims = bool(attributes.get("keep_dims", {}).get("b"))
            return applied(kind, operands[0], axis=operands[1], keepdims=keepdims, name=name)
        return applied(kind, *operands, name=name)

    return operation


def _node_definition(name: str, text: Any) -> Mapping[str, Any]:
    """TensorFlow's description of a node: JSON, or the text of a protocol buffer, of which the kind and flags count."""
    if isinstance(text, Mapping):
        return text
    try:
        node = json.loads(str(text))
    except ValueError:
        kind = re.search(r'^op: "(\w+)"', str(text), re.MULTILINE)
        flags = re.findall(r'key: "(\w+)"\s+value \{\s+b: (true|false)', str(text))
        node = {
            "op": kind and kind[1],
            "attr": {key: {"b": ast.literal_eval(value.title())} for key, value in flags},
        }
    if not isinstance(node, Mapping):
        raise ArgumentError(f"{name}: expected the description of a node, received {str(text)!r:.100}.")
    return node
