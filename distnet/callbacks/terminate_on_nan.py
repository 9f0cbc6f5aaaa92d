"""Stopping when the loss is no longer a number."""

from __future__ import annotations

import math
from dataclasses import dataclass

from distnet.callbacks.base import Callback, Logs
from distnet.callbacks.console import say
from distnet.errors import DivergenceError


@dataclass(eq=False)
class TerminateOnNaN(Callback):
    """Stops training after a batch whose loss is NaN or infinite.

    Args:
        raise_error: raise an error instead of ending training normally.

    Raises:
        DivergenceError: the loss is NaN or infinite, and ``raise_error`` is set.

    Source: ``keras.callbacks.TerminateOnNaN``.
    """

    raise_error: bool = False

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise DivergenceError(
                f"TerminateOnNaN: the loss became {loss} at batch {batch}. Try a smaller learning rate, clipnorm=1.0 "
                "in the optimizer, or look for extreme values in the data."
            )
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
