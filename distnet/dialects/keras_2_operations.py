"""Operations on tensors in TensorFlow's Keras 2: by TensorFlow's names, with TensorFlow's arguments.

Source: ``TFOpLambda``, ``SlicingOpLambda`` and ``Node.serialize`` of tf_keras 2.21.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from distnet.errors import ArgumentError
from distnet.registry import said_beside
from distnet.types import Json

OPERATION = "operation"
"""The key under which Keras 3's entry stands beside what Keras 2 reads in its place; distnet reads it."""

OF_ONE = {
    "math.negative": "Negative", "math.abs": "Absolute", "math.exp": "Exp", "math.log": "Log", "math.log1p": "Log1p",
    "math.expm1": "Expm1", "math.sqrt": "Sqrt", "math.rsqrt": "Rsqrt", "math.square": "Square", "math.sin": "Sin",
    "math.cos": "Cos", "math.tan": "Tan", "math.tanh": "Tanh", "math.sinh": "Sinh", "math.cosh": "Cosh",
    "math.sigmoid": "Sigmoid", "math.softplus": "Softplus", "math.reciprocal": "Reciprocal", "math.sign": "Sign",
    "math.floor": "Floor", "math.ceil": "Ceil", "math.round": "Round", "nn.relu": "Relu", "nn.relu6": "Relu6",
    "nn.elu": "Elu", "nn.selu": "Selu", "nn.softplus": "Softplus", "nn.silu": "Silu", "nn.swish": "Silu",
    "math.logical_not": "LogicalNot", "zeros_like": "ZerosLike", "ones_like": "OnesLike", "nn.tanh": "Tanh",
    "nn.sigmoid": "Sigmoid", "math.log_sigmoid": "LogSigmoid", "nn.softsign": "Softsign", "math.asin": "Arcsin",
    "math.acos": "Arccos", "math.atan": "Arctan", "math.asinh": "Arcsinh", "math.acosh": "Arccosh",
    "math.atanh": "Arctanh", "math.erf": "Erf", "math.erfc": "Erfc", "math.is_nan": "Isnan", "math.is_inf": "Isinf",
    "math.is_finite": "Isfinite", "stop_gradient": "StopGradient",
}  # fmt: skip
"""TensorFlow's functions of one tensor, with Keras 3's names."""

OF_TWO = {
    "__operators__.add": "Add", "math.add": "Add", "math.subtract": "Subtract", "math.multiply": "Multiply",
    "math.truediv": "TrueDivide", "math.divide": "Divide", "math.pow": "Power", "math.maximum": "Maximum",
    "math.minimum": "Minimum", "math.floordiv": "FloorDivide", "math.floormod": "Mod", "math.greater": "Greater",
    "math.greater_equal": "GreaterEqual", "math.less": "Less", "math.less_equal": "LessEqual",
    "math.equal": "Equal", "math.not_equal": "NotEqual", "math.logical_and": "LogicalAnd",
    "math.logical_or": "LogicalOr", "math.logical_xor": "LogicalXor", "__operators__.ne": "NotEqual",
    "__operators__.eq": "Equal", "math.atan2": "Arctan2", "math.divide_no_nan": "DivideNoNan",
}  # fmt: skip
"""Those of two."""

OF_AXES = {
    "math.reduce_mean": "Mean", "math.reduce_sum": "Sum", "math.reduce_max": "Max", "math.reduce_min": "Min",
    "math.reduce_variance": "Var", "math.reduce_std": "Std", "math.reduce_logsumexp": "Logsumexp",
    "math.reduce_any": "Any", "math.reduce_all": "All", "math.reduce_prod": "Prod",
}  # fmt: skip
"""Those of one tensor along axes."""

_OF_ANY_DTYPE = {
    *("GetItem", "Cast", "OneHot", "Concatenate", "Stack", "Reshape", "Transpose", "Squeeze", "ExpandDims", "Any"),
    *("All", "Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual"),
    *("LogicalNot", "LogicalAnd", "LogicalOr", "LogicalXor"),
}
"""What TensorFlow computes of integers and truth values as Keras 3 does, which makes real numbers of some."""


class _NoSuchFormError(Exception):
    """TensorFlow has no single function for an operation; the message says why."""


Form = tuple[str, Mapping[str, Any]]
"""TensorFlow's function, and its arguments besides the first."""


def entry_for_keras_2(entry: Mapping[str, Any], name: str) -> dict[str, Json]:
    """An operation's entry among a model's layers for Keras 2, instead of Keras 3's.

    Args:
        entry: Keras 3's, with its one call.
        name: of the operation.

    Raises:
        ArgumentError: TensorFlow has no one function that computes the same.
    """
    kind, operands = str(entry["class_name"]), entry["inbound_nodes"][0]["args"]
    given = {key: value for key, value in entry["config"].items() if key != "name"}
    try:
        _check_dtypes(kind, operands)
        function, kwargs = _form(kind, operands, given)
    except _NoSuchFormError as reason:
        raise ArgumentError(
            f"{name}: a file for Keras 2 cannot hold the operation {kind}: {reason}. Expected one that TensorFlow "
            "has a function for. Save without keras_optimizer=True, for Keras 3, or use a layer instead."
        ) from None
    config: Json = {"name": name, "trainable": True, "dtype": "float32", "function": function}
    kwargs = {key: _argument(value) for key, value in kwargs.items()}
    first = operands[0]
    if isinstance(first, list) and all(_is_tensor(item) for item in first):
        node: list[Any] = [[*item["config"]["keras_history"], kwargs] for item in first]
    elif _is_tensor(first):
        node = [*first["config"]["keras_history"], kwargs]
    else:
        # which TensorFlow, unlike one that comes second, does not take to be of the tensor's dtype
        is_real = any(_is_tensor(part) and np.dtype(part["config"]["dtype"]).kind == "f" for part in operands)
        constant = np.asarray(_argument(first), float if is_real else None).tolist()
        node = ["_CONSTANT_VALUE", -1, constant, kwargs]
    class_name = "SlicingOpLambda" if kind == "GetItem" else "TFOpLambda"
    written = {"class_name": class_name, "name": name, "config": config, "inbound_nodes": [node]}
    return said_beside(written, **{OPERATION: dict(entry)})


