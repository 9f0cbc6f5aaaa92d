"""Models of every kind with data, to be opened in real Keras: every layer, graph, optimizer, loss, metric ..."""

import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import constraints, initializers, layers, metrics, optimizers, regularizers
from distnet.optimizers import schedules

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "layers"))
sys.path.insert(0, str(Path(__file__).parents[1] / "losses"))
import cases_core
import cases_images
import cases_sequences
import cases_windows
import loss_cases
from keras_models import GRAPHS, X3

ROWS = 6
OF_LAYERS = [*cases_core.CASES, *cases_images.CASES, *cases_sequences.CASES, *cases_windows.CASES]


def numbers(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@dataclass
class Case:
    """A compiled model and data for it.

    Args:
        name: of the files.
        model: built and compiled.
        x, y: arrays, one an input and one an output.
        is_random: whether training it draws random numbers, so that no two Kerases train alike.
        fits_once_in_keras: whether Keras 3.15 fails when it trains such a model a second time, its own too.
    """

    name: str
    model: keras.Model
    x: list[np.ndarray]
    y: list[np.ndarray] = field(default_factory=list)
    is_random: bool = False
    fits_once_in_keras: bool = False

    def __post_init__(self):
        if not self.y:
            self.y = [0.3 * numbers(p.shape, 9) for p in self.predictions()]

    def predictions(self):
        made = self.model.predict(one_or_list(self.x), verbose=0)
        return list(made.values()) if isinstance(made, dict) else made if isinstance(made, list) else [made]

    def fit(self, epochs, **options):
        options = {"batch_size": len(self.x[0]) // 2, "shuffle": False, "verbose": 0, **options}
        return self.model.fit(one_or_list(self.x), one_or_list(self.y), epochs=epochs, **options).history["loss"]


def one_or_list(arrays):
    return arrays[0] if len(arrays) == 1 else list(arrays)


def randomize(model: keras.Model) -> None:
    """Weights that differ from all that anybody would start with."""
    rng = np.random.default_rng(5)
    model.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])


def part_of_layer(number: int, name: str, rows, dynamic, options):
    """A layer, its inputs, whose extents are known only at run time where the layer allows it, outputs and data."""
    options = {k: v("float32") if callable(v) else v for k, v in options.items() if k != "is_masked"}
    rows, dynamic = (list(s) if isinstance(s, list) else [s] for s in (rows, dynamic))
    layer = getattr(layers, name)(**options, name=f"layer_{number}")
    if "input_dim" in options:
        x = [np.random.default_rng(1).integers(0, options["input_dim"], (ROWS, *row)).astype("int32") for row in rows]
    else:
        x = [numbers((ROWS, *row), i) for i, row in enumerate(rows)]
    inputs = [keras.Input(row, name=f"x_{number}_{i}", dtype=str(x[i].dtype)) for i, row in enumerate(dynamic)]
    outputs = layer(one_or_list(inputs)) if name != "MultiHeadAttention" else layer(*inputs)
    return layer, inputs, outputs if isinstance(outputs, list) else [outputs], x


def of_layers(together: int = 1, without: Collection[str] = ()) -> Iterator[Case]:
    """Models of every layer, side by side, so many in each."""
    table = [entry for entry in enumerate(OF_LAYERS) if entry[1][0] not in without]
    for start in range(0, len(table), together):
        keras.utils.set_random_seed(start)
        parts = [part_of_layer(number, *entry) for number, entry in table[start : start + together]]
        inputs, outputs = ([t for part in parts for t in part[k]] for k in (1, 2))
        model = keras.Model(inputs, outputs, name=f"layers_{start}")
        randomize(model)
        model.compile("sgd", "mse")
        names = "_".join(dict.fromkeys(type(part[0]).__name__ for part in parts[:1]))
        x = [array for part in parts for array in part[3]]
        yield Case(f"layers_{start:03d}_{names}", model, x, is_random=any(is_random(part[0]) for part in parts))


def is_random(layer) -> bool:
    within = [getattr(layer, key) for key in ("layer", "backward_layer") if getattr(layer, key, None) is not None]
    draws = [getattr(layer, key, 0) for key in ("dropout", "recurrent_dropout", "rate", "stddev")]
    return any(draws) or type(layer).__name__.startswith("Random") or any(is_random(one) for one in within)


