"""What every optimizer does around its update rule."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from itertools import zip_longest
from typing import ClassVar, Self

import numpy as np

from distnet import config, kernels
from distnet.arguments import FRACTION, NOT_NEGATIVE, POSITIVE, number, whole_number
from distnet.errors import ArgumentError
from distnet.kernels import Formula
from distnet.naming import snake_case
from distnet.optimizers import formulas
from distnet.optimizers.bound_update import BoundUpdate
from distnet.optimizers.changed_settings import HasSettings
from distnet.optimizers.clipping import clip_global_norm, clip_norms, clip_values, places_within
from distnet.optimizers.iterations import CountsIterations
from distnet.optimizers.learning_rate import LearningRateField, LegacyLearningRate, Schedule, present_rate
from distnet.optimizers.slot_arrays import SlotViews, filled, slot_named, those_named
from distnet.optimizers.store_padding import Padding
from distnet.optimizers.store_part import StorePart
from distnet.optimizers.updating_each import UpdatesEach
from distnet.registry import BESIDE, IF_SET, LEFT_OUT, Registry, functions_of, to_json
from distnet.types import Array, DType, Json
from distnet.variables import Variable, Variables, VariableStore

_KERAS_2_KEYS = {"jit_compile", "is_legacy_optimizer"}
"""Keys of Keras 2's configurations that say how TensorFlow ran the optimizer."""


