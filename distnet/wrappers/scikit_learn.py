"""Keras 2's estimators, with SciKeras's arguments, too: a function that makes a model, and its arguments."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score

from distnet.addresses import set_random_seed
from distnet.errors import ArgumentError
from distnet.models import Model, clone_model
from distnet.old_names import present_arguments
from distnet.types import Array
from distnet.wrappers.estimator import Estimator, Labels, probabilities_of_two

_OF_COMPILE = ("optimizer", "loss", "metrics", "loss_weights", "weighted_metrics")


class KerasWrapper(Estimator):
    """A function that makes a model, as an estimator whose parameters are those of the function and of ``fit``.

    Args:
        build_fn: makes a compiled model; or a compiled model, copies of which are trained. A subclass may instead make
            the
            model in ``__call__``.
        model: the same by SciKeras's name; its model may be compiled here, by ``loss``, ``optimizer`` ...
        sk_params: arguments of the function, of ``Model.fit``, ``predict`` and ``compile``, and ``random_state``.
            ``random_state`` seeds each ``fit``, so that all fits of a search start alike with any ``n_jobs``; without
            it
            each starts from other weights, determined by the job's seed. ``model__units`` is an argument only of the
            function, ``fit__epochs`` only of ``fit``.

    Attributes:
        model_: the trained model.
        history_: the losses and metrics of each epoch of its training.

    Raises:
        ArgumentError: none of these has such a parameter.

    Source: ``keras.wrappers.scikit_learn`` of Keras 2; ``model`` and its parameters: SciKeras.
    """

    _tags_non_deterministic: ClassVar[bool] = True

    def __init__(self, build_fn: Any = None, model: Any = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.model = model
        self.sk_params = sk_params
        self._check(sk_params)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name."""
        own = {"build_fn": self.build_fn, "model": self.model if self.build_fn is None else None}
        return {**{name: value for name, value in own.items() if value is not None}, **self.sk_params}

    def set_params(self, **params: Any) -> Self:
        """Set parameters.

        Raises:
            ArgumentError: there is no such parameter.
        """
        for name in ("build_fn", "model"):
            if name in params:
                setattr(self, name, params.pop(name))
        self._check(params)
        self.sk_params = {**self.sk_params, **params}
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Self:
        """Make a model and train it on these rows.

        Args:
            X: (N, ...).
            y: (N,) or (N, outputs).
            sample_weight: (N,).
            kwargs: arguments of ``Model.fit``; they override the estimator's.
        """
        x, y = self.checked_inputs(X, reset=True), np.asarray(y)
        self.begin_task(x, y)
        if "random_state" in self.sk_params and self.sk_params["random_state"] is not None:
            set_random_seed(self.sk_params["random_state"])
        self.learn_targets(y)
        self.model_ = self._made_model(x, y)
        if self.build_fn is not None:  # Keras 2's name for the fitted model
            self.model = self.model_
        self.history_: dict[str, list[Any]] = {}
        self._train(x, y, sample_weight, kwargs)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Self:
        """Train the model for one more epoch; the first call makes it."""
        if not hasattr(self, "model_"):
            return self.fit(X, y, sample_weight, **{"epochs": 1, **kwargs})
        self._train(self.checked_inputs(X, reset=False), np.asarray(y), sample_weight, {"epochs": 1, **kwargs})
        return self

    def learn_targets(self, y: Array) -> None:
        """Learn what the targets are."""
        self.target_shape_ = y.shape[1:]

    def targets(self, y: Array) -> Array:
        """Targets as the model's loss takes them."""
        return y

    def outputs(self, X: Any, kwargs: Mapping[str, Any]) -> Array:
        """The fitted model's predictions; ``kwargs`` are arguments of ``Model.predict``."""
        model = self.checked_model()
        options = {**self._arguments(Model.predict, "predict"), **kwargs}
        return np.asarray(model.predict(self.checked_inputs(X, reset=False), **options))

    def _train(self, x: Array, y: Array, sample_weight: Any, kwargs: Mapping[str, Any]) -> None:
        options = {**self._arguments(Model.fit, "fit"), **present_arguments("fit", kwargs)}
        if sample_weight is not None:
            options["sample_weight"] = np.asarray(sample_weight)
        # Keras 2's fit returned a History, whose ``history`` programs read; here it returns the estimator.
        self.history = self.model_.fit(x, self.targets(y), **options).history
        for key, values in self.history.items():
            self.history_.setdefault(key, []).extend(values)

    def _made_model(self, x: Array, y: Array) -> Model:
        builder = self._builder()
        if isinstance(builder, Model):
            made: Model = clone_model(builder)
            if builder.optimizer is not None:
                made.compile_from_config(builder.get_compile_config())
        else:
            options = self._arguments(builder, "model")
            if "meta" in inspect.signature(builder).parameters:
                options["meta"] = self._meta(x, y)
            made = builder(**options)
        if not isinstance(made, Model):
            raise ArgumentError(
                f"{type(self).__name__}: expected the function to return a model, received {made!r:.100}."
            )
        if made.optimizer is None:
            options = {name: self.sk_params[name] for name in _OF_COMPILE if name in self.sk_params}
            made.compile(**copy.deepcopy(options))
        return made

    def _builder(self) -> Any:
        builder = self.build_fn if self.build_fn is not None else self.model
        if builder is None and type(self).__call__ is not KerasWrapper.__call__:
            return self.__call__
        if not callable(builder):
            raise ArgumentError(
                f"{type(self).__name__}: expected build_fn or model, a function that makes a compiled model or such a "
                f"model, received {builder!r:.100}."
            )
        return builder

    def __call__(self, *args: Any, **kwargs: Any) -> Model:
        """Make a compiled model; subclasses override this.

        Raises:
            ArgumentError: there is neither ``build_fn`` nor an overriding ``__call__``.
        """
        raise ArgumentError(
            f"{type(self).__name__}: expected build_fn, a function that makes a compiled model, received none."
        )

    def _meta(self, x: Array, y: Array) -> dict[str, Any]:
        """What SciKeras tells the function about the data."""
        return {"n_features_in_": self.n_features_in_, "X_shape_": x.shape, "X_dtype_": x.dtype, "y_dtype_": y.dtype}

    def _arguments(self, function: Callable[..., Any], prefix: str) -> dict[str, Any]:
        """The parameters that a function takes; callbacks and optimizers are copied."""
        known = inspect.signature(function).parameters
        takes_all = any(p.kind is p.VAR_KEYWORD for p in known.values())
        given = {name: value for name, value in present_arguments("fit", self.sk_params).items() if name in known}
        routed = {name: value for name, value in self.sk_params.items() if name.startswith(f"{prefix}__")}
        given.update({name.partition("__")[2]: value for name, value in routed.items()})
        if takes_all and prefix == "model":
            rest = {n: v for n, v in self.sk_params.items() if "__" not in n and n not in _known_to_methods()}
            given = {**rest, **given}
        return copy.deepcopy(given)

    def _check(self, params: Mapping[str, Any]) -> None:
        builder = self.build_fn if self.build_fn is not None else self.model
        if builder is None and type(self).__call__ is not KerasWrapper.__call__:
            builder = self.__call__
        known = set(_known_to_methods())
        if callable(builder) and not isinstance(builder, Model):
            parameters = inspect.signature(builder).parameters
            if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
                return
            known.update(parameters)
        unknown = [name for name in params if name not in known and name.partition("__")[0] not in _PREFIXES]
        if unknown and builder is not None:
            raise ArgumentError(
                f"{type(self).__name__}: expected arguments of the function or of compile, fit or predict, received "
                f"{unknown[0]!r}. The function takes {sorted(known - _known_to_methods())}."
            )


