"""Losses and metrics."""

from .parts import CASES, bits, case, classes, mlp, wave


@case
def sparse_labels(k):
    model = k.Sequential([k.layers.Dense(5, "relu", input_shape=(4,)), k.layers.Dense(3)])
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    metrics = ["accuracy", k.metrics.SparseTopKCategoricalAccuracy(k=2, name="top_2")]
    model.compile("adam", loss, metrics=metrics)
    return model, [wave(4)], [classes(3).argmax(1).astype("int32")]


@case
def losses_and_metrics(k):
    model = k.Sequential([k.layers.Dense(5, "tanh", input_shape=(4,)), k.layers.Dense(1, "sigmoid")])
    m = k.metrics
    found = [
        m.BinaryAccuracy(name="half", threshold=0.4), m.Precision(), m.Recall(thresholds=0.3), m.AUC(num_thresholds=50),
        m.MeanSquaredError(name="square"), m.RootMeanSquaredError(), "mae", m.FalsePositives(), m.TruePositives(),
        m.BinaryCrossentropy(from_logits=False), m.Hinge(),
    ]  # fmt: skip
    model.compile("adam", k.losses.BinaryCrossentropy(label_smoothing=0.1), metrics=found)
    return model, [wave(4)], [bits()]


@case
def class_metrics(k):
    model = k.Sequential([k.layers.Dense(5, "tanh", input_shape=(4,)), k.layers.Dense(3, "softmax")])
    m = k.metrics
    found = [
        "acc",
        m.CategoricalAccuracy(),
        m.TopKCategoricalAccuracy(2),
        m.KLDivergence(),
        m.CosineSimilarity(axis=-1),
    ]
    loss = k.losses.CategoricalCrossentropy(label_smoothing=0.2)
    model.compile("adam", loss, metrics=found, weighted_metrics=["categorical_crossentropy"])
    return model, [wave(4)], [classes(3)]


def of_loss(name, make):
    CASES[f"loss_{name}"] = lambda k: mlp(k, "adam", make(k.losses), metrics=["mse", "mean_absolute_error"])


LOSSES = {
    "mae": lambda o: "mae",
    "huber": lambda o: o.Huber(0.5),
    "log_cosh": lambda o: o.LogCosh(),
    "cosine": lambda o: o.CosineSimilarity(),
    "hinge": lambda o: "squared_hinge",
    "function": lambda o: o.mean_squared_logarithmic_error,
    "sum": lambda o: o.MeanSquaredError(reduction="sum"),
}
for _name, _make in LOSSES.items():
    of_loss(_name, _make)
