"""Parts of a model as a function of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distnet.errors import ArgumentError
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional


class LearningPhase(int):
    """Whether a function computes as in training: one of its inputs, and by itself 0."""


LEARNING_PHASE = LearningPhase(0)


class Function:
    """Computes placeholders of a model from others: ``function([model.input], [layer.output])([x])``.

    Args:
        inputs: placeholders; and ``learning_phase()``, if the caller is to choose between training and inference.
        outputs: placeholders.
        updates: none.

    Raises:
        ArgumentError: an input or output is not a placeholder, or there are updates.

    Source: ``keras.backend.function``.
    """

    def __init__(self, inputs: Any, outputs: Any, updates: Sequence[object] | None = None) -> None:
        given = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        made = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        placeholders = [x for x in given if not isinstance(x, LearningPhase)]
        if updates or not all(isinstance(x, KerasTensor) for x in (*placeholders, *made)):
            raise ArgumentError(
                "function: expected placeholders, such as model.input and layer.output, as inputs and outputs. Weights "
                "are read with get_value; gradients and updates are not computed here."
            )
        self.is_list = isinstance(outputs, list | tuple)
        self._phase = next((i for i, x in enumerate(given) if isinstance(x, LearningPhase)), None)
        self._model = Functional(placeholders, made)

    def __call__(self, inputs: Any) -> Any:
        """The outputs for these arrays, as a list if the outputs were given as a list."""
        arrays = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        training = self._phase is not None and bool(arrays.pop(self._phase))
        outputs = self._model(arrays if len(arrays) > 1 else arrays[0], training=training)
        values = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        return values if self.is_list else values[0]


function = Function
