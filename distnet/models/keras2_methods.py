"""Methods of a model that Keras 2 had and Keras 3 has not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet.callbacks import History
from distnet.training.objective import Log
from distnet.types import Array


class Keras2Methods(ABC):
    """``fit``, ``evaluate`` and ``predict`` by other names, for generators, classes and probabilities."""

    @abstractmethod
    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> History:
        """Train for a number of epochs."""

    @abstractmethod
    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Loss and metrics over all rows."""

    @abstractmethod
    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs for all rows."""

    def fit_generator(
        self,
        generator: object,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: str | int = 1,
        callbacks: Sequence[object] | object | None = None,
        validation_data: object = None,
        validation_steps: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        class_weight: Mapping[Any, float] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> History:
        """``fit`` by its name for generators and sequences.

        Args:
            max_queue_size, workers, use_multiprocessing: how Keras read ahead; without effect here.

        Source: ``keras.Model.fit_generator`` of Keras 2.
        """
        return self.fit(
            generator, epochs=epochs, verbose=verbose, callbacks=callbacks, validation_data=validation_data,
            shuffle=shuffle, class_weight=class_weight, initial_epoch=initial_epoch, steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps, validation_freq=validation_freq,
        )  # fmt: skip

    def evaluate_generator(
        self,
        generator: object,
        steps: int | None = None,
        callbacks: Sequence[object] | object | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: str | int = 0,
    ) -> Log | list[Log] | dict[str, Log]:
        """``evaluate`` by its name for generators and sequences: see ``fit_generator``."""
        logs: Log | list[Log] | dict[str, Log] = self.evaluate(
            generator, verbose=verbose, steps=steps, callbacks=callbacks
        )
        return logs

    def predict_generator(
        self,
        generator: object,
        steps: int | None = None,
        callbacks: Sequence[object] | object | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: str | int = 0,
    ) -> Any:
        """``predict`` by its name for generators and sequences: see ``fit_generator``."""
        return self.predict(generator, verbose=verbose, steps=steps, callbacks=callbacks)

    def predict_proba(self, x: object, batch_size: int = 32, verbose: str | int = 0) -> Any:
        """``predict`` by its name for outputs that are probabilities.

        Source: ``keras.Sequential.predict_proba`` of Keras 2.5.
        """
        return self.predict(x, batch_size=batch_size, verbose=verbose)

    def predict_classes(self, x: object, batch_size: int = 32, verbose: str | int = 0) -> Array:
        """The class of each row: the largest of several outputs, or whether the one is above 0.5.

        Shapes:
            outputs (N, C) -> (N,); (N, 1) -> (N, 1)

        Source: ``keras.Sequential.predict_classes`` of Keras 2.5.
        """
        y: Array = self.predict(x, batch_size=batch_size, verbose=verbose)
        return np.asarray(np.argmax(y, axis=-1)) if y.shape[-1] > 1 else (y > 0.5).astype("int32")
