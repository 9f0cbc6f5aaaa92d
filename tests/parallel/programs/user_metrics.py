"""Train with metrics written as for Keras, save and load them; write the History to the file named first."""

import sys
from pathlib import Path

import numpy as np

import distnet as keras


class Share(keras.metrics.Metric):
    def __init__(self, threshold=0.5, name="share", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.hits = self.add_variable(shape=(), initializer="zeros", name="hits")
        self.rows = self.add_weight(name="rows", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        hits = keras.ops.logical_and(keras.ops.equal(y_true, 1), keras.ops.greater(y_pred, self.threshold))
        self.hits.assign(self.hits + keras.ops.sum(keras.ops.cast(hits, "float32")))
        self.rows.assign_add(len(y_pred))

    def result(self):
        return self.hits / self.rows

    def reset_state(self):
        self.hits.assign(0.0)
        self.rows.assign(0.0)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


class PerClass(keras.metrics.Metric):
    def __init__(self, name="per_class", **kwargs):
        super().__init__(name=name, **kwargs)
        self.counts = self.add_variable((2, 2), name="counts")

    def update_state(self, y_true, y_pred, sample_weight=None):
        hits = [np.sum((y_true == c) & ((y_pred > 0.5) == c)) for c in (1, 0)]
        self.counts.assign_add(np.array([hits, [len(y_pred)] * 2]))

    def result(self):
        return self.counts[0] / self.counts[1]


class F1(keras.metrics.Metric):
    def __init__(self, name="f1", **kwargs):
        super().__init__(name=name, **kwargs)
        self.parts = {"precision": keras.metrics.Precision(), "recall": keras.metrics.Recall()}

    def update_state(self, y_true, y_pred, sample_weight=None):
        for part in self.parts.values():
            part.update_state(y_true, y_pred, sample_weight)

    def result(self):
        precision, recall = (part.result() for part in self.parts.values())
        return 2 * precision * recall / (precision + recall)


class Rms(keras.metrics.Mean):
    def __init__(self, name="rms", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(np.square(y_true - y_pred), sample_weight=sample_weight)

    def result(self):
        return np.sqrt(super().result())


class Largest(keras.metrics.Metric):
    def __init__(self, name="largest", **kwargs):
        super().__init__(name=name, **kwargs)
        self.largest = self.add_variable((), initializer="zeros", name="largest")
        self.batches = self.add_variable((), initializer="zeros", name="batches")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest.assign(np.maximum(self.largest, np.max(y_pred)))
        self.batches.assign_add(keras.ops.mean(keras.ops.square(y_pred)))

    def result(self):
        return keras.ops.convert_to_tensor([self.largest, self.batches])


class Measured(keras.layers.Dense):
    """A layer with a metric of its own, whose call measures as in Keras 2."""

    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.size = keras.metrics.MeanSquaredError(name="size")

    def call(self, x):
        y = super().call(x)
        self.add_metric(y, name="height", aggregation="mean")
        self.add_metric(keras.ops.mean(y) ** 2, name="squared")
        self.add_metric(self.size(keras.ops.zeros_like(y), y), name="size")
        return y


def measured_within(x, y):
    """The history of a model that measures within layers, and what that is for the weights it ends with."""
    entry = keras.Input((4,))
    hidden = Measured(3)(entry)
    model = keras.Model(entry, keras.layers.Dense(1)(hidden))
    model.add_metric(keras.ops.mean(keras.ops.abs(hidden)), name="mean_of_batches", aggregation="mean")
    model.add_metric(keras.ops.sum(hidden, axis=-1), name="sum")
    model.compile("sgd", "mse")
    history = model.fit(x, y, batch_size=10, epochs=2, verbose=0).history
    logs = model.evaluate(x, y, batch_size=10, verbose=0, return_dict=True)
    assert sorted(logs) == list(logs) == sorted(model.metrics_names)
    z = x @ model.layers[1].kernel.numpy() + model.layers[1].bias.numpy()
    batches = [z[i : i + 10] for i in range(0, len(z), 10)]
    by_hand = {
        "height": z.mean(), "squared": np.mean([b.mean() ** 2 for b in batches]), "size": np.mean(z**2),
        "mean_of_batches": np.mean([np.abs(b).mean() for b in batches]), "sum": z.sum(axis=1).mean(),
    }  # fmt: skip
    np.testing.assert_allclose([logs[key] for key in by_hand], list(by_hand.values()), rtol=1e-12)
    return {f"{key}_within": values for key, values in history.items()}


def in_rows(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


def in_numpy(y_true, y_pred):
    return np.abs(y_true - y_pred)[:, 0]


def of_batch(y_true, y_pred):
    return keras.ops.sum(y_true * y_pred) / keras.ops.sum(y_pred)


def by_column(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=0)


if __name__ == "__main__":
    keras.utils.set_random_seed(1)
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(1)
    x, weight = rng.random((37, 4)), rng.random(37)
    y = (x.sum(axis=1, keepdims=True) > 2).astype(float)

    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1, activation="sigmoid")]
    )
    model.set_weights(
        [np.linspace(-1, 1, 12).reshape(4, 3), np.zeros(3), np.linspace(-1, 1, 3).reshape(3, 1), np.zeros(1)]
    )
    own = ["Precision", "Recall", "TruePositives", "RootMeanSquaredError"]
    model.compile(
        "sgd",
        "mse",
        metrics=[
            Share(),
            PerClass(),
            F1(),
            Rms(),
            Largest(),
            in_rows,
            in_numpy,
            of_batch,
            by_column,
            *(getattr(keras.metrics, name)() for name in own),
        ],
        weighted_metrics=[Rms(name="rms_weighted")],
    )
    out = Path(sys.argv[1])
    model.fit(x, y, batch_size=10, verbose=0)
    model.save(out.with_suffix(".h5"))
    model = keras.models.load_model(
        out.with_suffix(".h5"),
        custom_objects={
            "Share": Share,
            "PerClass": PerClass,
            "F1": F1,
            "Rms": Rms,
            "Largest": Largest,
            "in_rows": in_rows,
            "in_numpy": in_numpy,
            "of_batch": of_batch,
            "by_column": by_column,
        },
    )
    history = model.fit(x, y, sample_weight=weight, epochs=3, batch_size=10, verbose=0, validation_data=(x, y)).history
    history |= measured_within(x, y)
    if keras.distribution.is_chief():
        np.savez(out, **{key: np.array(values) for key, values in history.items()})
