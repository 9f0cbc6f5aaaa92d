"""Targets and predictions that each loss can take, away from its kinks."""

import numpy as np

from distnet import losses


def simplex(rng, *shape):
    p = rng.random(shape) + 0.1
    return p / p.sum(-1, keepdims=True)


def one_hot(rng, rows, classes=4):
    return np.eye(classes)[rng.integers(0, classes, rows)]


def real(rng, rows):
    return rng.standard_normal((rows, 4)), rng.standard_normal((rows, 4))


def bits(rng, rows):
    return rng.integers(0, 2, (rows, 4)).astype(float), rng.uniform(0.05, 0.95, (rows, 4))


def bit_logits(rng, rows):
    return rng.integers(0, 2, (rows, 4)).astype(float), 2 * rng.standard_normal((rows, 4))


def classes(rng, rows):
    return one_hot(rng, rows), simplex(rng, rows, 4) * rng.uniform(0.5, 2, (rows, 1))


def class_logits(rng, rows):
    return one_hot(rng, rows), 2 * rng.standard_normal((rows, 4))


def labels(rng, rows):
    return rng.integers(0, 4, rows), simplex(rng, rows, 4)


def label_logits(rng, rows):
    return rng.integers(0, 4, (rows, 1)), 2 * rng.standard_normal((rows, 4))


def counts(rng, rows):
    return rng.poisson(2.0, (rows, 4)).astype(float), rng.uniform(0.2, 4.0, (rows, 4))


def spoken(rng, rows):
    return rng.integers(1, 4, (rows, 2)), rng.standard_normal((rows, 5, 4))


def embeddings(rng, rows):
    vectors = rng.standard_normal((rows, 4))
    return np.arange(rows) % 3, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


CASES = [
    (losses.MeanSquaredError(), real),
    (losses.MeanAbsoluteError(), real),
    (losses.MeanAbsolutePercentageError(), real),
    (losses.MeanSquaredLogarithmicError(), counts),
    (losses.Huber(delta=0.7), real),
    (losses.LogCosh(), real),
    (losses.CosineSimilarity(), real),
    (losses.BinaryCrossentropy(), bits),
    (losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), bit_logits),
    (losses.BinaryFocalCrossentropy(gamma=1.5, apply_class_balancing=True), bits),
    (losses.BinaryFocalCrossentropy(from_logits=True, label_smoothing=0.2), bit_logits),
    (losses.CategoricalCrossentropy(label_smoothing=0.1), classes),
    (losses.CategoricalCrossentropy(from_logits=True), class_logits),
    (losses.CategoricalFocalCrossentropy(alpha=[0.1, 0.2, 0.3, 0.4]), classes),
    (losses.CategoricalFocalCrossentropy(from_logits=True, gamma=0.5), class_logits),
    (losses.SparseCategoricalCrossentropy(), labels),
    (losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2), label_logits),
    (losses.CategoricalGeneralizedCrossEntropy(q=0.3), labels),
    (losses.KLDivergence(), classes),
    (losses.Poisson(), counts),
    (losses.Hinge(), bit_logits),
    (losses.SquaredHinge(), bit_logits),
    (losses.CategoricalHinge(), class_logits),
    (losses.CTC(), spoken),
    (losses.Circle(gamma=2.0), embeddings),
    (losses.Dice(), bits),
    (losses.Dice(axis=-1), bits),
    (losses.Tversky(alpha=0.3, beta=0.6, axis=[1]), bits),
]
CASES += [
    (cls(), bits) for cls in losses.LOSSES.classes().values() if cls not in {type(loss) for loss, _ in CASES}
]  # a new loss of numbers; one of labels wants a line above


def label(loss):
    options = {key: value for key, value in loss.get_config().items() if key not in ("name", "reduction")}
    return f"{type(loss).__name__}({','.join(f'{key}={value}' for key, value in options.items())})"


IDS = [label(loss) for loss, _ in CASES]
