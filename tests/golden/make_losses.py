"""Write losses.npz: values and gradients of every loss as Keras on JAX computes them.

Run with Keras 3.15 and JAX installed: ``python make_losses.py``.
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import keras
import numpy as np
from keras import losses
from keras.src.backend.common import dtypes

import packed

dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else ops.mean computes in float32, whatever floatx says
keras.config.set_floatx("float64")
rng = np.random.default_rng(7)


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def simplex(*shape):
    p = rng.random(shape) + 0.05
    return p / p.sum(-1, keepdims=True)


LABELS = np.array([2, 0, 3, 1, 3, 0])
EDGE = simplex(6, 4)
EDGE[0] = [0, 0, 1, 0]
EDGE[1] = [0, 1, 0, 0]
EDGE[2] *= 3.0
LOGITS = 3 * rng.standard_normal((6, 4))
LOGITS[1] = [1e4, -1e4, 0.0, 5.0]
LOGITS[3] = [-1e4, -1e4, 1e4, 1e4]
SEQUENCE = rng.integers(0, 4, (5, 3))
BITS = rng.integers(0, 2, (6, 3)).astype(float)
UNIT = rng.random((6, 3))
UNIT[0] = [0, 1, 1]
UNIT[1] = [1, 0, 0.5]
BIG = 3 * rng.standard_normal((6, 3))
BIG[2] = [1e4, -1e4, 30.0]
REAL, OTHER = 2 * rng.standard_normal((6, 3)), 2 * rng.standard_normal((6, 3))
OTHER[1] = 0.0

INPUTS = {
    "real": (OTHER, REAL),
    "column": (OTHER[:, 0], REAL[:, :1]),
    "column2": (OTHER[:, :1], REAL[:, 0]),
    "vector": (OTHER[:, 0], REAL[:, 0]),
    "real3": (rng.standard_normal((5, 3, 2)), rng.standard_normal((5, 3, 2))),
    "squeezed": (rng.standard_normal((5, 3)), rng.standard_normal((5, 3, 1))),
    "positive": (rng.poisson(2.0, (6, 3)).astype(float), 3 * rng.random((6, 3))),
    "onehot": (one_hot(LABELS, 4), EDGE),
    "onehot_logits": (one_hot(LABELS, 4), LOGITS),
    "onehot3": (one_hot(SEQUENCE, 4), simplex(5, 3, 4)),
    "onehot3_logits": (one_hot(SEQUENCE, 4), rng.standard_normal((5, 3, 4))),
    "soft": (simplex(6, 4), simplex(6, 4)),
    "classes_first": (np.moveaxis(one_hot(SEQUENCE, 4), -1, 1), np.moveaxis(simplex(5, 3, 4), -1, 1)),
    "labels": (LABELS.astype(float), EDGE),
    "labels_column": (LABELS[:, None].astype(float), EDGE),
    "labels_logits": (LABELS.astype(float), LOGITS),
    "labels3": (SEQUENCE.astype(float), simplex(5, 3, 4)),
    "labels3_column": (SEQUENCE[..., None].astype(float), rng.standard_normal((5, 3, 4))),
    "bits": (BITS, UNIT),
    "bits_logits": (BITS, BIG),
    "bits_column": (BITS[:, 0], UNIT[:, :1]),
    "bits3": (rng.integers(0, 2, (5, 3, 2)).astype(float), rng.random((5, 3, 2))),
    "signs": (2 * BITS - 1, REAL),
    "images": (rng.integers(0, 2, (4, 3, 3, 1)).astype(float), rng.random((4, 3, 3, 1))),
    "images_flat": (rng.integers(0, 2, (4, 3, 3)).astype(float), rng.random((4, 3, 3, 1))),
}

NUMBERS = ["real", "column", "column2", "vector", "real3", "squeezed"]
CASES = [(name, {}, NUMBERS) for name in ("MeanSquaredError", "MeanAbsoluteError", "LogCosh", "Huber")]
CASES += [
    ("MeanAbsolutePercentageError", {}, [*NUMBERS, "positive"]),
    ("MeanSquaredLogarithmicError", {}, ["real", "positive", "column", "real3"]),
    ("LogCosh", {}, ["bits_logits"]),
    ("Huber", {"delta": 0.3}, ["real", "real3"]),
    ("CosineSimilarity", {}, ["real", "real3", "column", "vector"]),
    ("CosineSimilarity", {"axis": 1}, ["real3"]),
    ("Poisson", {}, ["positive"]),
    ("KLDivergence", {}, ["soft", "onehot", "bits", "onehot3"]),
    ("BinaryCrossentropy", {}, ["bits", "bits_column", "bits3", "onehot"]),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, ["bits", "bits3"]),
    ("BinaryCrossentropy", {"from_logits": True}, ["bits_logits", "onehot_logits"]),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1, "axis": 1}, ["bits_logits", "bits3"]),
    ("BinaryFocalCrossentropy", {}, ["bits", "bits_column", "bits3"]),
    ("BinaryFocalCrossentropy", {"gamma": 1.5, "alpha": 0.4, "apply_class_balancing": True}, ["bits3"]),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ["bits_logits", "bits3"]),
    ("BinaryFocalCrossentropy", {"gamma": 0.0, "axis": 1}, ["bits3"]),
    ("CategoricalCrossentropy", {}, ["onehot", "onehot3", "soft"]),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, ["onehot", "onehot3"]),
    ("CategoricalCrossentropy", {"from_logits": True}, ["onehot_logits", "onehot3_logits"]),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.3}, ["onehot3_logits"]),
    ("CategoricalCrossentropy", {"axis": 1}, ["classes_first"]),
    ("CategoricalCrossentropy", {"axis": 1, "label_smoothing": 0.3}, ["classes_first"]),
    ("CategoricalFocalCrossentropy", {}, ["onehot", "onehot3"]),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.4], "gamma": 1.5}, ["soft", "onehot3"]),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ["onehot3_logits"]),
    ("CategoricalFocalCrossentropy", {"axis": 1}, ["classes_first"]),
    ("SparseCategoricalCrossentropy", {}, ["labels", "labels_column", "labels3"]),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, ["labels_logits", "labels3_column"]),
    ("SparseCategoricalCrossentropy", {"ignore_class": 3}, ["labels", "labels3"]),
    ("SparseCategoricalCrossentropy", {"ignore_class": 0, "from_logits": True}, ["labels_logits"]),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, ["labels3"]),
    ("Hinge", {}, ["signs", "bits", "bits_column", "bits3"]),
    ("SquaredHinge", {}, ["signs", "bits", "bits_column", "bits3"]),
    ("CategoricalHinge", {}, ["onehot", "onehot_logits", "onehot3"]),
    ("Dice", {}, ["images", "images_flat", "bits"]),
    ("Dice", {"axis": [1, 2, 3]}, ["images"]),
    ("Dice", {"axis": -1}, ["bits"]),
    ("Tversky", {}, ["images", "images_flat", "bits"]),
    ("Tversky", {"alpha": 0.3, "beta": 0.8, "axis": [1, 2, 3]}, ["images"]),
]
REDUCTIONS = [{"reduction": r} for r in ("sum", "mean", "mean_with_sample_weight")]
CASES += [("MeanSquaredError", r, ["real", "real3"]) for r in REDUCTIONS]
CASES += [("SparseCategoricalCrossentropy", {"ignore_class": 3, **r}, ["labels"]) for r in REDUCTIONS]
CASES += [(name, {"dtype": "float32"}, names) for name, names in (
    ("CategoricalCrossentropy", ["onehot", "onehot3"]),
    ("SparseCategoricalCrossentropy", ["labels"]),
    ("BinaryCrossentropy", ["bits"]),
    ("MeanSquaredError", ["real"]),
    ("Huber", ["real"]),
    ("LogCosh", ["real"]),
)]  # fmt: skip


def weightings(values, rows):
    """Sample weights that Keras can broadcast over the values."""
    if values.ndim != 1 and values.ndim != 2:
        return {}
    shapes = {"row": (rows,), "column": (rows, 1)} if values.ndim == 1 else {"column": (rows, 1), "all": values.shape}
    return {key: np.random.default_rng(3).random(shape) * 2 for key, shape in shapes.items()}


def record(index, name, config, source, out):
    y_true, y_pred = INPUTS[source]
    if config.get("dtype") == "float32":
        y_true, y_pred = y_true.astype("float32"), y_pred.astype("float32")
    loss = getattr(losses, name)(**config)
    per_sample = getattr(losses, name)(**{**config, "reduction": None})
    values = np.asarray(per_sample(y_true, y_pred))
    out[f"{index}/values"] = values
    weights = {"none": None} | weightings(values, len(y_pred))
    for key, weight in weights.items():
        value, gradient = jax.value_and_grad(lambda p, w=weight: loss(y_true, p, sample_weight=w))(y_pred)
        out[f"{index}/{key}/value"] = np.asarray(value)
        out[f"{index}/{key}/gradient"] = np.asarray(gradient)
        if weight is not None:
            out[f"{index}/{key}/weight"] = weight


def main():
    out, cases = {}, []
    for source, (y_true, y_pred) in INPUTS.items():
        out[f"{source}/y_true"], out[f"{source}/y_pred"] = y_true, y_pred
    for name, config, sources in CASES:
        for source in sources:
            record(len(cases), name, config, source, out)
            configuration = losses.serialize(getattr(losses, name)(**config))
            cases.append({"class_name": name, "config": config, "input": source, "serialized": configuration})
    bad = [(cases[int(k.split("/")[0])], k) for k, v in out.items() if k[0].isdigit() and not np.isfinite(v).all()]
    if bad:
        raise SystemExit(f"not finite: {bad}")
    packed.save(Path(__file__).with_name("losses.npz"), out, cases)


if __name__ == "__main__":
    main()
