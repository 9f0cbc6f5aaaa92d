"""What a model keeps from one ``fit`` to the next, which goes on with it where nothing has changed."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet import kernels
from distnet.assignments import settings
from distnet.comm import Communicator
from distnet.distribution import distribution
from distnet.training.block_steps import training_steps
from distnet.training.objective import Objective
from distnet.training.step import TrainingSteps


class Kept:
    """Something that a model keeps, and can make again: its copies and pickles are without it."""

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        """None."""
        return type(None), ()


class KeptObjective(Kept):
    """An objective, and what it was made for.

    Args:
        values: compared by their values.
        objects: compared by what they are.
        objective: made for these.
    """

    def __init__(self, values: Sequence[object], objects: Sequence[object], objective: Objective) -> None:
        self.values, self.objects, self.objective = values, objects, objective
        self._arguments = _arguments_of_losses(objective)

    def suits(self, values: Sequence[object], objects: Sequence[object]) -> bool:
        """Whether the same would be made now."""
        are_as_they_were = are_same(_arguments_of_losses(self.objective), self._arguments)
        return values == self.values and are_same(objects, self.objects) and are_as_they_were


def _arguments_of_losses(objective: Objective) -> list[object]:
    """What losses of logits, and plans, are made of."""
    return [value for own in objective.losses for value in vars(own.loss).values()]


class KeptSteps(Kept):
    """Steps, and what they were made for.

    Args:
        steps: just made.
    """

    def __init__(self, steps: TrainingSteps) -> None:
        self.steps = steps
        self._made_for = _parts(steps.model, steps)
        self._settings, self._seed = settings(), steps.model.training_state.seed

    def suit(self, model: Any, objective: Objective, ranks: Communicator) -> bool:
        """Whether this is what would be made now."""
        steps, optimizer = self.steps, model.optimizer
        return (
            settings() == self._settings and model.training_state.seed == self._seed
            and steps.objective is objective and steps.communicator is ranks and steps.optimizer is optimizer
            and optimizer.built_for is steps.store and steps.store is model.store and steps.store.is_current
            and are_same(_parts(model, steps), self._made_for)
        )  # fmt: skip


def _parts(model: Any, steps: TrainingSteps) -> list[object]:
    """What steps depend on besides what they hold: the variables, and which are trained; the slots; options."""
    variables, optimizer = model.walks.once(model, "variables", lambda: model.variables), steps.optimizer
    facts = getattr(model, "graph", None), distribution(), kernels.current(), optimizer.is_elementwise
    return [*variables, *[v.trainable for v in variables], *facts, *optimizer.slots.values()]


def are_same(some: Sequence[object], others: Sequence[object]) -> bool:
    """Whether both are the same objects in the same order."""
    return len(some) == len(others) and all(map(operator.is_, some, others))


def take_steps(model: Any, objective: Objective, ranks: Communicator, is_anew: bool) -> KeptSteps:
    """The steps of the last ``fit``, if they suit on every rank, else new ones; the model has none until it ends well.

    Args:
        model: built and compiled.
        objective: what to minimize and measure.
        ranks: who train it.
        is_anew: whether they must be new: the optimizer's state was read from a file, or clocks are put around them.
    """
    kept, model.fit_steps = model.fit_steps, None
    suiting = suiting_everywhere(kept, model, objective, ranks, is_anew)
    if suiting is None:
        return KeptSteps(training_steps(model, objective, ranks))
    model.walks.forget_penalties(model)
    return suiting


def suiting_everywhere(
    kept: object, model: Any, objective: Objective, ranks: Communicator, is_anew: bool
) -> KeptSteps | None:
    """The steps of an earlier call, if they suit on every rank; see ``take_steps``."""
    own = kept if isinstance(kept, KeptSteps) and not is_anew and kept.suit(model, objective, ranks) else None
    if ranks.size == 1:
        return own
    refusals = np.array([own is None], np.int64)
    ranks.allreduce(refusals)
    return None if refusals[0] else own
