"""Runs a specification in one package: what it predicts, measures and learns, by name."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from building import Spec, made, model_of
from layer_choices import SYMBOLS

Array = np.ndarray[Any, np.dtype[Any]]
Results = dict[str, Array]


class Data:
    """The arrays that a specification is run on, the same in every package.

    Args:
        spec: with the seed ``data``.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.rng = np.random.default_rng(spec["data"])
        self.rows = spec["training"]["rows"] if "training" in spec else 5
        self.x = [self._input(given) for given in spec["inputs"]]

    def _input(self, given: Spec) -> Array:
        shape = (self.rows, *given["row"])
        if given["values"] == "indices":
            return self._padded(self.rng.integers(1, SYMBOLS, shape).astype("int32"))
        if given["values"] == "mask":
            mask = self.rng.random(shape) < 0.7
            mask[:, 0] = True
            return mask
        x = self.rng.standard_normal(shape)
        return self._padded(x) if given["values"] == "padded" else x

    def _padded(self, x: Array) -> Array:
        """Rows of several lengths, the shortest of one step, filled up with 0; now and then a gap within."""
        lengths = self.rng.integers(1, x.shape[1] + 1, len(x))
        for row, length in enumerate(lengths):
            x[row, length:] = 0
        if x.shape[1] > 2 and self.rng.random() < 0.3:
            x[0, 1] = 0
        return x

    def weights(self, shapes: list[tuple[int, ...]], positive: list[bool]) -> list[Array]:
        """Weights that differ from all that anybody would start with; variances and scales are positive."""
        return [
            self.rng.uniform(0.3, 1.1, shape) * (1 if keep else self.rng.choice([-1.0, 1.0], shape))
            for shape, keep in zip(shapes, positive, strict=True)
        ]

    def target(self, kind: str, shape: tuple[int, ...]) -> Array:
        """Targets of a kind for outputs of this shape."""
        rng, shape = self.rng, (self.rows, *shape[1:])
        if kind in ("bits", "bit_logits"):
            return rng.integers(0, 2, shape).astype("float64")
        if kind == "signs":
            return rng.choice([-1.0, 1.0], shape)
        if kind == "counts":
            return rng.poisson(2.0, shape).astype("float64")
        labels = rng.integers(0, shape[-1], shape[:-1])
        if kind in ("labels", "label_logits"):
            return labels
        if kind in ("classes", "class_logits"):
            return np.eye(shape[-1])[labels]
        return rng.standard_normal(shape)

    def sample_weight(self, kind: str, shape: tuple[int, ...], is_bare: bool) -> Array:
        """A weight for each row, or for each step of outputs that have steps; unless bare, with all axes of a loss."""
        extents = (self.rows, shape[1]) if kind == "steps" and len(shape) > 2 else (self.rows,)
        weights = self.rng.uniform(0.0, 2.0, extents)
        return weights if is_bare else weights.reshape(*extents, *[1] * (len(shape) - 1 - len(extents)))


