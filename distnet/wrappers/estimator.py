"""What all estimators share: checked data, targets as the loss takes them, pickling."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from distnet import addresses, comm
from distnet.errors import ArgumentError, MissingPackageError
from distnet.losses import LOSSES
from distnet.models import Model
from distnet.types import Array
from distnet.utils.numerical import to_categorical

try:
    from sklearn.base import BaseEstimator
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise MissingPackageError(
        "keras.wrappers: needs scikit-learn 1.6 or newer. Install it: pip install 'distnet[sklearn]'."
    ) from error

_SEED = "distnet_seed"
"""The key of the job's seed in a pickled estimator's state."""


_PLAIN = (bool, int, float, str)
"""Types of parameters whose ``repr`` is the same in all processes."""


@dataclass
class _Worker:
    seed: int | None = None


_worker = _Worker()
"""The job's seed, in a worker process that scikit-learn started."""


class Estimator(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Trains a model as scikit-learn trains an estimator: ``fit`` makes ``model_`` and its record ``history_``.

    Every rank of a job makes the same calls. In the worker processes of ``n_jobs``, models are trained alone: each task
    has its own seed, made from the job's seed, the task's rows and the estimator's numbers and names, so that results
    do not depend on which worker is first. With SciKeras's ``random_state`` all tasks start alike.
    """

    model_: Model

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), _SEED: addresses.job_seed()}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        own = dict(state)
        seed = own.pop(_SEED)
        if multiprocessing.current_process().name != "MainProcess":
            comm.leave()
            addresses.set_job_seed(seed)
            _worker.seed = seed
        super().__setstate__(own)

    def begin_task(self, x: Array, y: Array) -> None:
        """In a worker process, seed the training on these rows."""
        if _worker.seed is not None:
            given = {name: value for name, value in self.get_params().items() if isinstance(value, _PLAIN)}
            rows = hashlib.blake2b(repr((x.tolist(), y.tolist(), sorted(given.items()))).encode()).hexdigest()
            addresses.set_job_seed(addresses.key(_worker.seed, "scikit-learn's task", rows) % 2**32)

    def checked_inputs(self, x: Any, reset: bool) -> Array:
        """The rows as a numeric array with any number of axes; ``reset`` records their number of features."""
        is_table = np.ndim(x) == 2
        return cast(Array, validate_data(self, x, reset=reset, ensure_2d=is_table, allow_nd=True, dtype="numeric"))

    def checked_model(self) -> Model:
        """The fitted model.

        Raises:
            sklearn.exceptions.NotFittedError: ``fit`` was not called.
        """
        check_is_fitted(self, "model_")
        return self.model_


class Labels:
    """Converts classes of any kind to the numbers or one-hot rows that a loss takes, and back.

    Args:
        y: labels, (N,) or (N, 1); or one-hot rows, (N, C), whose classes are 0 to C - 1.

    Raises:
        ArgumentError: ``y`` holds continuous numbers, not classes.
    """

    def __init__(self, y: Array) -> None:
        kind = type_of_target(y, raise_unknown=True)
        self.is_one_hot = np.ndim(y) == 2 and y.shape[1] > 1
        if not self.is_one_hot and kind not in ("binary", "multiclass"):
            raise ArgumentError(
                f"expected classes as a classifier's targets, received targets that are {kind}. Use a regressor."
            )
        self.kind = "multiclass" if self.is_one_hot else kind
        self.classes: Array = np.arange(y.shape[1]) if self.is_one_hot else np.unique(y)

    def numbers(self, y: Array) -> Array:
        """(N,): the number of each row's class.

        Raises:
            ArgumentError: a class was not in the first training.
        """
        y = np.asarray(y)
        if self.is_one_hot and y.ndim == 2:
            return np.asarray(np.argmax(y, axis=1))
        y = y.reshape(-1)
        numbers = np.searchsorted(self.classes, y).clip(0, len(self.classes) - 1)
        if not np.array_equal(self.classes[numbers], y):
            unknown = sorted(set(y.tolist()) - set(self.classes.tolist()))
            raise ArgumentError(f"expected classes of the first training, {self.classes}, received also {unknown}.")
        return np.asarray(numbers)

    def targets(self, y: Array, model: Model) -> Array:
        """Targets as the model's loss takes them: one-hot rows for categorical losses, else class numbers."""
        if self.is_one_hot and np.ndim(y) == 2:
            return np.asarray(y)
        numbers = self.numbers(y)
        outputs = model.output_shapes[0][-1] if model.built else None
        if wants_one_hot(model.loss) or (outputs == len(self.classes) > 1 and not _is_sparse(model.loss)):
            return to_categorical(numbers, len(self.classes))
        return numbers

    def of_outputs(self, probabilities: Array) -> Array:
        """(N,): the most probable class of each row; with a single output, whether it is above 0.5."""
        if probabilities.ndim > 1 and probabilities.shape[-1] > 1:
            return np.asarray(self.classes[np.argmax(probabilities, axis=-1)])
        return np.asarray(self.classes[(probabilities.reshape(-1) > 0.5).astype(int)])


def wants_one_hot(loss: object) -> bool:
    """Whether a loss compares class probabilities with one-hot rows."""
    name = _name(loss)
    return name.startswith("categorical")


def _is_sparse(loss: object) -> bool:
    return _name(loss).startswith("sparse")


def _name(loss: object) -> str:
    if isinstance(loss, list | tuple) and len(loss) == 1:
        loss = loss[0]
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", None) or type(LOSSES.get(loss)).__name__
    return str(name).replace("_", "").lower()


def probabilities_of_two(outputs: Array) -> Array:
    """(N, C): a single output becomes the probabilities of two classes."""
    if outputs.ndim > 1 and outputs.shape[-1] > 1:
        return outputs
    positive = outputs.reshape(-1, 1)
    return np.hstack([1 - positive, positive])
