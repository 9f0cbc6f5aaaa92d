"""What a model keeps from ``compile``, and what it has measured since."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from distnet.metrics import Metric
from distnet.optimizers import Optimizer
from distnet.registry import to_json
from distnet.training.compilation import Compilation, meaning_of, named_in_full
from distnet.training.objective import Totals
from distnet.training.outputs import Outputs, sample_weights, targets
from distnet.types import Json


class Compiled(ABC):
    """The settings of ``compile`` and the metrics, as attributes of Keras's models."""

    run_eagerly: bool = False
    """As given to ``compile``; ignored."""
    jit_compile: str | bool = "auto"
    """As given to ``compile``; ignored."""
    steps_per_execution: int = 1
    """As given to ``compile``; ignored."""
    optimizer: Optimizer | None = None
    totals: Totals | None = None
    """The sums of the current or last epoch, evaluation or batch."""
    _compilation: Compilation | None = None

    @abstractmethod
    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Set the loss, the optimizer and the metrics."""

    @property
    @abstractmethod
    def outputs_told(self) -> Outputs:
        """The names of the outputs, as ``compile`` and targets use them."""

    @property
    def compiled(self) -> bool:
        """Whether ``compile`` was called."""
        return self._compilation is not None

    @property
    def metrics_names(self) -> list[str]:
        """Keys of the loss and of the metrics, as ``evaluate`` returns them."""
        return self._compilation.log_keys(self.outputs_told) if self._compilation else ["loss"]

    def direction_of(self, key: str) -> Literal["up", "down"] | None:
        """Whether a loss or metric is better "up" or "down"; None if that is unknown."""
        return None if self._compilation is None else self._compilation.direction_of(key, self.outputs_told)

    @property
    def metrics(self) -> list[Metric]:
        """The loss and the metrics, each with its key as ``name`` and the latest value as ``result()``.

        They are copies, which later batches do not change. None before the first batch.

        Source: ``keras.Model.metrics`` of Keras 2.
        """
        return [] if self.totals is None else self.totals.metrics()

    def reset_metrics(self) -> None:
        """Reset the metrics' running means; ``fit``, ``evaluate`` and the steps on batches do so themselves.

        Source: ``keras.Model.reset_metrics``.
        """
        if self.totals is not None:
            self.totals.reset()

    def targets_in_order(self, given: Any) -> list[Any]:
        """The targets that a caller passed, one for each output; None for an output without a loss.

        Raises:
            DataError, ShapeError: they do not match the outputs.
        """
        outputs = self.outputs_told
        return targets(outputs, given, [] if self._compilation is None else self._compilation.without_loss(outputs))

    def weights_in_order(self, given: Any) -> list[Any]:
        """The sample weights that a caller passed, one for each output, or None.

        Raises:
            DataError, ShapeError: they do not match the outputs.
        """
        return sample_weights(self.outputs_told, given)

    @property
    def compile_settings(self) -> Mapping[str, Json] | None:
        """The ``training_config`` of this model's file, without the optimizer; None before ``compile``."""
        return None if self._compilation is None else self._compilation.to_json()

    def get_compile_config(self) -> dict[str, Json]:
        """The arguments of ``compile``, for ``compile_from_config``; empty before it.

        Source: ``keras.Model.get_compile_config``.
        """
        if self._compilation is None:
            return {}
        return {
            "optimizer": to_json(self.optimizer),
            **self._compilation.to_json(),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile as a saved ``training_config`` says, or Keras 3's ``compile_config``."""
        optimizer = config.get("optimizer_config") or config.get("optimizer") or "rmsprop"
        settings = {key: config.get(key) for key in ("loss", "metrics", "loss_weights", "weighted_metrics")}
        for key in ("metrics", "weighted_metrics"):
            settings[key] = named_in_full(settings[key])
        self.compile(optimizer, **settings)
        if self._compilation is not None:
            self._compilation = replace(self._compilation, **meaning_of(config))
