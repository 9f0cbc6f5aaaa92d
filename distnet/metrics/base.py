"""The base of metrics: a state that rows add to, and its result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from distnet.errors import ArgumentError
from distnet.initializers import INITIALIZERS
from distnet.metrics.over_ranks import apart, of_global_batch, taking_tensors
from distnet.naming import snake_case
from distnet.ops.tensor import Rows
from distnet.registry import LEFT_OUT, Configurable
from distnet.results import ResultArray, as_result, giving_results
from distnet.types import Array, ArrayLike, Json, Shape
from distnet.variables import Variable


@dataclass(eq=False)
class Metric(Configurable, ABC):
    """A number to watch.

    A metric of your own makes variables with ``add_variable`` in ``__init__``, changes them in ``update_state`` and
    computes ``result`` from them; it may hold other metrics as attributes and call theirs. On several ranks it sees the
    global batch. The state of distnet's own consists of sums over rows, so that ranks and batches simply add up.

    Args:
        name: the key in logs and History.
        dtype: accepted for Keras's sake; sums are kept in float64.

    Source: ``keras.metrics.Metric``.
    """

    direction: ClassVar[Literal["up", "down"] | None] = None
    """Whether larger or smaller values are better; None if that is unknown."""
    sees_global_batch: ClassVar[bool] = False
    """Whether ``update_state`` is handed tensors as they are."""
    heeds_mask: ClassVar[bool] = False
    """Whether time steps that the predictions' mask excludes are left out."""

    name: str = field(default="", kw_only=True)
    dtype: Json = field(default=None, kw_only=True, repr=False)
    _own: list[tuple[Variable, Array]] = field(default_factory=list, init=False, repr=False, metadata=LEFT_OUT)
    _sizes: list[int] = field(default_factory=list, init=False, repr=False, metadata=LEFT_OUT)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "result" in vars(cls):
            cls.result = giving_results(apart(cls.result))  # type: ignore[method-assign]
        if "update_state" in vars(cls) and not cls.sees_global_batch:
            cls.update_state = taking_tensors(cls.update_state)  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.name = self.name or self.default_name()
        if isinstance(self.dtype, np.dtype | type):
            self.dtype = np.dtype(self.dtype).name

    def default_name(self) -> str:
        """The name of a metric without a given one."""
        return snake_case(type(self).__name__)

    @abstractmethod
    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add the sums of these rows to the variables."""

    @abstractmethod
    def result(self) -> float | Array:
        """The value over all rows since the last reset."""

    def add_variable(
        self,
        shape: int | Shape | str = (),
        initializer: object = "zeros",
        dtype: object = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A new variable for sums over rows; call it in ``__init__``, after ``super().__init__``.

        Args:
            shape: its shape; in Keras 2's argument order its name.
            initializer: of its value before the first row.
            dtype: accepted for Keras's sake; sums are kept in float64.
            aggregation: "sum": the ranks' sums are added.
            name: for messages.

        Raises:
            ArgumentError: another aggregation is requested.

        Source: ``keras.metrics.Metric.add_variable``.
        """
        if isinstance(shape, str):
            name, shape = shape, ()
        if str(aggregation).rpartition(".")[2].lower() != "sum":
            raise ArgumentError(f'metric {self.name}: expected the aggregation "sum", received {aggregation!r}.')
        extents = (shape,) if isinstance(shape, int) else tuple(int(extent or 0) for extent in shape)
        initial = INITIALIZERS.get("zeros" if initializer is None else initializer)(extents, np.float64)
        name = name or f"{self.name}/variable_{len(self._own)}"
        variable = Variable(name, name, initial.copy(), trainable=False)
        self._own.append((variable, initial))
        return variable

    def add_weight(
        self,
        shape: int | Shape | str = (),
        initializer: object = "zeros",
        dtype: object = None,
        name: str | None = None,
    ) -> Variable:
        """Like ``add_variable``."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of the metrics it holds."""
        held = (variable for metric in self._held() for variable in metric.variables)
        return [*(variable for variable, _ in self._own), *held]

    @property
    def state(self) -> Array | None:
        """The variables' values as one vector; None of a metric of distnet's own before its first row."""
        parts = self._parts()
        filled = [np.zeros(n) if part is None else part for part, n in zip(parts, self._lengths(), strict=True)]
        return np.concatenate(filled) if filled else None

    @state.setter
    def state(self, state: Array | None) -> None:
        held = list(self._held())
        count = len(self._own) + len(held)
        parts = iter([None] * count if state is None else np.split(state, np.cumsum(self._lengths())[:-1]))
        for (variable, initial), part in zip(self._own, parts, strict=False):
            variable.value[...] = initial if part is None else part.reshape(variable.shape)
        for metric, part in zip(held, parts, strict=True):
            metric.state = part

    def _parts(self) -> list[Array | None]:
        """The values of each variable, and the state of each metric that it holds, as vectors."""
        return [*(variable.value.ravel() for variable, _ in self._own), *(metric.state for metric in self._held())]

    def _lengths(self) -> list[int]:
        """Those of the parts; before ``size`` has told them, as they are now."""
        return self._sizes or [0 if part is None else part.size for part in self._parts()]

    def get_state(self) -> list[Array | None]:
        """Copies of all that it keeps, array by array; for ``set_state`` of a metric like it."""
        held = (array for metric in self._held() for array in metric.get_state())
        return [*(variable.value.copy() for variable, _ in self._own), *held]

    def set_state(self, state: Sequence[Array | None]) -> None:
        """Be as the metric was that gave this state.

        Raises:
            ArgumentError: that was another kind of metric; this one is half filled then.
        """
        arrays = iter(state)
        self._take(arrays)
        if next(arrays, self) is not self:
            raise ArgumentError(
                f"metric {self.name}: expected the state of a metric like it, received {len(state)} arrays."
            )

    def _take(self, arrays: Iterator[Array | None]) -> None:
        """Take of a state what is its own, then what the metrics' are that it holds."""
        for variable, _ in self._own:
            array = next(arrays, None)
            if array is None or np.shape(array) != variable.shape:
                raise ArgumentError(
                    f"metric {self.name}: expected in its state an array of shape {variable.shape} for "
                    f"{variable.name}, received {'none' if array is None else np.shape(array)}."
                )
            variable.value[...] = array
        for metric in self._held():
            metric._take(arrays)

    def size(self, y_true_shape: Shape, y_pred_shape: Shape) -> int:
        """Length of the state.

        Args:
            y_true_shape: shape of the targets, with the batch axis.
            y_pred_shape: shape of the predictions, with the batch axis.

        Raises:
            ArgumentError: it has neither variables nor metrics: what it keeps elsewhere cannot be added up.
        """
        self._sizes = [variable.size for variable, _ in self._own]
        self._sizes += [metric.size(y_true_shape, y_pred_shape) for metric in self._held()]
        if not self._sizes:
            raise ArgumentError(
                f"metric {self.name}: expected variables made by add_variable in __init__, received none. "
                "What is kept elsewhere cannot be added up over ranks."
            )
        return sum(self._sizes)

    @property
    def sees_all_rows(self) -> bool:
        """Whether ``update_state`` is the user's: its state need not add up, so it is handed the global batch."""
        return not type(self).update_state.__module__.startswith("distnet.")

    def added_by(
        self, y_true: Array, y_pred: Array, sample_weight: ArrayLike | None = None, rows: Rows | None = None
    ) -> Array:
        """What these rows would add to the state, which stays as it is: sums, for a metric of distnet's own.

        Args:
            y_true, y_pred, sample_weight: of this rank's rows, possibly none.
            rows: where they lie in the global batch; None if they are all of it.
        """
        with self._at(None):
            if len(y_pred):
                self._update(y_true, y_pred, sample_weight)
            state = self.state
        return np.zeros(self.size(y_true.shape, y_pred.shape)) if state is None else state

    def ready(self, y_true: Array, y_pred: Array) -> Callable[[Array], tuple[float, ...]] | None:
        """What gives ``added_by``, without weights, of targets and of predictions that stand where they are.

        None where nothing is gained. It is handed targets of the shape and dtype of ``y_true``, at least one row.
        """
        return None

    def first_state(self) -> Array | None:
        """The state after a reset; its own stays as it is."""
        with self._at(self.state):
            self.reset_state()
            return self.state

    def state_after(
        self, state: Array, y_true: Array, y_pred: Array, sample_weight: ArrayLike | None, rows: Rows | None
    ) -> Array:
        """What the global batch makes of a state; its own stays as it is. For the other arguments see ``added_by``."""
        given = [y_true, y_pred] if sample_weight is None else [y_true, y_pred, np.asarray(sample_weight)]

        def update(*parts: Any) -> None:
            self.state = state.copy()
            self._update(*parts)

        with self._at(state):
            if rows is None:
                update(*map(as_result, given))
            else:
                of_global_batch(update, *given, rows=rows)
            return np.array(self.state, np.float64)

    @contextmanager
    def _at(self, state: Array | None) -> Iterator[None]:
        """Within the block it has another state."""
        before = None if self.state is None else self.state.copy()
        self.state = state
        try:
            yield
        finally:
            self.state = before

    def _update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.update_state(y_true, y_pred, **weight)

    def value_of(self, state: Array) -> Array:
        """``result`` for another state than its own.

        Raises:
            ArgumentError: ``result`` is neither a number nor an array of numbers.
        """
        with self._at(state):
            result = self.result()
            try:
                return np.array(result, np.float64)
            except (TypeError, ValueError):
                raise ArgumentError(
                    f"metric {self.name}: expected result() to be a number or an array of numbers, received {result!r}."
                ) from None

    def reset_state(self) -> None:
        """Forget all rows."""
        self.state = None

    def reset_states(self) -> None:
        """Keras 2's name for ``reset_state``."""
        self.reset_state()

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> float | Array:
        """Add these rows, and return the value so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.own_result()

    def own_result(self) -> float | Array:
        """The value so far, which knows whose it is: ``add_metric`` asks."""
        value = self.result()
        if isinstance(value, ResultArray):
            value.of_metric = self
        return value

    def _held(self) -> Iterator[Metric]:
        """The metrics among its attributes."""
        for value in vars(self).values():
            members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
            yield from (member for member in members if isinstance(member, Metric))
