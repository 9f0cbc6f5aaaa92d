"""Evaluating with averaged weights while training continues with the model's own."""

from __future__ import annotations

from dataclasses import dataclass, field

from distnet.callbacks.base import STATE, Callback, Logs
from distnet.callbacks.learning_rate_scheduler import optimizer_of
from distnet.errors import ArgumentError
from distnet.types import Array


@dataclass(eq=False)
class SwapEMAWeights(Callback):
    """Gives the model the optimizer's averaged weights for evaluations and predictions, and its own back afterwards.

    Args:
        swap_on_epoch: also keep the averages from the end of an epoch to the beginning of the next, for callbacks
            that come after this one, such as ``ModelCheckpoint``.

    Raises:
        ArgumentError: the optimizer does not average; create it with ``use_ema=True``.

    Source: ``keras.callbacks.SwapEMAWeights``.
    """

    swap_on_epoch: bool = False
    own: list[Array] = field(default_factory=list, init=False, repr=False, metadata=STATE)
    """The model's own weights, while it has the averages."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Give the model its own weights back."""
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Give it the averages."""
        if self.swap_on_epoch:
            self._swap(True)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Nothing is left to give back: the optimizer has made the averages the weights."""
        self.own = []

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Give the model the averages."""
        self._swap(True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Give it its own weights back."""
        self._swap(False)

    on_predict_begin = on_test_begin
    on_predict_end = on_test_end

    def _swap(self, wanted: bool) -> None:
        """Give the model the averages if ``wanted``, else its own weights, unless it has them already."""
        optimizer, store = optimizer_of(self.model, "SwapEMAWeights"), self.model.store
        if store is None or not optimizer.built:
            return
        averaging = [(inner, group) for inner, group in optimizer.within(store) if inner.use_ema]
        if not averaging:
            raise ArgumentError(f"SwapEMAWeights: {optimizer.name} averages no weights. Create it with use_ema=True.")
        if wanted == bool(self.own):
            return
        kept, self.own = iter(self.own), []
        for inner, span in ((inner, span) for inner, group in averaging for span in group.trainable()):
            if wanted:
                self.own.append(span.variable.numpy())
                average = inner.slots["average"][span.start : span.start + span.variable.size]
                span.variable.assign(average.reshape(span.variable.shape))
            else:
                span.variable.assign(next(kept))
