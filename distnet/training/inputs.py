"""What a caller passed as x, y and weights -> arrays that fit the model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol, cast

import numpy as np

from distnet.arguments import check_integer
from distnet.comm.scope import communicator
from distnet.data.arrays import ArrayData
from distnet.data.given_arrays import as_arrays, check_equal_rows
from distnet.data.weights import row_weights
from distnet.errors import ArgumentError, DataError, ShapeError
from distnet.layers.engine.calling import ranked
from distnet.layers.engine.structures import holds_tensors, mapped
from distnet.layers.engine.walks import Walks
from distnet.training.outputs import no_targets
from distnet.types import Array, Shape

_NUMBERS = "biuf"
"""Kinds of dtypes."""


class FedModel(Protocol):
    """A model, as what reads a caller's inputs and targets sees it."""

    name: str
    dtype: str

    @property
    def walks(self) -> Walks: ...

    @property
    def built(self) -> bool: ...

    @property
    def input_shapes(self) -> list[Shape]: ...

    @property
    def output_names(self) -> list[str]: ...

    @property
    def needs_targets(self) -> bool: ...

    @property
    def feeds_itself(self) -> bool: ...

    @property
    def is_called_on_other_data(self) -> bool: ...

    def input_takes_strings(self, number: int) -> bool: ...

    def build_on(self, inputs: Sequence[Array]) -> None: ...

    def open_to(self, shapes: Sequence[Shape]) -> None: ...

    def in_order(self, inputs: Any) -> list[Any]: ...

    def targets_in_order(self, targets: Any) -> list[Any]: ...

    def weights_in_order(self, sample_weight: Any) -> list[Any]: ...


def array_data(
    model: FedModel, x: Any, y: Any, sample_weight: Any = None, class_weight: Mapping[Any, float] | None = None
) -> ArrayData:
    """Inputs, targets and weights as arrays; builds the model if it waits for its input shape.

    Args:
        x, y, sample_weight: one array, a list of arrays, or a dict of arrays by the names of inputs and
            outputs.

    Raises:
        DataError: no rows, or no numbers.
        ShapeError: other rows than the model takes, or different numbers of rows.
    """
    if sample_weight is None and class_weight is None and type(x) is np.ndarray:
        data = _plain_data(model, x, y)
        if data is not None:
            return data
    inputs = tuple(as_arrays(part, "x", takes_strings=True)[0] for part in model.in_order(_given(x, "x")))
    if not model.built:
        model.build_on(inputs)
    model.open_to([a.shape for a in inputs])
    targets = () if y is None else _targets(model, y, len(inputs[0]))
    check_equal_rows([("x", inputs), ("y", targets)])
    weights = _weights(model, targets, sample_weight, class_weight)
    return ArrayData(fitting(model, inputs), targets, weights)


def _plain_data(model: FedModel, x: Array, y: Any) -> ArrayData | None:
    """The data, if they are one array for the one input, and perhaps one for the one output, as they should be.

    None for all others, and where a model has to be asked more; most data are such, and are seen to be at once.
    """
    rows = model.walks.if_kept(model, "the rows of the one input", partial(_rows_of_the_input, model))
    if rows is None or x.shape[1:] != rows or not x.size or not x.ndim or x.dtype.kind not in _NUMBERS:
        return None
    needs_targets = model.needs_targets
    if y is None:
        return ArrayData((x,), (), (None,) if needs_targets else ())
    if not needs_targets or type(y) is not np.ndarray or y.dtype.kind not in _NUMBERS or y.shape[:1] != x.shape[:1]:
        return None
    is_one = model.walks.if_kept(model, "whether one array is all targets", partial(_takes_one_target, model))
    return ArrayData((x,), (y,), (None,)) if is_one else None


def _rows_of_the_input(model: FedModel) -> Shape | None:
    """The shape of a row, of a model that takes one array of numbers, of known extents; else None."""
    shapes = model.input_shapes if model.built and not model.is_called_on_other_data else []
    if len(shapes) != 1 or None in shapes[0][1:] or model.input_takes_strings(0) or len(model.output_names) != 1:
        return None
    probe = np.zeros(1)
    each = model.in_order(probe)
    return tuple(shapes[0][1:]) if len(each) == 1 and each[0] is probe else None


def _takes_one_target(model: FedModel) -> bool:
    """Whether one array is handed over as the targets of the one output."""
    probe = np.zeros(1)
    each = model.targets_in_order(probe)
    return len(each) == 1 and each[0] is probe


def labelled_data(
    model: FedModel, x: Any, y: Any, sample_weight: Any = None, class_weight: Mapping[Any, float] | None = None
) -> ArrayData:
    """As ``array_data``, for training or evaluation, which need targets.

    Raises:
        DataError: there are none.
    """
    if y is None and model.needs_targets:
        raise DataError(f"{model.name}: expected targets y beside x, received None.")
    return array_data(model, x, y, sample_weight, class_weight)


