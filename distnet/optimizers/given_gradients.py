"""Steps that users' own loops take: gradients handed over with their variables.

>>> import distnet, numpy as np
>>> from distnet.variables import Variable
>>> weight = Variable("weight", "weight", np.ones(2))
>>> with distnet.GradientTape() as tape:
...     loss = distnet.ops.sum(distnet.ops.square(weight))
>>> distnet.optimizers.SGD(0.25).apply_gradients([(tape.gradient(loss, weight), weight)])
>>> weight.numpy()
array([0.5, 0.5])
"""

from __future__ import annotations

import copy
import functools
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.ops import GradientTape
from distnet.ops.tensor import Tensor
from distnet.results import as_result
from distnet.types import Array, DType
from distnet.variables import ALIGNMENT_BYTES, Span, Variable, Variables


class GivenVariables:
    """Variables of any models, in flat arrays: in the memory where they lie if that is in one piece, else copied.

    Args:
        variables: of one dtype, each once.
    """

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = list(variables)
        self.dtype: DType = self.variables[0].dtype
        mixed = next((v for v in self.variables if v.dtype != self.dtype), None)
        if mixed is not None:
            raise ArgumentError(
                f"optimizer: expected variables of {self.dtype} alone, received {mixed.path} of {mixed.dtype}."
            )
        self.memory, starts = _piece(self.variables)
        if self.memory is None:
            starts = np.cumsum([0, *(v.size for v in self.variables)]).tolist()
        self.spans = [Span(v, start, start + v.size) for v, start in zip(self.variables, starts, strict=False)]
        self.size = self.spans[-1].stop
        self.gradients = np.zeros(self.size, self.dtype)
        self._first = self._offset()
        self.weights: Array = np.zeros(self.size, self.dtype)
        if self.memory is not None:
            self.weights = self.memory[self._first : self._first + self.size]

    def _offset(self) -> int:
        """Where in the memory the first variable begins."""
        if self.memory is None:
            return 0
        return _address(self.variables[0].value, self.memory)

    @property
    def is_current(self) -> bool:
        """Whether the variables still lie where they did: a model may have laid them out elsewhere since."""
        return self.memory is None or all(v.value.base is self.memory for v in self.variables)

    @property
    def part(self) -> slice:
        """Which of the weights these are: all."""
        return slice(0, self.size)

    def trainable(self) -> Iterator[Span]:
        """The variables and where they lie here."""
        return iter(self.spans)

    def take(self, gradients: Sequence[Array]) -> None:
        """Copy the gradients here, and the weights where they lie elsewhere."""
        for span, gradient in zip(self.spans, gradients, strict=True):
            self.gradients[span.start : span.stop] = gradient.ravel()
            if self.memory is None:
                self.weights[span.start : span.stop] = span.variable.value.ravel()

    def give_back(self) -> None:
        """Give the variables the weights, and apply their constraints."""
        for span in self.spans:
            span.variable.changes += 1
        for span in self.spans if self.memory is None else ():
            variable = span.variable
            variable.value[...] = self.weights[span.start : span.stop].reshape(variable.shape)
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))


def _piece(variables: Sequence[Variable]) -> tuple[Array | None, list[int]]:
    """The array in which the variables lie one behind the other, with at most padding between, and where; or None."""
    memory = variables[0].value.base
    if not isinstance(memory, np.ndarray) or memory.ndim != 1 or not memory.flags.c_contiguous:
        return None, []
    if any(v.value.base is not memory or not v.value.flags.c_contiguous for v in variables):
        return None, []
    starts = [_address(v.value, memory) for v in variables]
    longest = ALIGNMENT_BYTES // memory.itemsize
    for start, v, following in zip(starts, variables, starts[1:], strict=False):
        if not 0 <= following - start - v.size < longest:
            return None, []
    return memory, [start - starts[0] for start in starts]


def _address(part: Array, whole: Array) -> int:
    """Number of the entry of ``whole`` at which a view into it begins."""
    return int(part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]) // whole.itemsize


