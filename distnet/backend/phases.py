"""Keras 2's choices: by a condition, or by whether a model is trained."""

from __future__ import annotations

import builtins
from typing import Any

from distnet import ops
from distnet.layers.engine.call_scope import present_call


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """``then_expression`` where the condition holds, ``else_expression`` elsewhere.

    Args:
        condition: one truth value, or one for each of the first axes of the expressions.
        then_expression, else_expression: tensors, or functions that give them.
    """
    then, other = (x() if builtins.callable(x) else x for x in (then_expression, else_expression))
    axes = max(len(x.shape) if hasattr(x, "shape") else 0 for x in (then, other))
    missing = axes - (len(condition.shape) if hasattr(condition, "shape") else axes)
    if missing > 0 and condition.shape != ():
        condition = ops.reshape(condition, (*_extents(condition), *[1] * missing))
    return ops.where(ops.cast(condition, "bool") if hasattr(condition, "dtype") else condition, then, other)


def _extents(x: Any) -> list[int]:
    """The extents, of which the batch may be unknown."""
    return [-1 if n is None else n for n in x.shape]


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """``x`` in training, ``alt`` otherwise; of functions, what they give.

    Args:
        training: the mode; by default that of the layer whose ``call`` is running.
    """
    if training is None:
        scope = present_call()
        training = scope is not None and bool(scope.training)
    if not isinstance(training, int):
        return switch(training, x, alt)
    chosen = x if training else alt
    return chosen() if builtins.callable(chosen) else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """``alt`` in training, ``x`` otherwise."""
    return in_train_phase(alt, x, training)