def _form(kind: str, operands: Sequence[Any], given: Mapping[str, Any]) -> Form:
    if kind in _OTHERS:
        return _OTHERS[kind](*operands, **given)
    if kind in _AXES:
        axis, keepdims = given.get("axis"), bool(given.get("keepdims"))
        _refuse(given, "axis", "keepdims")
        return _AXES[kind], {"axis": axis, "keepdims": keepdims}
    if kind not in _TWO and kind not in _ONE:
        raise _NoSuchFormError("TensorFlow has no function of that kind which distnet knows")
    _refuse(given, *(("alpha",) if kind == "Elu" and given.get("alpha") == 1 else ()))
    return (_TWO[kind], {"y": operands[1]}) if kind in _TWO else (_ONE[kind], {})


def _refuse(given: Mapping[str, Any], *known: str) -> None:
    others = sorted(
        key for key, value in given.items() if key not in known and value is not None and value is not False
    )
    if others:
        raise _NoSuchFormError(f"TensorFlow's has no arguments {others}")


def _check_dtypes(kind: str, operands: Sequence[Any]) -> None:
    compared = operands[1:] if kind == "Where" else operands
    tensors = [t for part in compared for t in (part if isinstance(part, list) else [part]) if _is_tensor(t)]
    dtypes = sorted({t["config"]["dtype"] for t in tensors})
    if len(dtypes) > 1 or (kind not in _OF_ANY_DTYPE and any(np.dtype(dtype).kind != "f" for dtype in dtypes)):
        raise _NoSuchFormError(f"TensorFlow computes otherwise of {dtypes}; cast to floating point numbers first")


def _item(x: Any, key: Any) -> Form:
    parts = key if isinstance(key, list) else [key]
    return "__operators__.getitem", {"slice_spec": [_key(part) for part in parts]}


def _key(part: Any) -> Json:
    if isinstance(part, Mapping) and part.get("class_name") == "__slice__":
        return dict(part["config"])
    if part is not None and not isinstance(part, int):
        raise _NoSuchFormError("TensorFlow takes only slices and whole numbers")
    return part


def _matmul(a: Any, b: Any) -> Form:
    if any(_axes_of(operand) < 2 for operand in (a, b)):
        raise _NoSuchFormError("TensorFlow multiplies no vectors")
    return "linalg.matmul", {"b": b}


def _axes_of(operand: Any) -> int:
    return len(operand["config"]["shape"]) if _is_tensor(operand) else np.ndim(_argument(operand))


def _swapped(x: Any, axis1: int, axis2: int) -> Form:
    perm = list(range(_axes_of(x)))
    perm[axis1], perm[axis2] = perm[axis2], perm[axis1]
    return "compat.v1.transpose", {"perm": perm}


def _split(x: Any, indices_or_sections: Any, axis: int) -> Form:
    if not isinstance(indices_or_sections, int):
        raise _NoSuchFormError("TensorFlow splits only into equal parts")
    return "split", {"num_or_size_splits": indices_or_sections, "axis": axis}


def _one_hot(x: Any, num_classes: int, axis: int, dtype: str | None, sparse: bool) -> Form:
    return "one_hot", {"depth": num_classes, "axis": axis, "dtype": dtype or "float32"}


def _argument(value: Any) -> Any:
    """A reference to a tensor, an array as lists, anything else as it is."""
    if _is_tensor(value):
        return value["config"]["keras_history"]
    if isinstance(value, Mapping) and value.get("class_name") == "__numpy__":
        return value["config"]["value"]
    return value


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__"


def _turned(names: Mapping[str, str]) -> dict[str, str]:
    """TensorFlow's first name of each of Keras 3's."""
    return {kind: function for function, kind in reversed(list(names.items()))}


_ONE, _TWO, _AXES = _turned(OF_ONE), _turned(OF_TWO), _turned(OF_AXES)
_OTHERS: Mapping[str, Callable[..., Form]] = {
    "GetItem": _item,
    "Matmul": _matmul,
    "Swapaxes": _swapped,
    "Split": _split,
    "OneHot": _one_hot,
    "Softmax": lambda x, axis: ("nn.softmax", {"axis": axis}),
    "LogSoftmax": lambda x, axis: ("nn.log_softmax", {"axis": axis}),
    "Concatenate": lambda xs, axis: ("concat", {"axis": axis}),
    "Stack": lambda xs, axis: ("stack", {"axis": axis}),
    "Reshape": lambda x, newshape: ("reshape", {"shape": newshape}),
    "Transpose": lambda x, axes: ("compat.v1.transpose", {"perm": axes}),
    "Squeeze": lambda x, axis: ("compat.v1.squeeze", {"axis": axis}),
    "ExpandDims": lambda x, axis: ("expand_dims", {"axis": axis}),
    "Clip": lambda x, x_min, x_max: ("clip_by_value", {"clip_value_min": x_min, "clip_value_max": x_max}),
    "Where": lambda condition, x1, x2: ("where", {"x": x1, "y": x2}),
    "Cast": lambda x, dtype: ("cast", {"dtype": dtype}),
    "LeakyRelu": lambda x, negative_slope: ("nn.leaky_relu", {"alpha": negative_slope}),
    "Gelu": lambda x, approximate: ("nn.gelu", {"approximate": approximate}),
}
