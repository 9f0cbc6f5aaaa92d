"""What an epoch has counted so far: it is kept, told to other ranks, saved, and taken up again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from distnet.errors import LostRanksError
from distnet.layers.engine.tracking import is_metric, kept_by
from distnet.training.objective import Totals
from distnet.training_state import Progress


def counted(so_far: Totals | Progress) -> dict[str, Any]:
    """What an epoch has counted so far, by the names of ``Progress``."""
    latest = None if so_far.latest is None else dict(so_far.latest)
    return {"loss_rows": so_far.loss_rows, "rows": so_far.rows, "sums": so_far.sums.copy(), "latest": latest}


def count_on(totals: Totals, so_far: Mapping[str, Any]) -> None:
    """Go on from what ``counted`` told."""
    for name, value in so_far.items():
        setattr(totals, name, value)


class EpochCounts:
    """What a file holds of an epoch, whose validation counts by the same metrics.

    Args:
        model: whose attributes metrics may be.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._before_validation: dict[str, Any] | None = None

    def so_far(self, totals: Totals) -> dict[str, Any]:
        """What the epoch's batches have come to, by the names of ``Progress``."""
        return self._before_validation or self._now(totals)

    @contextmanager
    def kept(self, totals: Totals) -> Iterator[None]:
        """Within the block, which validates, and after an error that ends it, ``so_far`` stays as it is now."""
        self._before_validation = self._now(totals)
        try:
            yield
        except LostRanksError:  # the training goes on from elsewhere
            self._before_validation = None
            raise
        self._before_validation = None

    def _now(self, totals: Totals) -> dict[str, Any]:
        metrics = {path: metric.get_state() for path, metric in kept_by(self._model, is_metric)}
        return {**counted(totals), "metrics": metrics}
