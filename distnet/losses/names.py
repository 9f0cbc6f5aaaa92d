"""From names and configurations to losses, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distnet.criteria.tasks import task_of
from distnet.losses.base import Loss
from distnet.losses.kinds import LOSSES, CriterionLoss
from distnet.registry import custom_object_scope
from distnet.types import Json, Shape


def get(identifier: object) -> Loss | None:
    """The loss that a name, class, function, config or loss means; None stays None.

    >>> get("mse")
    MeanSquaredError(name='mean_squared_error', reduction='sum_over_batch_size')

    Raises:
        UnknownNameError: no loss has that name.
    """
    return LOSSES.optional(identifier)


def serialize(loss: object) -> Json:
    """The JSON of a loss: a function's name, or ``{"class_name", "config"}``."""
    return LOSSES.get(loss).as_json()


def deserialize(name: object, custom_objects: Mapping[str, Any] | None = None) -> Loss:
    """The loss that ``serialize`` of distnet or Keras described.

    Args:
        name: a name or a config.
        custom_objects: the user's own classes and functions by name.
    """
    with custom_object_scope(custom_objects):
        return LOSSES.get(name)


def canonical_name(loss: Loss) -> Json:
    """How Keras's files name a loss: its long function name, or its config where an option differs from the default.

    >>> canonical_name(deserialize("mse"))
    'mean_squared_error'

    Source: Keras 3 reads ``"mean_squared_error"`` in a training configuration and refuses ``"mse"``.
    """
    if isinstance(loss, CriterionLoss) and loss.has_function_name and loss.get_config() == type(loss)().get_config():
        return loss.criterion.__name__
    return loss.as_json()


def resolve(identifier: object, y_true_shape: Shape, y_pred_shape: Shape) -> Loss:
    """As ``LOSSES.get``; ``"crossentropy"`` and ``"ce"`` become the crossentropy that fits the shapes.

    Args:
        identifier: a name, class, function, config or loss.
        y_true_shape: of the targets, with the batch axis.
        y_pred_shape: of the predictions, with the batch axis.
    """
    if not isinstance(identifier, str) or identifier.lower() not in ("crossentropy", "ce"):
        return LOSSES.get(identifier)
    return LOSSES.get(f"{task_of(y_true_shape, y_pred_shape)}_crossentropy")