_PREFIXES = ("model", "fit", "predict")


def _known_to_methods() -> set[str]:
    methods = (Model.fit, Model.predict)
    names = {name for method in methods for name in inspect.signature(method).parameters} - {"self", "x", "y"}
    return {*names, *_OF_COMPILE, "nb_epoch", "random_state"}


class KerasClassifier(ClassifierMixin, KerasWrapper):  # type: ignore[misc, unused-ignore]
    """A classifier; its score is the accuracy.

    >>> from distnet import Sequential, layers
    >>> def small_model(units=4):
    ...     model = Sequential([layers.Dense(units, activation="relu", input_dim=2), layers.Dense(1, "sigmoid")])
    ...     model.compile("adam", "binary_crossentropy")
    ...     return model
    >>> classifier = KerasClassifier(build_fn=small_model, units=8, epochs=2, verbose=0)
    >>> classifier.fit([[0, 1], [1, 0]], ["no", "yes"]).classes_.tolist()
    ['no', 'yes']

    Source: ``keras.wrappers.scikit_learn.KerasClassifier`` of Keras 2.
    """

    def learn_targets(self, y: Array) -> None:
        """Learn the classes."""
        super().learn_targets(y)
        self.labels_ = Labels(y)
        self.classes_ = self.labels_.classes
        self.n_classes_ = len(self.classes_)

    def targets(self, y: Array) -> Array:
        """One-hot rows or class numbers."""
        return self.labels_.targets(y, self.model_)

    def predict(self, X: Any, **kwargs: Any) -> Array:
        """The most probable class of each row."""
        outputs = self.outputs(X, kwargs)
        return self.labels_.of_outputs(outputs)

    def predict_proba(self, X: Any, **kwargs: Any) -> Array:
        """The probability of each class, (N, classes)."""
        return probabilities_of_two(self.outputs(X, kwargs))

    def score(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> float:
        """The fraction of rows whose class is right."""
        self.checked_model()
        predicted = np.searchsorted(self.classes_, self.predict(X, **kwargs))
        return float(accuracy_score(self.labels_.numbers(np.asarray(y)), predicted, sample_weight=sample_weight))

    def _meta(self, x: Array, y: Array) -> dict[str, Any]:
        known = {"classes_": self.classes_, "n_classes_": self.n_classes_, "target_type_": self.labels_.kind}
        return {**super()._meta(x, y), **known, "n_outputs_": 1}


class KerasRegressor(RegressorMixin, KerasWrapper):  # type: ignore[misc, unused-ignore]
    """A regressor; its score is minus the loss, as in Keras 2, or R² if ``model=`` was given, as in SciKeras.

    Source: ``keras.wrappers.scikit_learn.KerasRegressor`` of Keras 2.
    """

    def predict(self, X: Any, **kwargs: Any) -> Array:
        """The outputs, (N,) if there is one."""
        outputs = self.outputs(X, kwargs)
        return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs

    def score(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> float:
        """Minus the loss, or R²: higher is better."""
        if self.build_fn is None and self.model is not None:
            return float(r2_score(y, self.predict(X, **kwargs), sample_weight=sample_weight))
        options = {**self._arguments(Model.evaluate, "evaluate"), **kwargs}
        logs: Any = self.checked_model().evaluate(
            self.checked_inputs(X, reset=False), np.asarray(y), sample_weight=sample_weight, **options
        )
        return -float(logs[0] if isinstance(logs, list) else logs)

    def _meta(self, x: Array, y: Array) -> dict[str, Any]:
        return {**super()._meta(x, y), "n_outputs_": int(np.prod(y.shape[1:])), "target_type_": "continuous"}