@dataclass(eq=False)
class Optimizer(UpdatesEach, HasSettings, CountsIterations):
    """One step from ``store.gradients`` to ``store.weights``: base of all optimizers.

    A step unscales, accumulates and clips the gradients, decays the weights, updates them, averages them,
    applies their constraints, and counts. ``slots`` (flat, laid out like the weights) and ``scalars`` are
    the whole state. A new optimizer states its slots and its formula: ``initial_slots``, ``rule``; or, as in Keras,
    its ``update_step``.

    Args:
        name: for the record; by default the class's name in snake case.
        learning_rate: a number of at least 0, a schedule, or a function without arguments.
        weight_decay: each step first does ``w -= w * weight_decay * learning_rate``.
        clipnorm: largest norm of each variable's gradient; at most one of the three clips may be given.
        global_clipnorm: largest norm of all gradients together.
        clipvalue: largest magnitude of a gradient's entry.
        clips_first: for several clips, as in Keras 2: "norm" clips the norms before the values, "value" after.
        use_ema: whether to average the weights over the steps.
        ema_momentum: weight of the past in that average, in [0, 1].
        ema_overwrite_frequency: steps after which the weights are set to their average; None: only at the end.
        loss_scale_factor: what the loss was multiplied by; gradients are divided by it.
        gradient_accumulation_steps: batches whose mean gradient makes one update, at least 2.
        lr: Keras 2's name for ``learning_rate``.
        decay: Keras 2's time decay: the learning rate is divided by ``1 + decay * step``.

    Source: ``keras.optimizers.Optimizer`` of Keras 3.15; ``lr`` and ``decay``: Keras 2.10.
    """

    updates_elementwise: ClassVar[bool] = False
    """Whether a class that overrides ``update`` still computes each entry from its own gradient and slots alone."""

    scalars: dict[str, float] = field(
        default_factory=lambda: {"iteration": 0}, init=False, repr=False, metadata=LEFT_OUT
    )
    slots: dict[str, Array] = field(default_factory=dict, init=False, repr=False, metadata=LEFT_OUT)
    schedule: Schedule | None = field(default=None, init=False, repr=False, metadata=LEFT_OUT)
    name: str = field(default="", kw_only=True)
    learning_rate: LearningRateField = LearningRateField(0.001)
    _: KW_ONLY
    weight_decay: float | None = number(None, NOT_NEGATIVE, IF_SET)
    clipnorm: float | None = number(None, NOT_NEGATIVE, IF_SET)
    global_clipnorm: float | None = number(None, NOT_NEGATIVE, IF_SET)
    clipvalue: float | None = number(None, NOT_NEGATIVE, IF_SET)
    clips_first: str = field(default="", metadata=BESIDE)
    use_ema: bool = field(default=False, metadata=IF_SET)
    ema_momentum: float = number(0.99, FRACTION, IF_SET)
    ema_overwrite_frequency: int | None = whole_number(None, 1, IF_SET)
    loss_scale_factor: float | None = number(None, POSITIVE, IF_SET)
    gradient_accumulation_steps: int | None = whole_number(None, 2, IF_SET)
    lr: LegacyLearningRate = LegacyLearningRate()
    decay: float = number(0.0, NOT_NEGATIVE, IF_SET)

    def __post_init__(self) -> None:
        kind = type(self).__name__
        self.take_no_variables()
        self.name = self.name or snake_case(kind)
        # Keras 2 documented ``epsilon=None``, and wrote it: the backend's.
        if getattr(self, "epsilon", 0) is None:
            setattr(self, "epsilon", config.epsilon())  # noqa: B010 - a field of the rules that have one
        super().__post_init__()
        clips = {key: getattr(self, key) for key in ("clipnorm", "global_clipnorm", "clipvalue")}
        if self.clips_first not in ("", "norm", "value"):
            raise ArgumentError(f"{kind}: expected clips_first of '', 'norm', 'value', received {self.clips_first!r}.")
        if sum(limit is not None for limit in clips.values()) > 1 and not self.clips_first:
            raise ArgumentError(
                f"{kind}: expected at most one of clipnorm, global_clipnorm, clipvalue, received {clips}."
            )
        self._layout: list[tuple[tuple[int, ...], str]] | None = None
        self._undecayed: tuple[list[Variable], str | None] = ([], None)
        self._decayed: list[slice] = []
        self._padding = Padding()
        self._views = SlotViews()
        self._bound: BoundUpdate | None = None

    def initial_slots(self) -> dict[str, float]:
        """The rule's slots by Keras's names, in Keras's order, each with its initial value; by default none."""
        return {}

    def slot_shape(self, name: str, variable: Variable) -> tuple[int, ...] | None:
        """The shape of a variable's slot; None if it has none.

        A slot smaller than the variable lies where the variable begins.
        """
        return self.own_shape(name, variable)

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        """The formula of this update and its scalars; an optimizer of your own states its rule here."""
        raise NotImplementedError(
            f"{type(self).__name__}: an optimizer needs a rule(self, learning_rate), or an update_step()."
        )

    @property
    def built(self) -> bool:
        return self._layout is not None

    @built.setter
    def built(self, value: bool) -> None:
        """Nothing: ``build`` says it; users' may say it, too."""

    @property
    def loss_scale(self) -> float | None:
        """The factor of the loss, and so of the gradient, before a step; None for none."""
        return self.loss_scale_factor

    @property
    def variables(self) -> list[Variable]:
        """The step count, the learning rate and, once built, the slots of each variable; read-only.

        Source: ``keras.optimizers.Optimizer.variables``.
        """
        scalars = {"iteration": np.int64(self.iterations), "learning_rate": np.float64(self.learning_rate)}
        variables = self.as_variables(scalars)
        for span in self._spans:
            path = f"{self.name}/{span.variable.path}"
            for name, slot in self.slots.items():
                shape = None if name in self.own_slots() else self.slot_shape(name, span.variable)
                if shape is not None:
                    value = slot[span.start : span.start + math.prod(shape)].reshape(shape)
                    variables.append(Variable(name, f"{path}_{name}", value, False))
        return [*variables, *(own.variable for own in self.own_variables)]

    @property
    def scratch_bytes(self) -> int:
        """Bytes of what it computes in, besides the slots."""
        return 0

    def as_variables(self, scalars: Mapping[str, np.generic]) -> list[Variable]:
        """Numbers of the whole optimizer as variables; read-only."""
        return [Variable(name, f"{self.name}/{name}", np.array(value), False) for name, value in scalars.items()]

    def children(self, store: Variables) -> Iterable[tuple[str, Optimizer, Variables]]:
        """The optimizers that step instead of this one: their place in Keras, and the variables of each."""
        return ()

    def within(self, store: Variables) -> Iterator[tuple[Optimizer, Variables]]:
        """This optimizer and those within it, each with the variables for which it has slots."""
        yield self, store

    def build(self, store: Variables) -> None:
        """Create the slots for the variables of ``store``. If the layout is the same, existing slots stay as they are.

        Raises:
            ArgumentError: the optimizer has slots for other variables.
        """
        layout = [(span.variable.shape, store.dtype.name) for span in store.spans]
        if self._layout is None:
            self.slots = {name: filled(store.size, fill, store.dtype) for name, fill in self.all_slots().items()}
        elif self._layout != layout:
            expected, received = next(pair for pair in zip_longest(self._layout, layout) if pair[0] != pair[1])
            raise ArgumentError(
                f"{self.name}: holds the state of other variables: expected {len(self._layout)} variables, received "
                f"{len(layout)}; the first difference: expected {expected}, received {received}. Make a new optimizer "
                "for another model."
            )
        self._layout, self.built_for = layout, store
        self._decayed = self._decayed_parts(store)
        self.numbers = self.numbers or {id(span.variable): i for i, span in enumerate(store.spans)}
        self._padding = Padding(store)
        self._bound = None
        self.bind_own(store)

    def forget(self) -> None:
        """Be as if no step had been taken."""
        self.slots, self._layout, self.built_for, self._given = {}, None, None, None

    def rehearse(self, dtype: DType) -> None:
        """Take a step on a weight that nobody needs, so that the kernels are compiled, on disk, too."""
        if self.updates_each:
            return
        twin = copy.copy(self)
        twin.scalars, twin.slots, twin._layout = dict(self.scalars), {}, None
        twin.take_step(VariableStore([Variable("weight", "weight", np.zeros(1, dtype))], dtype))

    def follow(self, old: Variables, new: Variables) -> None:
        """Move the slots from ``old`` to ``new``; those of a variable that was frozen until now start afresh."""
        before = {id(span.variable): span for span in self._spans}
        slots = those_named(self.name, self.slots, self.all_slots())
        self._layout = None
        self.build(new)
        for span in new.spans:
            was = before.get(id(span.variable))
            if was is not None:
                for name, slot in self.slots.items():
                    slot[span.start : span.stop] = slots[name][was.start : was.stop]

    def take_step(self, store: Variables) -> None:
        """Make one step. The gradients are consumed: afterwards their content is unspecified."""
        if not self.built:
            self.build(store)
        self.advance(store)
        self.finish(store)

    @property
    def is_elementwise(self) -> bool:
        """Whether a step may be made part by part: no entry's update depends on other entries."""
        is_apart = self.updates_entries and not self.updates_each and not self.is_applied_by_user
        return is_apart and not self.clipnorm and not self.global_clipnorm

    @property
    def updates_entries(self) -> bool:
        return type(self).update is Optimizer.update or self.updates_elementwise

    def advance(self, store: Variables | StorePart) -> None:
        """The part of a step before constraints; for a part of the weights if ``is_elementwise``."""
        is_plain = self.loss_scale_factor is None and self.gradient_accumulation_steps is None
        if is_plain or self._accumulate(store):
            learning_rate = self._decayed_learning_rate()
            if self.clipvalue or self.clipnorm or self.global_clipnorm:
                self._clip(store)
            if self.weight_decay:
                self._decay_weights(store, learning_rate)
            is_by_rule = not self.updates_each
            (self.update if is_by_rule else self.update_each)(store, learning_rate)
            # With epsilon=0 a rule may compute 0/0 between the variables.
            self._padding.clear(store.weights, store.part, is_by_rule and type(self).update is Optimizer.update)
        if self.use_ema:
            self._average(store)

    def _accumulate(self, store: Variables | StorePart) -> bool:
        """Divide the gradients by the loss scale, and add them up if several batches make one update.

        Returns:
            Whether this step updates the weights; the gradients are then the mean of the batches since the last.
        """
        if self.loss_scale_factor is not None:
            np.divide(store.gradients, store.dtype.type(self.loss_scale_factor), out=store.gradients)
        steps = self.gradient_accumulation_steps
        if steps is None:
            return True
        total = slot_named(self.name, self.slots, "gradient_accumulator")[store.part]
        total += store.gradients
        if (self.scalars["iteration"] + 1) % steps:
            return False
        np.divide(total, total.dtype.type(steps), out=store.gradients)
        total.fill(0)
        return True

    def _clip(self, store: Variables | StorePart) -> None:
        """Clip the gradients as the options say."""
        if self.clipvalue and self.clips_first != "norm":
            clip_values(store.gradients, self.clipvalue)
        add = store.add_over_parts if isinstance(store, StorePart) else None
        if self.clipnorm:
            clip_norms(store.gradients, places_within(self._spans, store.part), self.clipnorm, add)
        if self.global_clipnorm:
            clip_global_norm(store.gradients, self.global_clipnorm, add)
        if self.clipvalue and self.clips_first == "norm":
            clip_values(store.gradients, self.clipvalue)

    def _decay_weights(self, store: Variables | StorePart, learning_rate: float) -> None:
        """``w -= w * weight_decay * learning_rate``, for the variables that are not excluded."""
        rates = (self.weight_decay or 0.0, learning_rate)
        for decayed in self._decayed:
            first, last = max(decayed.start, store.part.start), min(decayed.stop, store.part.stop)
            if first < last:
                here = slice(first - store.part.start, last - store.part.start)
                w = store.weights[here]
                kernels.current().update(formulas.weight_decay, w, w, (), rates)

    def update(self, store: Variables | StorePart, learning_rate: float) -> None:
        """Apply the rule to weights and slots, given the final gradients."""
        formula, scalars = self.rule(learning_rate)
        if isinstance(store, VariableStore):
            bound = self._bound
            if bound is None or not bound.suits(formula, store, self.slots, len(scalars)):
                bound = self._bound = BoundUpdate(formula, store, self._slots_of_rule(), len(scalars))
            bound.make(scalars)
            return
        by_name, late = self._slots_of_rule(), store.late_sum if isinstance(store, StorePart) else None
        slots = list(by_name.values())
        if isinstance(store, StorePart):
            slots = [self._views.of(name, slot, store.part) for name, slot in by_name.items()]
        if late is None:
            kernels.current().update(formula, store.weights, store.gradients, slots, scalars)
        else:
            kernels.current().update_by_sum(formula, store.weights, late, slots, scalars)

    def _slots_of_rule(self) -> dict[str, Array]:
        return those_named(self.name, self.slots, self.initial_slots())

    def _average(self, store: Variables | StorePart) -> None:
        """Update the average of the weights; set the weights to it if the options say so."""
        momentum = self.ema_momentum if self.iterations else 0.0
        average = slot_named(self.name, self.slots, "average")[store.part]
        kernels.current().update(formulas.moving_average, average, store.weights, (), (momentum, 1 - momentum))
        if self.ema_overwrite_frequency and (self.iterations + 1) % self.ema_overwrite_frequency == 0:
            store.weights[...] = average

    def finish(self, store: Variables) -> None:
        """End a step, once all weights are advanced: apply constraints, and count it."""
        for span in store.spans:
            if span.variable.constraint is not None:
                span.variable.assign(span.variable.constraint(span.variable.value))
        self.scalars["iteration"] += 1

    def finalize_variable_values(self, store: Variables) -> None:
        """At the end of training: with ``use_ema`` the weights become their average."""
        if self.use_ema and self.built:
            self.lay_out_like(store)
            store.weights[...] = slot_named(self.name, self.slots, "average")

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Exclude variables from weight decay.

        Args:
            var_list: variables to exclude.
            var_names: regular expressions; variables are excluded if their name contains a match, for example
                ``["bias"]``.

        Raises:
            ArgumentError: the optimizer has been built already.
        """
        if self.built:
            raise ArgumentError(f"{self.name}: exclude_from_weight_decay() must be called before training starts.")
        self._undecayed = (list(var_list or ()), "|".join(var_names or ()) or None)

    def overwrite_learning_rate(self, value: float) -> None:
        """Set the learning rate to a number from now on, even if a schedule or a function determines it."""
        self.schedule = None
        self.learning_rate = value

    def get_config(self) -> dict[str, Json]:
        config = super().get_config()
        if self.schedule is not None:
            config["learning_rate"] = to_json(self.schedule)
        del config["lr"]
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the optimizer from what ``get_config`` of distnet, or Keras 2 or 3, wrote."""
        return super().from_config({key: value for key, value in config.items() if key not in _KERAS_2_KEYS})

    def all_slots(self) -> dict[str, float]:
        """The slots of the options and of the rule by Keras's names, in Keras's order, each with its initial value."""
        average = {"average": 0.0} if self.use_ema else {}
        accumulator = {"gradient_accumulator": 0.0} if self.gradient_accumulation_steps else {}
        return {**average, **accumulator, **self.initial_slots(), **self.own_slots()}

    def spared_from_decay(self, variable: Variable) -> bool:
        """Whether ``exclude_from_weight_decay`` was told of it."""
        variables, pattern = self._undecayed
        return any(variable is each for each in variables) or bool(pattern and re.search(pattern, variable.name))

    def _decayed_parts(self, store: Variables) -> list[slice]:
        if self._undecayed == ([], None):
            return [slice(0, store.size)]
        return [slice(span.start, span.stop) for span in store.spans if not self.spared_from_decay(span.variable)]

    def _decayed_learning_rate(self) -> float:
        rate = present_rate(self)
        return rate / (1 + self.decay * self.scalars["iteration"]) if self.decay else rate


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", Optimizer, module="keras.optimizers")


get, serialize, deserialize = functions_of(OPTIMIZERS, __name__, OPTIMIZERS.optional)
