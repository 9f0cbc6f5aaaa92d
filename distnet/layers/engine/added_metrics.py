"""What ``call`` measures by ``add_metric``: means that lie on the layer, and stand in the logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distnet import late_rooms
from distnet.errors import ArgumentError

_means: list[Callable[..., Any]] = []


def take_means(make: Callable[..., Any]) -> None:
    """Say what makes a running mean of a name: metrics, which layers do not know."""
    _means.append(make)


def add(layer: Any, value: Any, name: str | None, aggregation: str | None) -> None:
    """Count the value of a batch; see ``ByCall.add_metric``."""
    check_aggregation(layer.name, aggregation)
    metrics: dict[str, Any] = vars(layer).setdefault("_added_metrics", {})
    metric = getattr(value, "of_metric", None)
    if metric is not None:
        if not any(held is metric for held in vars(layer).values()):
            metrics.setdefault(metric.name, metric)
        return
    if not name:
        raise ArgumentError(
            f"{layer.name}.add_metric: expected a name, received none. Write self.add_metric(value, name='...')."
        )
    if name not in metrics:
        for _ in () if _means else late_rooms.fetched("layer"):
            if _means:
                break
        metrics[name] = _means[0](name=name)
    metrics[name].update_state(value)


def check_aggregation(where: str, aggregation: str | None) -> None:
    """Fail unless the values of batches are to be averaged.

    Raises:
        ArgumentError: something else.
    """
    if aggregation not in (None, "mean"):
        raise ArgumentError(
            f'{where}.add_metric: expected the aggregation "mean", received {aggregation!r}. Make a metric an '
            "attribute of the layer for others, and call its update_state in call."
        )