def of_graphs() -> Iterator[Case]:
    for number, make in enumerate(GRAPHS):
        keras.utils.set_random_seed(number)
        model, x = make()
        model.compile("adam", "mse")
        yield Case(f"graph_{number:02d}_{make.__name__}", model, x)


def small_model(outputs=1, activation="linear", **options):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [layers.Input((3,)), layers.Dense(4, "tanh", **options), layers.Dense(outputs, activation, name="out")]
    )


def optimizer_cases():
    """Every optimizer, with its options, and all that they have in common."""
    o = optimizers
    yield o.SGD(0.1)
    yield o.SGD(0.1, momentum=0.9)
    yield o.SGD(0.1, momentum=0.8, nesterov=True, clipnorm=0.1)
    yield o.RMSprop(0.01)
    yield o.RMSprop(0.01, rho=0.8, momentum=0.5, centered=True)
    yield o.Adam(0.01)
    yield o.Adam(0.01, beta_1=0.8, amsgrad=True, epsilon=1e-4)
    yield o.Adam(0.01, weight_decay=0.01, global_clipnorm=0.5)
    yield o.AdamW(0.01, weight_decay=0.02)
    yield o.Adagrad(0.1, initial_accumulator_value=0.2)
    yield o.Adadelta(1.0, rho=0.9)
    yield o.Adamax(0.01)
    yield o.Nadam(0.01)
    yield o.Ftrl(0.1, l1_regularization_strength=0.001, l2_regularization_strength=0.01)
    yield o.Lion(0.003)
    yield o.Lamb(0.01)
    yield o.Adam(0.01, use_ema=True, ema_momentum=0.9)
    yield o.SGD(0.1, momentum=0.5, gradient_accumulation_steps=3)
    yield o.Adam(0.01, clipvalue=0.05)
    yield o.Adam(schedules.ExponentialDecay(0.05, 3, 0.9, staircase=True))
    yield o.SGD(schedules.CosineDecay(0.1, 20, warmup_target=0.2, warmup_steps=2))
    yield o.SGD(schedules.CosineDecayRestarts(0.1, 4))
    yield o.SGD(schedules.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]), momentum=0.9)
    yield o.RMSprop(schedules.InverseTimeDecay(0.01, 2, 0.5))
    yield o.Adamax(schedules.PolynomialDecay(0.02, 10, power=2.0))


def of_optimizers() -> Iterator[Case]:
    for number, optimizer in enumerate(optimizer_cases()):
        model = small_model()
        model.compile(optimizer, "mse")
        name = f"optimizer_{number:02d}_{type(optimizer).__name__}"
        yield Case(name, model, [X3], fits_once_in_keras=optimizer.use_ema)


def of_parts() -> Iterator[Case]:
    """Every initializer, regularizer, constraint and activation, side by side."""
    keras.utils.set_random_seed(4)
    parts = [("kernel_initializer", c()) for c in initializers.INITIALIZERS.classes().values()]
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
    """Every loss, and every function of one by its name."""
    found = [(loss, *make(np.random.default_rng(i), ROWS)) for i, (loss, make) in enumerate(loss_cases.CASES)]
    yield side_by_side("losses", [p for _, _, p in found], [y for _, y, _ in found], [loss for loss, *_ in found])


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
    losses = ["mse" if np.shape(y) == np.shape(p) else "sparse_categorical_crossentropy" for _, y, p in found]
    yield side_by_side("metrics", [p for *_, p in found], [y for _, y, _ in found], losses, [[m] for m, *_ in found])


def of_several() -> Iterator[Case]:
    """Settings of compile by output, as a list and as a dict."""
    for number, settings in enumerate(
        (
            {"loss": ["mse", "mae"], "loss_weights": [1.0, 0.5], "metrics": [["mae"], ["mse"]]},
            {"loss": {"first": "mse", "second": keras.losses.Huber(0.5)}, "metrics": {"second": "mae"}},
            {"loss": "mse", "weighted_metrics": [["mae"], ["mse", "mae"]]},
        )
    ):
        model, x = GRAPHS[0]()
        model.compile("adam", **settings)
        yield Case(f"several_{number}", model, x)


def of_others() -> Iterator[Case]:
    """Everything besides graphs and optimizers.

    Keras 3.15 leaves images whole in RandomCrop, against its documentation.
    """
    yield from of_layers(together=22, without=("RandomCrop",))
    for make in (of_parts, of_losses, of_metrics, of_several):
        yield from make()
