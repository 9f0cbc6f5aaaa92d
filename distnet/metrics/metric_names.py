"""From names and configurations to metrics, and back.

>>> get("mse").name
'mean_squared_error'
"""

from __future__ import annotations

from distnet.losses.tasks import task_of
from distnet.metrics.base import Metric
from distnet.metrics.means import METRICS
from distnet.registry import functions_of
from distnet.types import Shape

_BY_TASK = {"accuracy": "accuracy", "acc": "accuracy", "crossentropy": "crossentropy", "ce": "crossentropy"}


get, serialize, deserialize = functions_of(METRICS, __name__, METRICS.optional)


def resolve(identifier: object, y_true_shape: Shape, y_pred_shape: Shape) -> Metric:
    """The metric given by an entry of ``compile(metrics=...)``.

    ``"accuracy"`` and ``"acc"``, ``"crossentropy"`` and ``"ce"`` become the kind that fits the shapes. A metric given
    as a string has that string as its name.

    >>> metric = resolve("acc", (None,), (None, 10))
    >>> type(metric).__name__, metric.name
    ('SparseCategoricalAccuracy', 'acc')

    Args:
        identifier: a name, class, function, config or metric.
        y_true_shape: shape of the targets, with the batch axis.
        y_pred_shape: shape of the predictions, with the batch axis.

    Source: Keras's ``CompileMetrics``.
    """
    if not isinstance(identifier, str):
        return METRICS.get(identifier)
    kind = _BY_TASK.get(identifier.lower())
    metric = METRICS.get(f"{task_of(y_true_shape, y_pred_shape)}_{kind}" if kind else identifier)
    metric.name = identifier
    return metric
