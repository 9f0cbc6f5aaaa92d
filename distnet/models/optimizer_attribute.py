"""A model's attribute ``optimizer``."""

from __future__ import annotations

from typing import Any, overload

from distnet.comm.scope import refuse_in_callback_of
from distnet.optimizers import Optimizer


class OptimizerAttribute:
    """The optimizer, or None; another one may be set between two trainings, not within one."""

    @overload
    def __get__(self, model: None, owner: type) -> OptimizerAttribute: ...

    @overload
    def __get__(self, model: object, owner: type) -> Optimizer | None: ...

    def __get__(self, model: Any, owner: type) -> OptimizerAttribute | Optimizer | None:
        return self if model is None else vars(model).get("optimizer")

    def __set__(self, model: Any, value: Optimizer | None) -> None:
        """Set it.

        Raises:
            ArgumentError: one of the model's own callbacks does: the training under way has the one there was.
        """
        refuse_in_callback_of(model, "model.optimizer = ...")
        vars(model)["optimizer"] = value