def one_or_list(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else items


def as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def predicted(model: Any, x: list[Array]) -> tuple[Any, list[Array]]:
    """What a model predicts, without masks."""
    return model.predict(one_or_list(x), batch_size=4, verbose=0), []


class Run:
    """One model of one package, with its data.

    Args:
        package: ``distnet`` or ``keras``.
        spec: what to run.
        forward: gives outputs and their masks for a model and its inputs; by default ``predict`` without masks.
    """

    def __init__(self, package: ModuleType, spec: Spec, forward: Any = None) -> None:
        self.package, self.spec, self.forward = package, spec, forward or predicted
        self.data = Data(spec)
        self.model = model_of(package, spec)
        self.results: Results = {}
        weights = self.model.weights
        positive = [any(part in _path(w) for part in ("gamma", "variance")) for w in weights]
        self.model.set_weights(self.data.weights([tuple(w.shape) for w in weights], positive))

    def everything(self, folder: Path | None = None) -> Results:
        """Predictions, masks, losses, metrics, weights after training."""
        outputs, masks = self.forward(self.model, self.data.x)
        self._note("prediction", outputs)
        self._note("mask", [np.zeros(0) if mask is None else mask for mask in masks])
        if "training" in self.spec:
            self._train(self.spec["training"], [np.shape(part) for part in as_list(outputs)])
            if "file" in self.spec["training"] and folder is not None:
                self.save(folder)
        return self.results

    def _note(self, name: str, value: Any) -> None:
        for i, part in enumerate(as_list(value)):
            self.results[f"{name} {i}"] = np.asarray(part, "float64")

    def _train(self, training: Spec, shapes: list[tuple[int, ...]]) -> None:
        y = [self.data.target(t["kind"], s) for t, s in zip(training["targets"], shapes, strict=True)]
        options = self._weights(training, shapes)
        self.compile(training)
        whole = {"batch_size": training["batch_size"], "verbose": 0, **options}
        whole.pop("class_weight", None)
        x = one_or_list(self.data.x)
        if "is_evaluated" in training or not training["epochs"]:
            self._logs("evaluated", self.model.evaluate(x, one_or_list(y), return_dict=True, **whole))
        if not training["epochs"]:
            return
        if "validation" in training:
            options["validation_data"] = (x, one_or_list(y))
        callbacks = [made(self.package, callback) for callback in training.get("callbacks", [])]
        history = self.model.fit(
            x, one_or_list(y), batch_size=training["batch_size"], epochs=training["epochs"], shuffle=False,
            callbacks=callbacks, verbose=0, **options,
        )  # fmt: skip
        self._logs("history", history.history)
        for i, weight in enumerate(self.model.get_weights()):
            self.results[f"weight {i}"] = np.asarray(weight, "float64")

    def compile(self, training: Spec) -> None:
        targets = training["targets"]
        metrics = {
            key: [made(self.package, t["metrics"][key]) for t in targets] for key in ("metrics", "weighted_metrics")
        }
        given = {key: one_or_list(value) for key, value in metrics.items() if any(value)}
        if "loss_weights" in training:
            given["loss_weights"] = training["loss_weights"]
        losses = [made(self.package, t["loss"]) for t in targets]
        self.model.compile(made(self.package, training["optimizer"]), one_or_list(losses), **given)

    def _weights(self, training: Spec, shapes: list[tuple[int, ...]]) -> dict[str, Any]:
        if "sample_weight" in training:
            is_bare = self.package.__name__ != "keras"  # which would lay weights (N,) along the last of a loss's axes
            weights = [self.data.sample_weight(training["sample_weight"], shape, is_bare) for shape in shapes]
            return {"sample_weight": one_or_list(weights)}
        if "class_weight" in training:
            return {"class_weight": {0: 0.5, 1: 2.0, 2: 1.5}}
        return {}

    def _logs(self, name: str, logs: dict[str, Any]) -> None:
        for key, value in logs.items():
            self.results[f"{name} {key}"] = np.asarray(value, "float64")

    def save(self, folder: Path) -> None:
        """Write the model's file, which the other package is to read."""
        path = folder / f"{self.package.__name__}.{self.spec['training']['file']}"
        if path.name.endswith(".weights.h5"):
            self.model.save_weights(path)
        else:
            self.model.save(path)

    def opened(self, path: Path) -> Array:
        """The first prediction of the model of a file."""
        if path.name.endswith(".weights.h5"):
            model = model_of(self.package, self.spec)
            if "training" in self.spec:
                self.model, kept = model, self.model
                self.compile(self.spec["training"])
                self.model = kept
            model.load_weights(path)
        else:
            model = self.package.models.load_model(path)
        made_by = model.predict(one_or_list(self.data.x), verbose=0)
        return np.asarray(as_list(made_by)[0], "float64")


def _path(variable: Any) -> str:
    return str(getattr(variable, "path", variable.name))


def apart(a: Array, b: Array) -> float:
    """The largest difference, in units of the largest entry where that is above 1; nan only equals nan."""
    if a.shape != b.shape:
        return math.inf
    if not a.size:
        return 0.0
    with np.errstate(invalid="ignore"):
        differs = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    largest = float(np.max(np.abs(b), initial=1, where=np.isfinite(b)))
    return math.inf if np.isnan(differs).any() else float(np.max(differs)) / largest