class TakesGradients(ABC):
    """Keras's methods of an optimizer that take gradients and variables as lists."""

    name: str
    slots: dict[str, Array]
    scalars: dict[str, float]
    built_for: Variables | None = None
    """The variables for which it has slots, which lie as these do; None before ``build``."""
    _layout: list[tuple[tuple[int, ...], str]] | None
    _given: GivenVariables | None = None
    """All variables that were handed over so far."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _taking_lists(cls.build)  # type: ignore[method-assign, assignment]
        if "apply" in vars(cls):
            cls.apply = _given_lists(cls.apply)  # type: ignore[method-assign]

    @property
    def is_applied_by_user(self) -> bool:
        """Whether the class has an ``apply`` or ``apply_gradients`` of its own: steps are handed lists then."""
        cls = type(self)
        return cls.apply is not TakesGradients.apply or cls.apply_gradients is not TakesGradients.apply_gradients

    @property
    @abstractmethod
    def loss_scale(self) -> float | None:
        """The factor of the loss before a step; None for none."""

    @property
    @abstractmethod
    def built(self) -> bool:
        """Whether the slots exist."""

    @property
    def _spans(self) -> Sequence[Span]:
        return () if self.built_for is None else self.built_for.spans

    @abstractmethod
    def build(self, store: Variables) -> None:
        """Create the slots for these variables."""

    @abstractmethod
    def bind_own(self, store: Variables) -> None:
        """Let variables of its own lie in the slots."""

    @abstractmethod
    def follow(self, old: Variables, new: Variables) -> None:
        """Move the slots from one layout to another."""

    @abstractmethod
    def take_step(self, store: Variables) -> None:
        """Make one step with the gradients in ``store``."""

    def lay_out_like(self, store: Variables) -> None:
        """Put the slots where the variables of ``store`` lie; those of other variables are dropped."""
        here, there = ([(id(s.variable), s.start) for s in spans] for spans in (self._spans, store.spans))
        has_others = here != there or any(slot.size != store.size for slot in self.slots.values())
        if self.built and has_others:
            self.follow(store, store)

    def hold(self, variables: Sequence[Variable]) -> None:
        """Have slots for these variables alone: each as it was, or as before the first step."""
        self._given = given = GivenVariables(variables)
        if self.built:
            self.follow(given, given)
        else:
            self.build(given)

    def scale_loss(self, loss: Any) -> Any:
        """``loss`` multiplied by what the gradients are later divided by.

        Source: ``keras.optimizers.Optimizer.scale_loss``.
        """
        given = loss if isinstance(loss, Tensor) else np.asarray(loss)
        return given if self.loss_scale is None else given * self.loss_scale

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]], *ignored: Any, **options: Any) -> None:
        """Take one step, given pairs of gradients and variables. On several ranks all hand over the same.

        ``GradientTape.gradient`` gives every rank the gradients of the global batch.

        Args:
            grads_and_vars: pairs; those without a gradient, None, are left out, with a warning.
            ignored, options: ``name`` and how TensorFlow adds gradients up; ignored.

        Raises:
            ArgumentError: there is no gradient, or a variable comes twice.
            ShapeError: a gradient has another shape than its variable.

        Source: ``keras.optimizers.Optimizer.apply_gradients``.
        """
        pairs = [(gradient, variable) for gradient, variable in grads_and_vars]
        missing = [variable.path for gradient, variable in pairs if gradient is None]
        if len(missing) == len(pairs):
            raise ArgumentError(f"{self.name}: expected gradients, received none for any of {missing}.")
        if missing:
            warnings.warn(f"{self.name}: no gradients for {missing}, which stay as they are.", stacklevel=3)
            pairs = [pair for pair in pairs if pair[0] is not None]
        variables = [variable for _, variable in pairs]
        if len({id(variable) for variable in variables}) < len(variables):
            raise ArgumentError(f"{self.name}: expected each variable once, received {[v.path for v in variables]}.")
        self._step_on(variables, [_checked(*pair) for pair in pairs])

    def apply(self, grads: Any, trainable_variables: Sequence[Variable] | None = None) -> None:
        """Take one step with these gradients, of the variables that the optimizer was built for, if none are named.

        A store, which holds both, may be given instead.

        Source: ``keras.optimizers.Optimizer.apply``.
        """
        if hasattr(grads, "spans"):
            if self.is_applied_by_user:
                self.apply_gradients(zip(*_lists_of(grads), strict=True))
            else:
                self.take_step(grads)
            return
        variables = [span.variable for span in self._spans] if trainable_variables is None else trainable_variables
        gradients = list(grads)
        if len(gradients) != len(variables):
            raise ArgumentError(
                f"{self.name}: expected a gradient for each of {len(variables)} variables, received {len(gradients)}."
            )
        self.apply_gradients(zip(gradients, variables, strict=True))

    def minimize(self, loss: Any, var_list: Any, tape: GradientTape | None = None, **options: Any) -> None:
        """Take one step that makes ``loss`` smaller.

        Args:
            loss: a function without arguments; or a tensor, with the ``tape`` that recorded it.
            var_list: variables, or a function that gives them.
            tape: as above.
            options: as for ``apply_gradients``.

        Source: ``keras.optimizers.Optimizer.minimize`` of Keras 2.
        """
        if callable(loss):
            with GradientTape() as tape:
                value = loss()
        elif tape is None:
            raise ArgumentError(f"{self.name}.minimize: expected a tape beside a loss that is no function.")
        else:
            value = loss
        variables = list(var_list() if callable(var_list) else var_list)
        self.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))

    def _step_on(self, variables: list[Variable], gradients: list[Array]) -> None:
        own = self._for_all(variables)
        if len(own.variables) == len(variables):
            by_variable = {id(v): gradient for v, gradient in zip(variables, gradients, strict=True)}
            own.take([by_variable[id(v)] for v in own.variables])
            self.take_step(own)
            own.give_back()
            return
        part = GivenVariables(variables)
        part.take(gradients)
        twin = self._of_part(own, part)
        twin.take_step(part)
        part.give_back()
        for name, slot in self.slots.items():
            for here, there in _places(own, part):
                slot[here] = twin.slots[name][there]
        self.bind_own(own)

    def _for_all(self, variables: list[Variable]) -> GivenVariables:
        """The variables of all steps so far and these, for which the optimizer has slots."""
        given, known = self._given, {id(span.variable) for span in self._spans}
        has_new = any(id(v) not in known for v in variables)
        if given is None or has_new or not given.is_current or given.spans is not self._spans:
            before = [span.variable for span in self._spans]
            given = GivenVariables([*before, *(v for v in variables if id(v) not in known)])
            if self.built:
                self.follow(given, given)
            else:
                self.build(given)
            self._given = given
        return given

    def _of_part(self, own: GivenVariables, part: GivenVariables) -> Self:
        """A copy of the optimizer with the slots of some variables; it counts steps together with this one."""
        if list(getattr(self, "children", lambda _: ())(own)):
            raise ArgumentError(
                f"{self.name}: expected gradients of the same variables in each step. Use one optimizer for each part."
            )
        twin = copy.copy(self)
        twin._layout, twin._given = None, None
        twin.build(part)
        for name, slot in self.slots.items():
            for here, there in _places(own, part):
                twin.slots[name][there] = slot[here]
        return twin


def _places(own: GivenVariables, part: GivenVariables) -> Iterator[tuple[slice, slice]]:
    """Where each variable of a part lies among all, and in the part."""
    places = {id(span.variable): slice(span.start, span.stop) for span in own.spans}
    return ((places[id(span.variable)], slice(span.start, span.stop)) for span in part.spans)


def _checked(gradient: Any, variable: Variable) -> Array:
    value = gradient.value if isinstance(gradient, Tensor | Variable) else np.asarray(gradient)
    if value.shape != variable.shape:
        raise ShapeError(f"{variable.path}: expected a gradient of shape {variable.shape}, received {value.shape}.")
    return value


def _lists_of(store: Variables) -> tuple[list[Array], list[Variable]]:
    """The gradients and the variables of a store."""
    gradients = [as_result(store.gradients[s.start : s.stop].reshape(s.variable.shape)) for s in store.spans]
    return gradients, [span.variable for span in store.spans]


def _given_lists(apply: Callable[..., None]) -> Callable[..., None]:
    """Let a user's ``apply``, which takes lists, be handed a store."""

    @functools.wraps(apply)
    def applied(self: Any, grads: Any, *args: Any, **kwargs: Any) -> None:
        apply(self, *(_lists_of(grads) if hasattr(grads, "spans") else (grads, *args)), **kwargs)

    return applied


def _taking_lists(build: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Let ``build`` take Keras's list of variables, too; one of a user's that makes variables is given such a list.

    That is called once: where the weights lie later is none of its business.

    Raises:
        ArgumentError: a user's does not call that of its base class.
    """
    is_users = not build.__module__.startswith("distnet.")

    @functools.wraps(build)
    def built(self: Any, store: Any) -> None:
        outer: Any = vars(self).get("_being_built")
        given = outer or (GivenVariables(store) if isinstance(store, list | tuple) else store)
        if outer is not None or not (is_users and self.updates_each):
            build(self, given)
        elif self.numbers:
            order = type(self).__mro__
            base: Any = next(c for c in order if "build" in vars(c) and c.__module__.startswith("distnet."))
            base.build(self, given)
        else:
            self._being_built = given
            try:
                build(self, [span.variable for span in given.spans])
            finally:
                self._being_built = None
            if not self.built:
                raise ArgumentError(f"{self.name}: its build() must call super().build(variables).")
            self.bind_own(given)

    return built
