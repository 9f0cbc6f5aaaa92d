"""Dynamic loss scaling around another optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Self, overload

import numpy as np

from distnet.arguments import POSITIVE, number, whole_number
from distnet.errors import ArgumentError
from distnet.optimizers.base import OPTIMIZERS, Optimizer
from distnet.optimizers.iterations import Iterations
from distnet.optimizers.learning_rate import LearningRate, LearningRateLike
from distnet.optimizers.wrapping import OptimizerOfOthers
from distnet.registry import LEFT_OUT, to_json
from distnet.types import Json
from distnet.variables import Variable, Variables

_SCALE, _COUNTER = "dynamic_scale", "step_counter"
_SMALLEST, _LARGEST = float(np.finfo(np.float32).tiny), float(2.0**127)
"""The powers of two that bound the scale, so that Keras's float32 can hold it."""


class InnerLearningRate:
    """The field ``learning_rate``: that of the inner optimizer. The constructor does not take one."""

    @overload
    def __get__(self, instance: None, owner: type) -> None: ...

    @overload
    def __get__(self, instance: LossScaleOptimizer, owner: type) -> LearningRate: ...

    def __get__(self, instance: LossScaleOptimizer | None, owner: type) -> LearningRate | None:
        return None if instance is None else instance.inner_optimizer.learning_rate

    def __set__(self, instance: LossScaleOptimizer, value: LearningRateLike | None) -> None:
        if value is None:
            return
        if "inner_optimizer" not in vars(instance):
            raise ArgumentError(
                f"LossScaleOptimizer.learning_rate: expected none, received {value!r}. Give it to the inner optimizer."
            )
        instance.inner_optimizer.learning_rate = value


@OPTIMIZERS.register("LossScaleOptimizerV3")
@dataclass(eq=False, repr=False)
class LossScaleOptimizer(OptimizerOfOthers):
    """Scales the loss, so that small gradients do not vanish, and divides the gradients again before the step.

    A step whose scaled gradients are not all finite is skipped, and halves the scale. After ``dynamic_growth_steps``
    consecutive steps without a skip, the scale is doubled.

    Args:
        inner_optimizer: makes the steps; has the learning rate and all other options.
        initial_scale: first scale of the loss.
        dynamic_growth_steps: steps after which the scale grows.
        dynamic: accepted for the sake of older versions of Keras; only True. For a constant scale, give any optimizer
            ``loss_scale_factor``.

    Source: Micikevicius et al., "Mixed precision training", ICLR 2018, 3.2; ``keras.optimizers.LossScaleOptimizer``.
    """

    inner_optimizer: Optimizer
    initial_scale: float = number(2.0**15, POSITIVE)
    dynamic_growth_steps: int = whole_number(2000, 1)
    _: KW_ONLY
    learning_rate: InnerLearningRate = InnerLearningRate()
    lr: InnerLearningRate = InnerLearningRate()
    dynamic: bool = field(default=True, metadata=LEFT_OUT)

    def __post_init__(self) -> None:
        inner = self.inner_optimizer
        if not isinstance(inner, Optimizer) or isinstance(inner, LossScaleOptimizer):
            raise ArgumentError(
                f"LossScaleOptimizer.inner_optimizer: expected an optimizer without a loss scale of its own, such as "
                f"Adam(), received {inner!r}."
            )
        if not self.dynamic:
            raise ArgumentError(
                "LossScaleOptimizer.dynamic: expected True, received False. For a constant scale give the optimizer "
                "within loss_scale_factor, and leave LossScaleOptimizer out."
            )
        super().__post_init__()
        self.scalars |= {_COUNTER: 0, _SCALE: float(self.initial_scale)}
        inner.loss_scale_factor = None

    @property
    def inner(self) -> Mapping[str, Optimizer]:
        return {"inner_optimizer": self.inner_optimizer}

    @property
    def loss_scale(self) -> float:
        return self.scalars[_SCALE]

    @property
    def dynamic_scale(self) -> Variable:
        """The present scale, read-only."""
        return self.as_variables({_SCALE: np.float32(self.loss_scale)})[0]

    @property
    def step_counter(self) -> Variable:
        """Steps since the scale last changed, read-only."""
        return self.as_variables({_COUNTER: np.int64(self.scalars[_COUNTER])})[0]

    @property
    def iterations(self) -> Iterations:
        """Updates made so far, without the skipped steps."""
        return self.inner_optimizer.iterations

    @property
    def variables(self) -> list[Variable]:
        """Keras's own, whose iteration and learning rate mean nothing, and those of the inner optimizer."""
        scalars = {"iteration": np.int64(0), "learning_rate": np.float64(0)}
        return [*self.as_variables(scalars), self.step_counter, self.dynamic_scale, *self.inner_optimizer.variables]

    def children(self, store: Variables) -> Iterable[tuple[str, Optimizer, Variables]]:
        return [(name, optimizer, store) for name, optimizer in self.inner.items()]

    def build(self, store: Variables) -> None:
        super().build(store)
        self.inner_optimizer.build(store)

    def follow(self, old: Variables, new: Variables) -> None:
        super().follow(old, new)
        self.inner_optimizer.follow(old, new)

    def take_step(self, store: Variables) -> None:
        if not self.built:
            self.build(store)
        if not np.isfinite(store.gradients).all():
            self.scalars |= {_COUNTER: 0, _SCALE: max(self.loss_scale / 2, _SMALLEST)}
            return
        np.divide(store.gradients, store.dtype.type(self.loss_scale), out=store.gradients)
        self.inner_optimizer.take_step(store)
        self.scalars[_COUNTER] += 1
        if self.scalars[_COUNTER] >= self.dynamic_growth_steps:
            self.scalars |= {_COUNTER: 0, _SCALE: max(self.loss_scale, min(self.loss_scale * 2, _LARGEST))}

    def finalize_variable_values(self, store: Variables) -> None:
        self.inner_optimizer.finalize_variable_values(store)

    def overwrite_learning_rate(self, value: float) -> None:
        self.inner_optimizer.overwrite_learning_rate(value)

    def get_config(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "inner_optimizer": OPTIMIZERS.with_module(to_json(self.inner_optimizer)),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the optimizer that ``get_config`` described, or Keras; Keras 3.0 wrote more."""
        given: dict[str, Any] = dict(config)
        if isinstance(given.get("inner_optimizer"), Mapping):
            given["inner_optimizer"] = OPTIMIZERS.get(given["inner_optimizer"])
        return super().from_config(given)