def fitting(model: FedModel, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    """The inputs, with a last axis of 1 added or removed where the model expects that.

    A model that feeds itself is handed others, too, as they are.

    Raises:
        ShapeError: names the model, the shape expected and the shape received.
    """
    if model.is_called_on_other_data:
        return inputs
    expected = model.input_shapes
    try:
        if len(inputs) != len(expected):
            raise ShapeError(f"{model.name}: expected {len(expected)} input arrays, received {len(inputs)}.")
        for number, array in enumerate(inputs):
            _check_kind(model, number, array)
        return tuple(_fitting(model.name, a, shape) for a, shape in zip(inputs, expected, strict=True))
    except ShapeError:
        if model.feeds_itself:
            return inputs
        raise


def unpack_validation(data: Any) -> tuple[Any, Any, Any]:
    """x, y and sample weights (or None) of ``validation_data``.

    Raises:
        ArgumentError: not a tuple of 2 or 3.
    """
    if not isinstance(data, list | tuple) or len(data) not in (2, 3):
        raise ArgumentError(f"validation_data: expected (x, y) or (x, y, sample_weight), received {type(data)}.")
    x, y, *rest = data
    return x, y, rest[0] if rest else None


def at_most(limit: int | None, wanted: int | None, what: str = "") -> int | None:
    """The epochs or steps, within the limit that ``distnet.config`` sets; warns of ``what`` if it lowers them.

    Source: ``keras.config.set_max_epochs`` and ``set_max_steps_per_epoch``.
    """
    if limit is None or (wanted is not None and check_integer(what or "steps", wanted, 0) <= limit):
        return wanted
    if what and communicator().rank == 0:
        warnings.warn(f"Limiting {what} to {limit}, as distnet.config says.", stacklevel=5)
    return limit


def rows_of_a_batch(batch_size: int | None, rows: int, steps: int | None, what: str = "steps") -> int:
    """The size of a batch: as given, else what so many ``steps`` need to see all rows, else 32.

    Source: ``keras.src.trainers.data_adapters.array_data_adapter``.
    """
    if batch_size is not None:
        return check_integer("batch_size", batch_size, 1)
    return 32 if steps is None else max(1, -(-rows // check_integer(what, steps, 1)))


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


def _targets(model: FedModel, y: Any, rows: int) -> tuple[Array, ...]:
    each = model.targets_in_order(_given(y, "y"))
    return tuple(no_targets(rows) if part is None else _numbers(part, "y") for part in each)


def _weights(
    model: FedModel, targets: Sequence[Array], sample_weight: Any, class_weight: Mapping[Any, float] | None
) -> tuple[Array | None, ...]:
    """The weights of each output's rows."""
    names: Sequence[object] = model.output_names if model.needs_targets else targets
    if class_weight is not None and len(names) > 1:
        raise ArgumentError("class_weight: is for a model with one output. Pass sample_weight for each output instead.")
    if sample_weight is None and class_weight is None:
        return (None,) * (len(targets) or len(names))
    given = None if sample_weight is None else _given(sample_weight, "sample_weight")
    each = [None] * len(names) if given is None else model.weights_in_order(given)
    ys: list[Array | None] = [*targets] or [None] * len(names)
    return tuple(row_weights(y, weight, class_weight) for y, weight in zip(ys, each, strict=True))


def _given(data: Any, what: str) -> Any:
    """The data with the numbers of data frames in their place."""
    if data is None:
        raise DataError(f"{what}: expected an array, received None.")
    if hasattr(data, "to_numpy"):
        return data.to_numpy()
    return mapped(_given_part, data) if holds_tensors(data) else data


def _given_part(data: Any) -> Any:
    return data.to_numpy() if hasattr(data, "to_numpy") else data


def _numbers(data: Any, what: str) -> Array:
    return as_arrays(data, what)[0]


def _check_kind(model: FedModel, number: int, array: Array) -> None:
    """Fail unless strings go to an input of strings, and numbers to one of numbers.

    Raises:
        DataError: they do not.
    """
    is_of_strings = array.dtype.kind == "O"
    if is_of_strings and not model.input_takes_strings(number):
        raise DataError(
            f"x: expected an array of numbers, received strings. Encode them as numbers, or begin {model.name} with a "
            'layer that takes strings, such as StringLookup, on Input(..., dtype="string").'
        )
    if not is_of_strings and model.input_takes_strings(number):
        raise DataError(f"x: expected an array of strings, which {model.name} takes, received dtype {array.dtype}.")


def _fitting(name: str, array: Array, expected: Shape) -> Array:
    shape = ranked(name, array.shape, expected)
    if any(want not in (None, have) for want, have in zip(expected[1:], shape[1:], strict=True)):
        raise ShapeError(
            f"{name}: expected rows of shape {expected[1:]}, received {array.shape[1:]} (x has shape {array.shape})."
        )
    return array if len(shape) == array.ndim else array.reshape(cast("tuple[int, ...]", shape))


def as_list(callbacks: Sequence[object] | object | None) -> list[object]:
    """The callbacks, of which Keras takes none, one or several."""
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
