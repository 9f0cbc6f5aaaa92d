"""Methods of a model that Keras 2 had and Keras 3 lacks."""

from __future__ import annotations

import functools
import itertools
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, ParamSpec, TypeVar, cast

import numpy as np

from distnet.callbacks import History
from distnet.errors import AbsentError
from distnet.layers.engine.structures import leaves
from distnet.layers.recurrent.kept_states import stateful_layers
from distnet.old_names import takes_old_arguments
from distnet.training.objective import Log
from distnet.types import Array

P = ParamSpec("P")
R = TypeVar("R")


_SAMPLES = {"samples_per_epoch": "steps_per_epoch", "nb_val_samples": "validation_steps", "val_samples": "steps"}
"""Keras 1's numbers of rows -> today's numbers of batches."""


def counts_samples(method: Callable[P, R]) -> Callable[P, R]:
    """Decorate a method for generators, so that it also takes Keras 1's numbers of rows, with a warning.

    All batches are assumed to have as many rows as the first.
    """

    @functools.wraps(method)
    def in_batches(*args: P.args, **kwargs: P.kwargs) -> R:
        given = cast(dict[str, Any], kwargs)
        model, *values = args
        for old in _SAMPLES.keys() & given.keys():
            rows, new = given.pop(old), _SAMPLES[old]
            if old != "nb_val_samples" and values:
                size, values[0] = _rows_and_source(values[0])
            else:
                name = "validation_data" if old == "nb_val_samples" else "generator"
                size, given[name] = _rows_and_source(given.get(name))
            if size is not None and rows is not None:
                given[new] = max(-(-int(rows) // size), 1)
                warnings.warn(
                    f"{method.__name__}: {old}={rows} counts rows, as in Keras 1. Write {new}={given[new]}, which "
                    "counts batches.",
                    stacklevel=3,
                )
        return cast("Callable[..., R]", method)(model, *values, **given)

    return in_batches


def _rows_and_source(source: Any) -> tuple[int | None, Any]:
    """The number of rows in the first batch, and a source that still yields it; None for arrays."""
    if source is None or isinstance(source, tuple | list):
        return None, source
    size = getattr(source, "batch_size", None)
    if isinstance(size, int):
        return size, source
    if hasattr(source, "__getitem__"):
        return _rows(source[0]), source
    batches = iter(source)
    first = next(batches)
    return _rows(first), itertools.chain([first], batches)


def _rows(batch: Any) -> int:
    x = batch[0] if isinstance(batch, tuple | list) else batch
    return len(next(leaves(x)))


class Keras2Methods(ABC):
    """``fit``, ``evaluate`` and ``predict`` by other names, for generators, classes and probabilities; states."""

    def reset_states(self) -> None:
        """Set the states of all stateful layers to 0.

        Source: ``Model.reset_states`` of Keras 2.
        """
        for layer in stateful_layers(cast(Any, self)):
            layer.reset_state()

    @abstractmethod
    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> History:
        """Train for a number of epochs."""

    @abstractmethod
    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Loss and metrics over all rows."""

    @abstractmethod
    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs for all rows."""

    def to_yaml(self, **options: Any) -> NoReturn:
        """Refuse: Keras has dropped it in 2.6.

        Raises:
            AbsentError: always.
        """
        raise AbsentError("to_yaml is not in distnet: YAML can name code to run. Write to_json().")

    @takes_old_arguments("fit_generator")
    @counts_samples
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
        """``fit`` by its name for generators and sequences; it also takes Keras 1's ``samples_per_epoch`` and others.

        Args:
            max_queue_size, workers, use_multiprocessing: see ``fit``.

        Source: ``keras.Model.fit_generator`` of Keras 2.
        """
        return self.fit(
            generator, epochs=epochs, verbose=verbose, callbacks=callbacks, validation_data=validation_data,
            shuffle=shuffle, class_weight=class_weight, initial_epoch=initial_epoch, steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps, validation_freq=validation_freq, workers=workers,
            max_queue_size=max_queue_size,
        )  # fmt: skip

    @takes_old_arguments("evaluate_generator")
    @counts_samples
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

    @takes_old_arguments("predict_generator")
    @counts_samples
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
        """The class of each row: the index of the largest output, or whether a single output is above 0.5.

        Shapes:
            outputs (N, C) -> (N,); (N, 1) -> (N, 1)

        Source: ``keras.Sequential.predict_classes`` of Keras 2.5.
        """
        y: Array = self.predict(x, batch_size=batch_size, verbose=verbose)
        return np.asarray(np.argmax(y, axis=-1)) if y.shape[-1] > 1 else (y > 0.5).astype("int32")
