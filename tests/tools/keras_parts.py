"""Every initializer, regularizer, constraint, activation, loss and metric in models, to be opened in real Keras."""

from collections.abc import Iterator

import numpy as np

import distnet as keras
import loss_cases
from distnet import constraints, initializers, layers, losses, metrics, regularizers
from keras_cases import Case
from keras_models import GRAPHS, X3

ROWS = 6


def of_parts() -> Iterator[Case]:
    """Every initializer, regularizer, constraint and activation, side by side."""
    keras.utils.set_random_seed(4)
    of_any_kernel = initializers.INITIALIZERS.classes().keys() - {"STFT"}  # that one is of kernels of a convolution
    parts = [("kernel_initializer", initializers.INITIALIZERS.get(name)) for name in sorted(of_any_kernel)]
    parts += [("kernel_regularizer", c()) for c in regularizers.REGULARIZERS.classes().values()]
    parts += [("kernel_constraint", c()) for c in constraints.CONSTRAINTS.classes().values()]
    names = (
        "relu",
        "selu",
        "softsign",
        "gelu",
        "exponential",
        "hard_sigmoid",
        "leaky_relu",
        "mish",
        "relu6",
        "softmax",
    )
    parts += [("activation", name) for name in names]
    x = keras.Input((3,))
    model = keras.Model(x, layers.concatenate([layers.Dense(3, **{key: part})(x) for key, part in parts]))
    model.compile("sgd", "mse")
    yield Case("parts", model, [X3])


def side_by_side(name, x, y, loss, metrics=None) -> Case:
    """A model that gives back its inputs, each with a loss of its own."""
    x, y = ([np.asarray(array, "float32") for array in arrays] for arrays in (x, y))
    inputs = [keras.Input(array.shape[1:]) for array in x]
    outputs = [layers.Rescaling(1.0, name=f"out_{i}")(tensor) for i, tensor in enumerate(inputs)]
    model = keras.Model(inputs, outputs)
    model.compile("sgd", loss, metrics=metrics)
    return Case(name, model, x, y)


def of_losses() -> Iterator[Case]:
    """Every loss, and every function of one by its name; apart those that Keras 3.15 does not read or write whole."""
    found = [(loss, *make(np.random.default_rng(i), ROWS)) for i, (loss, make) in enumerate(loss_cases.CASES)]
    apart = (losses.CategoricalGeneralizedCrossEntropy, losses.Huber)
    groups = {"losses": [entry for entry in found if not isinstance(entry[0], apart)]}
    groups |= {f"loss_{type(entry[0]).__name__}": [entry] for entry in found if isinstance(entry[0], apart)}
    for name, some in groups.items():
        yield side_by_side(name, [p for _, _, p in some], [y for _, y, _ in some], [loss for loss, *_ in some])


def metric_cases():
    m = metrics
    bits, probabilities = np.random.default_rng(1).integers(0, 2, (ROWS, 3)), np.random.default_rng(2).random((ROWS, 3))
    hot, labels = np.eye(3)[np.arange(ROWS) % 3], np.arange(ROWS) % 3
    simplex = probabilities / probabilities.sum(-1, keepdims=True)
    for name in ("accuracy", "acc", "mse", "mae", "AUC", "binary_crossentropy", "hinge", "cosine_similarity"):
        yield name, bits, probabilities
    yield "accuracy", hot, simplex
    yield "accuracy", labels, simplex
    yield "sparse_categorical_accuracy", labels, simplex
    yield m.Precision(name="p", thresholds=0.4), bits, probabilities
    yield m.SparseTopKCategoricalAccuracy(k=2), labels, simplex
    yield m.MeanIoU(num_classes=3), labels[:, None], labels[::-1, None]
    for name, cls in m.METRICS.classes().items():
        known = {
            "MeanMetricWrapper", "FunctionMetric", "Mean", "Sum", "MeanRelativeError", "IoU", "MeanIoU", "OneHotIoU",
            "OneHotMeanIoU", "SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall",
            "RecallAtPrecision", "SparseTopKCategoricalAccuracy",
        }  # fmt: skip
        if name not in known:
            sparse, categorical = name.startswith("Sparse"), "Categorical" in name or name.startswith(("F1", "FBeta"))
            yield cls(), labels if sparse else hot if categorical else bits, simplex if categorical else probabilities
    for cls in (m.SensitivityAtSpecificity, m.SpecificityAtSensitivity, m.PrecisionAtRecall, m.RecallAtPrecision):
        yield cls(0.5), bits, probabilities
    yield m.OneHotIoU(num_classes=3, target_class_ids=[0, 2]), hot, simplex
    yield m.OneHotMeanIoU(num_classes=3), hot, simplex
    yield m.IoU(num_classes=3, target_class_ids=[0]), labels[:, None], labels[::-1, None]


def of_metrics() -> Iterator[Case]:
    """Every metric."""
    found = list(metric_cases())
    named = ["mse" if np.shape(y) == np.shape(p) else "sparse_categorical_crossentropy" for _, y, p in found]
    yield side_by_side("metrics", [p for *_, p in found], [y for _, y, _ in found], named, [[m] for m, *_ in found])


def of_several() -> Iterator[Case]:
    """Settings of compile by output, as a list and as a dict."""
    for number, settings in enumerate(
        (
            {"loss": ["mse", "mae"], "loss_weights": [1.0, 0.5], "metrics": [["mae"], ["mse"]]},
            {
                "loss": {"first": "mse", "second": keras.losses.MeanAbsoluteError(reduction="sum")},
                "metrics": {"second": "mae"},
            },
            {"loss": "mse", "weighted_metrics": [["mae"], ["mse", "mae"]]},
            {"loss": "mse", "loss_weights": [1.0, 0.5]},
            {"loss": keras.losses.MeanAbsoluteError(reduction="sum"), "loss_weights": {"second": 0.5}},
            {"loss": ["mse", "mae"], "loss_weights": {"first": 0.5, "second": 2.0}},
        )
    ):
        model, x = GRAPHS[0]()
        model.compile("adam", **settings)
        yield Case(f"several_{number}", model, x)


def of_all() -> Iterator[Case]:
    """Everything besides layers, graphs and optimizers."""
    for make in (of_parts, of_losses, of_metrics, of_several):
        yield from make()
