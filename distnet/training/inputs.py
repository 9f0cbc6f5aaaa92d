"""What a caller passed as x, y and weights -> arrays that fit the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from distnet.data.arrays import ArrayData, as_arrays, check_equal_rows
from distnet.data.weights import row_weights
from distnet.errors import ArgumentError, DataError, ShapeError
from distnet.network import Network
from distnet.types import Array, Shape


def array_data(
    model: Network, x: Any, y: Any, sample_weight: Any = None, class_weight: Mapping[Any, float] | None = None
) -> ArrayData:
    """Inputs, targets and weights as arrays; builds the model if it waits for its input shape.

    Args:
        x, y, sample_weight: one array, a list of arrays, or a dict of arrays by the names of inputs and
            outputs.

    Raises:
        DataError: no rows, or no numbers.
        ShapeError: other rows than the model takes, or different numbers of rows.
    """
    inputs = as_arrays(_in_order(x, model.input_names if model.built else None, "x"), "x")
    targets = () if y is None else as_arrays(_in_order(y, model.output_names if model.built else None, "y"), "y")
    check_equal_rows([("x", inputs), ("y", targets)])
    if not model.built:
        model.build((None, *inputs[0].shape[1:]))
    names = model.output_names
    if targets and len(targets) != len(names):
        raise ShapeError(f"{model.name}: expected targets for {len(names)} outputs {names}, received {len(targets)}.")
    weights = _weights(names, targets, sample_weight, class_weight)
    return ArrayData(fitting(model, inputs), targets, weights)


def labelled_data(
    model: Network, x: Any, y: Any, sample_weight: Any = None, class_weight: Mapping[Any, float] | None = None
) -> ArrayData:
    """As ``array_data``, for training or evaluation, which need targets.

    Raises:
        DataError: there are none.
    """
    if y is None:
        raise DataError(f"{model.name}: expected targets y beside x, received None.")
    return array_data(model, x, y, sample_weight, class_weight)


def fitting(model: Network, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    """The inputs, with a trailing axis of 1 where the model wants one.

    Raises:
        ShapeError: names the model, the shape expected and the shape received.
    """
    expected = model.input_shapes
    if len(inputs) != len(expected):
        raise ShapeError(f"{model.name}: expected {len(expected)} input arrays, received {len(inputs)}.")
    return tuple(_fitting(model.name, a, shape) for a, shape in zip(inputs, expected, strict=True))


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Within the block every error about data says that it is ``what``."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{what}: {error}", error.row) from None
    except ShapeError as error:
        raise ShapeError(f"{what}: {error}") from None


def unpack_validation(data: Any) -> tuple[Any, Any, Any]:
    """x, y and sample weights (or None) of ``validation_data``.

    Raises:
        ArgumentError: not a tuple of 2 or 3.
    """
    if not isinstance(data, list | tuple) or len(data) not in (2, 3):
        raise ArgumentError(f"validation_data: expected (x, y) or (x, y, sample_weight), received {type(data)}.")
    x, y, *rest = data
    return x, y, rest[0] if rest else None


def positive(value: Any, what: str, least: int = 1) -> int:
    """``value`` as an int of at least ``least``.

    Raises:
        ArgumentError: it is not one.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ArgumentError(f"{what}: expected an integer of at least {least}, received {value!r}.")
    return int(value)


def verbosity(verbose: Any) -> int:
    """0, 1 or 2; ``"auto"`` is 1.

    Raises:
        ArgumentError: anything else.
    """
    if verbose == "auto":
        return 1
    if verbose not in (0, 1, 2):
        raise ArgumentError(f"verbose: expected 0, 1, 2 or 'auto', received {verbose!r}.")
    return int(verbose)


def _weights(
    names: Sequence[str], targets: Sequence[Array], sample_weight: Any, class_weight: Mapping[Any, float] | None
) -> tuple[Array | None, ...]:
    """The weights of each output's rows."""
    if class_weight is not None and len(names) > 1:
        raise ArgumentError("class_weight: is for a model with one output. Pass sample_weight for each output instead.")
    given = _in_order(sample_weight, names, "sample_weight") if sample_weight is not None else None
    each: list[Any] = list(given) if isinstance(given, list) and len(names) > 1 else [given] * len(names)
    if len(each) != len(names):
        raise ShapeError(f"sample_weight: expected weights for {len(names)} outputs {names}, received {len(each)}.")
    ys: list[Array | None] = [*targets] or [None] * len(names)
    return tuple(row_weights(y, weight, class_weight) for y, weight in zip(ys, each, strict=True))


def _in_order(data: Any, names: Sequence[str] | None, what: str) -> Any:
    """The arrays of a dict in the order of ``names``; a data frame's numbers; anything else as it is."""
    if data is None:
        raise DataError(f"{what}: expected an array, received None.")
    if hasattr(data, "to_numpy"):
        return data.to_numpy()
    if not isinstance(data, Mapping):
        return [_in_order(d, None, what) if hasattr(d, "to_numpy") else d for d in data] if _is_list(data) else data
    if names is None or set(data) != set(names):
        raise DataError(f"{what}: expected a dict with the keys {list(names or ())}, received {list(data)}.")
    return [_in_order(data[name], None, f"{what}[{name!r}]") for name in names]


def _is_list(data: Any) -> bool:
    return isinstance(data, list | tuple)


def _fitting(name: str, array: Array, expected: Shape) -> Array:
    if array.ndim == 1 and len(expected) == 2 and expected[1] == 1:
        array = array.reshape(-1, 1)
    matches = array.ndim == len(expected) and all(
        want is None or want == have for want, have in zip(expected[1:], array.shape[1:], strict=True)
    )
    if not matches:
        raise ShapeError(
            f"{name}: expected rows of shape {expected[1:]}, received {array.shape[1:]} (x has shape {array.shape})."
        )
    return array


def as_list(callbacks: Sequence[object] | object | None) -> list[object]:
    """The callbacks, of which Keras takes none, one or several."""
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
