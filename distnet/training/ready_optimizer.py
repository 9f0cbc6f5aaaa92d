"""A model's optimizer, made ready to train the variables as they are laid out."""

from __future__ import annotations

from distnet import comm
from distnet.errors import NotCompiledError
from distnet.optimizers import Optimizer
from distnet.training.run_model import RunModel
from distnet.variables import VariableStore, lay_out


def ready_optimizer(model: RunModel) -> tuple[VariableStore, Optimizer]:
    """Lay the variables out for training; the optimizer's state is made, or follows the variables.

    Raises:
        NotCompiledError: the model has no optimizer.
    """
    if model.optimizer is None:
        raise NotCompiledError(f"{model.name}: has no optimizer. Call compile(optimizer) before training.")
    old, new = model.store, lay_out(model)
    before = model.optimizer.built_for
    known = {id(span.variable) for span in new.spans}
    # A loop of the user's may have begun before the model was laid out.
    if before is not None and (old is not None or any(id(span.variable) in known for span in before.spans)):
        model.optimizer.follow(before, new)
    else:
        model.optimizer.build(new)
    if comm.is_forked():
        model.optimizer.slots.update({name: slot.copy() for name, slot in model.optimizer.slots.items()})
    return new, model.optimizer
