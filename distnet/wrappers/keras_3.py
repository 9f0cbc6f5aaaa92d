"""Keras 3's estimators: a compiled model, or a function of the data that makes one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, TransformerMixin

from distnet.errors import ArgumentError, NotCompiledError
from distnet.models import Model, clone_model
from distnet.types import Array
from distnet.utils.numerical import to_categorical
from distnet.wrappers.estimator import Estimator, Labels


class KerasEstimator(Estimator):
    """A model as an estimator.

    Args:
        model: a compiled model, of which ``fit`` trains a copy with new weights; or a function that makes one, called
            with
            ``X``, ``y`` and ``model_kwargs``.
        warm_start: continue to train the model of the last ``fit``.
        model_kwargs: arguments of the function.
        fit_kwargs: arguments of ``Model.fit``; arguments given to ``fit`` override them.

    Raises:
        NotCompiledError: the model passed has no loss or optimizer.
    """

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_clone__(self) -> Self:
        """An unfitted estimator with the same arguments."""
        model = self.model if callable(self.model) and not isinstance(self.model, Model) else copy.deepcopy(self.model)
        return type(self)(model, self.warm_start, self.model_kwargs, self.fit_kwargs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Self:
        """Train a new model on these rows.

        Args:
            X: (N, ...).
            y: (N,) or (N, outputs).
            kwargs: arguments of ``Model.fit``.
        """
        x, y = self.checked_inputs(X, reset=True), np.asarray(y)
        self.begin_task(x, y)
        y = self.learned_targets(y)
        goes_on = self.warm_start and hasattr(self, "model_")
        model = self.model_ if goes_on else self._new_model(x, y)
        if model.optimizer is None or model.loss is None:
            raise NotCompiledError(f"{type(self).__name__}: the model needs a loss and an optimizer. Call compile().")
        self.history_ = model.fit(x, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def learned_targets(self, y: Array) -> Array:
        """The targets as the model receives them."""
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def outputs(self, X: Any) -> Array:
        """The fitted model's predictions."""
        model = self.checked_model()
        return np.asarray(model.predict(self.checked_inputs(X, reset=False), verbose=0))

    def _new_model(self, x: Array, y: Array) -> Model:
        if isinstance(self.model, Model):
            model: Model = clone_model(self.model)
            if self.model.optimizer is not None:
                model.compile_from_config(self.model.get_compile_config())
            return model
        if not callable(self.model):
            raise ArgumentError(f"{type(self).__name__}: expected a model or a function, received {self.model!r:.100}.")
        made: Model = self.model(X=x, y=y, **(self.model_kwargs or {}))
        return made


class SKLearnClassifier(ClassifierMixin, KerasEstimator):  # type: ignore[misc, unused-ignore]
    """A classifier: the model outputs a probability for each class, and learns one-hot rows.

    Source: ``keras.wrappers.SKLearnClassifier``.
    """

    def learned_targets(self, y: Array) -> Array:
        """One-hot rows, with the classes in their order."""
        self._labels = Labels(y)
        self.classes_ = self._labels.classes
        return to_categorical(self._labels.numbers(y), len(self.classes_))

    def decision_function(self, X: Any) -> Array:
        """The model's predictions, (N, classes)."""
        return self.outputs(X)

    def predict(self, X: Any) -> Array:
        """The most probable class of each row."""
        predicted: Array = self._labels.of_outputs(self.outputs(X))
        return predicted


class SKLearnRegressor(RegressorMixin, KerasEstimator):  # type: ignore[misc, unused-ignore]
    """A regressor.

    Source: ``keras.wrappers.SKLearnRegressor``.
    """

    def learned_targets(self, y: Array) -> Array:
        """(N, outputs)."""
        self._is_flat = y.ndim == 1
        return super().learned_targets(y)

    def predict(self, X: Any) -> Array:
        """The outputs, (N,) if the targets had that shape."""
        outputs = self.outputs(X)
        return outputs[:, 0] if self._is_flat and outputs.ndim == 2 and outputs.shape[1] == 1 else outputs


class SKLearnTransformer(TransformerMixin, KerasEstimator):  # type: ignore[misc, unused-ignore]
    """A transformer, whose result is the model's prediction.

    Source: ``keras.wrappers.SKLearnTransformer``.
    """

    def transform(self, X: Any) -> Array:
        """The outputs for these rows."""
        return self.outputs(X)
