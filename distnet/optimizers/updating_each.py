"""Optimizers of users' that update one variable at a time, as Keras 3's do: ``update_step``.

>>> import numpy as np
>>> from distnet.optimizers import Optimizer
>>> from distnet.variables import Variable
>>> class Halved(Optimizer):
...     def update_step(self, gradient, variable, learning_rate):
...         self.assign_sub(variable, gradient * learning_rate / 2)
>>> weight = Variable("weight", "weight", np.ones(2))
>>> Halved(learning_rate=0.5).apply_gradients([(np.ones(2), weight)])
>>> weight.numpy()
array([0.75, 0.75])
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet import kernels
from distnet.errors import ArgumentError
from distnet.initializers import INITIALIZERS
from distnet.kernels import Formula
from distnet.ops.tape import unfollowed
from distnet.optimizers.given_gradients import TakesGradients
from distnet.optimizers.store_part import StorePart
from distnet.results import as_result
from distnet.variables import Variable, Variables

_OF_OLDER_KERAS = ("get_updates", "_resource_apply_dense", "_apply_dense", "_create_slots")


@dataclass(frozen=True)
class OwnVariable:
    """A variable that a user's optimizer made.

    Args:
        what: its slot, or, of a number of the whole optimizer, its name among the scalars.
        variable: the variable.
        reference: the weight whose slot it is; None for a number.
    """

    what: str
    variable: Variable
    reference: Variable | None


class UpdatesEach(TakesGradients, ABC):
    """Keras's methods for optimizers that define ``update_step``, and what their own variables are."""

    own_variables: list[OwnVariable]
    """In the order in which they were made."""
    numbers: dict[int, int]
    """For each weight its place among those that the optimizer was built for."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        is_by_rule = any(name in vars(cls) for name in ("rule", "update", "update_step"))
        old = next((name for name in _OF_OLDER_KERAS if name in vars(cls)), None)
        cls.lacks_update = old if old and not is_by_rule else None if is_by_rule else cls.lacks_update

    lacks_update: str | None = None
    """A method of older Kerases that the class defines in the place of ``update_step``."""

    @abstractmethod
    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        """The formula of this update, and its scalars."""

    @property
    @abstractmethod
    def updates_entries(self) -> bool:
        """Whether the rule updates each entry from its own gradient and slots."""

    @abstractmethod
    def initial_slots(self) -> dict[str, float]:
        """The rule's slots."""

    def take_no_variables(self) -> None:
        """Begin without variables of its own.

        Raises:
            ArgumentError: the class updates in a way of older Kerases.
        """
        self.own_variables, self.numbers = [], {}
        if self.lacks_update is not None:
            raise ArgumentError(
                f"{type(self).__name__}: has a {self.lacks_update}(), as in older Kerases, which distnet does not "
                "call. Define update_step(self, gradient, variable, learning_rate), as in Keras 3."
            )

    @property
    def updates_each(self) -> bool:
        """Whether the class has an ``update_step`` of its own."""
        return type(self).update_step is not UpdatesEach.update_step

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one weight; an optimizer of your own says here how. By default, as the rule does.

        Args:
            gradient: clipped.
            variable: the weight, whole on every rank.
            learning_rate: the present one.

        Raises:
            ArgumentError: the optimizer has no rule that is for each entry alone.

        Source: ``keras.optimizers.Optimizer.update_step``.
        """
        if not self.updates_entries:
            raise ArgumentError(f"{self.name}: has no update_step() to call: it updates all weights at once.")
        formula, scalars = self.rule(float(learning_rate))
        span = next(span for span in self._spans if span.variable is variable)
        part = slice(span.start, span.stop)
        slots = [self.slots[name][part] for name in self.initial_slots()]
        g = np.array(gradient, variable.dtype).reshape(-1)
        kernels.current().update(formula, variable.value.reshape(-1), g, slots, scalars)

    def add_variable(
        self, shape: Any, initializer: Any = "zeros", dtype: Any = None, aggregation: Any = "none", layout: Any = None,
        name: str | None = None,
    ) -> Variable:  # fmt: skip
        """A number of the whole optimizer, which is saved with it.

        Args:
            shape: (), for a number.
            initializer: of its first value.
            dtype: float32 by default.
            aggregation, layout: ignored.
            name: in files.

        Raises:
            ArgumentError: the shape is not that of a number.

        Source: ``keras.optimizers.Optimizer.add_variable``.
        """
        if math.prod(tuple(shape)) != 1 or len(tuple(shape)):
            raise ArgumentError(
                f"{self.name}.add_variable: expected the shape (), received {shape}. Use "
                "add_variable_from_reference for what is like a weight."
            )
        what = self._new_name(name or "variable", None)
        value = np.asarray(INITIALIZERS.get(initializer)((), np.dtype(dtype or np.float32)))
        variable = Variable(what, f"{self.name}/{what}", value.copy(), trainable=False)
        self.scalars[what] = value.item()
        self.own_variables.append(OwnVariable(what, variable, None))
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A variable like a weight, which is saved with the optimizer.

        Args:
            reference_variable: the weight.
            name: "var" by default.
            initializer: of its first value.

        Source: ``keras.optimizers.Optimizer.add_variable_from_reference``.
        """
        what = self._new_name(name or "var", reference_variable)
        value = np.asarray(INITIALIZERS.get(initializer)(reference_variable.shape, reference_variable.dtype))
        own = f"{reference_variable.path.replace('/', '_')}_{name or 'var'}"
        variable = Variable(own, f"{self.name}/{own}", value.copy(), trainable=False)
        self.own_variables.append(OwnVariable(what, variable, reference_variable))
        return variable

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """A list of variables like these weights; for several names a tuple of lists.

        Source: ``keras.optimizers.Optimizer.add_optimizer_variables``.
        """
        names = [name] if isinstance(name, str) else list(name)
        is_one = isinstance(name, str) or not isinstance(initializer, list | tuple)
        initializers = [initializer] * len(names) if is_one else list(initializer)
        if len(initializers) != len(names):
            raise ArgumentError(
                f"{self.name}.add_optimizer_variables: expected {len(names)} initializers, received {initializers}."
            )
        made: tuple[list[Variable], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for variables, own_name, first in zip(made, names, initializers, strict=True):
                variables.append(self.add_variable_from_reference(variable, own_name, first))
        return made[0] if isinstance(name, str) else made

    def assign(self, variable: Variable, value: Any) -> None:
        """Overwrite a weight or a variable of its own."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to it."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from it."""
        variable.assign_sub(value)

    def _var_key(self, variable: Variable) -> int:
        return id(variable)

    def _get_variable_index(self, variable: Variable) -> int:
        """The place of a weight among those that the optimizer was built for.

        Raises:
            ArgumentError: it is none of them.
        """
        if id(variable) not in self.numbers:
            raise ArgumentError(
                f"{self.name}: was not built for the variable {variable.path}. Make another optimizer for other "
                "variables."
            )
        return self.numbers[id(variable)]

    def own_slots(self) -> dict[str, float]:
        """The slots of its own variables."""
        return {own.what: 0.0 for own in self.own_variables if own.reference is not None}

    def own_shape(self, what: str, variable: Variable) -> tuple[int, ...] | None:
        """The shape of a weight's slot of its own; None if it has none."""
        has_own = any(own.what == what and own.reference is variable for own in self.own_variables)
        return variable.shape if has_own or what not in self.own_slots() else None

    def bind_own(self, store: Variables) -> None:
        """Let its own variables lie in the slots, at the places of their weights.

        Raises:
            ArgumentError: the optimizer was built for other weights.
        """
        for span in store.spans if self.updates_each else ():
            self._get_variable_index(span.variable)
        places = {id(span.variable): span for span in store.spans}
        for own in self.own_variables:
            if id(own.reference) in places:
                span = places[id(own.reference)]
                slot = self.slots.setdefault(own.what, np.zeros(store.size, store.dtype))
                view = slot[span.start : span.stop].reshape(span.variable.shape)
                if not np.may_share_memory(view, own.variable.value):
                    view[...] = own.variable.value
                    own.variable.value = view

    def update_each(self, store: Variables | StorePart, learning_rate: float) -> None:
        """Call ``update_step`` for each weight, with the final gradients."""
        for own in self.own_numbers():
            own.variable.value[...] = self.scalars[own.what]
        takes_rate = len(inspect.signature(self.update_step).parameters) != 2
        rate = [as_result(store.dtype.type(learning_rate))] if takes_rate else []
        with unfollowed():
            for span in self._spans:
                variable, part = span.variable, slice(span.start, span.stop)
                is_elsewhere = not np.may_share_memory(variable.value, store.weights)
                if is_elsewhere:
                    variable.value[...] = store.weights[part].reshape(variable.shape)
                self.update_step(as_result(store.gradients[part].reshape(variable.shape)), variable, *rate)
                if is_elsewhere:
                    store.weights[part] = variable.value.reshape(-1)
        for own in self.own_numbers():
            self.scalars[own.what] = own.variable.value.item()

    def own_numbers(self) -> Iterator[OwnVariable]:
        """Its numbers of the whole optimizer."""
        return (own for own in self.own_variables if own.reference is None)

    def _new_name(self, name: str, reference: Variable | None) -> str:
        """A name for a slot that the weight has not yet, or for a number."""
        taken = {"average", "gradient_accumulator", "iteration", "learning_rate", *self.initial_slots()}
        taken |= {
            own.what
            for own in self.own_variables
            if own.reference is reference or (own.reference is None) != (reference is None)
        }
        numbered = (f"{name}_{i}" for i in range(1, len(taken) + 2))
        return name if name not in taken else next(other for other in numbered if other not in taken)
