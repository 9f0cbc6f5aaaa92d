"""From names and configurations to losses, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from distnet.losses.base import Loss
from distnet.losses.kinds import LOSSES
from distnet.losses.loss_function import BuiltInLoss
from distnet.losses.tasks import task_of
from distnet.registry import functions_of, to_json
from distnet.types import Json, Shape


def _meaning(identifier: object) -> Loss | Callable[..., Any] | None:
    """The loss or loss function that a name, class, function, config or loss means; None stays None.

    As in Keras, the name of a function means the function, which returns one value per sample, and the name of a
    class an object, which returns their mean.

    >>> get("mse")([[0.0, 1.0]], [[1.0, 3.0]])
    array([2.5])
    >>> get("MeanSquaredError")
    MeanSquaredError(name='mean_squared_error', reduction='sum_over_batch_size')

    Raises:
        UnknownNameError: no loss has that name.

    Source: ``keras.losses.get``.
    """
    if identifier is None or (callable(identifier) and not isinstance(identifier, type)):
        return cast("Loss | Callable[..., Any] | None", identifier)
    name = _function_name(identifier)
    member = LOSSES.find(name) if name else None
    if name and isinstance(member, type) and issubclass(member, BuiltInLoss) and name != member.__name__:
        return member.function
    if callable(member) and not isinstance(member, type):
        return cast(Callable[..., Any], member)
    return LOSSES.get(identifier)


get, serialize, deserialize = functions_of(LOSSES, __name__, _meaning, config="name")


def _function_name(identifier: object) -> str | None:
    """The given name, or the one in Keras's configuration of a function."""
    if isinstance(identifier, Mapping) and identifier.get("class_name") == "function":
        identifier = identifier.get("config")
    return identifier if isinstance(identifier, str) else None


def canonical_name(loss: Loss) -> Json:
    """A loss's name in Keras's files: its long function name, or its config if an option differs from the default.

    >>> canonical_name(LOSSES.get("mse"))
    'mean_squared_error'

    Source: Keras 3 reads ``"mean_squared_error"`` in a training configuration and refuses ``"mse"``.
    """
    if isinstance(loss, BuiltInLoss) and loss.has_function_name and loss.get_config() == type(loss)().get_config():
        return loss.function.__name__
    return to_json(loss)


def resolve(identifier: object, y_true_shape: Shape, y_pred_shape: Shape) -> Loss:
    """Like ``LOSSES.get``; ``"crossentropy"`` and ``"ce"`` become the crossentropy that fits the shapes.

    Args:
        identifier: a name, class, function, config or loss.
        y_true_shape: shape of the targets, with the batch axis.
        y_pred_shape: shape of the predictions, with the batch axis.
    """
    if not isinstance(identifier, str) or identifier.lower() not in ("crossentropy", "ce"):
        return LOSSES.get(identifier)
    return LOSSES.get(f"{task_of(y_true_shape, y_pred_shape)}_crossentropy")
