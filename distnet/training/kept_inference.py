"""What a model keeps from one ``evaluate`` or ``predict`` to the next, as long as nothing changes."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Any

import numpy as np

from distnet import kernels
from distnet.assignments import settings
from distnet.comm import Communicator
from distnet.distribution import distribution
from distnet.training.block_steps import evaluating_steps
from distnet.training.forward_steps import Steps
from distnet.training.kept_steps import are_same
from distnet.training.objective import Objective, Running
from distnet.training.own_steps import OwnObjective, OwnSteps

MOST_KEPT_BYTES = 64 * 2**20
"""Of workspaces. Where there are more, making plans anew takes little of the time that the batches take."""


class Shelf:
    """Holds one thing, or none, for one thread at a time; a model's copies and pickles get an empty one."""

    def __init__(self) -> None:
        self._held: list[Any] = []

    def take(self) -> Any:
        """The thing, which then is not here any more; None if there is none."""
        try:
            return self._held.pop()
        except IndexError:
            return None

    def look(self) -> Any:
        """The thing, which stays here; None if there is none."""
        return next(iter(self._held), None)

    def put(self, thing: Any) -> None:
        """Hold this, in the place of another."""
        self._held[:] = [thing]

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return Shelf, ()


class KeptInference:
    """Steps in inference mode, and what they were made for.

    Args:
        model: built.
        ranks: that take part.
    """

    def __init__(self, model: Any, ranks: Communicator) -> None:
        self.steps = evaluating_steps(model, ranks)
        self._made_for = _parts(model, ranks)
        self.seed = model.training_state.seed
        self._objectives: tuple[Objective, Objective] | None = None

    def suits(self, model: Any, ranks: Communicator) -> bool:
        """Whether the same would be made now."""
        seed, dtype = model.training_state.seed, np.dtype(model.dtype)
        return (
            self.steps.settings_met == settings() and self.steps.dtype == dtype and self.seed == seed
            and are_same(_parts(model, ranks), self._made_for)
        )  # fmt: skip

    def measuring(self, objective: Any) -> tuple[Steps, Any]:
        """The steps that measure by an objective, and the objective with running sums of its own.

        Args:
            objective: as the model gives it; the same one as the last time lets plans go on.
        """
        if isinstance(objective, OwnObjective):
            return OwnSteps(self.steps.model, self.steps.communicator), objective
        if self._objectives is None or self._objectives[0] is not objective:
            self._objectives = objective, replace(objective, running=Running(), told=set())
        own = self._objectives[1]
        own.told.clear()
        return self.steps, own


def _parts(model: Any, ranks: Communicator) -> list[object]:
    """What steps depend on besides seed, dtype and the settings of layers; plans look after the rest themselves."""
    others = None if ranks.size == 1 else ranks
    return [getattr(model, "graph", None), others, kernels.current(), distribution()]


class inference:  # noqa: N801 - as contextmanager's functions are named; those take longer
    """Steps for one ``evaluate`` or ``predict``: those of the last call if they suit, else new ones.

    They are kept for the next call if this one ends well.
    """

    __slots__ = ("_kept", "_model", "_ranks")

    def __init__(self, model: Any, ranks: Communicator) -> None:
        self._model, self._ranks = model, ranks

    def __enter__(self) -> KeptInference:
        model, ranks = self._model, self._ranks
        kept = model.kept_inference.take()
        if isinstance(kept, KeptInference) and kept.suits(model, ranks):
            model.walks.forget_penalties(model)
        else:
            kept = KeptInference(model, ranks)
        self._kept = kept
        return kept

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._kept.steps.nbytes <= MOST_KEPT_BYTES:
            self._model.kept_inference.put(self._kept)
