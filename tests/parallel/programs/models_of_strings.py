"""Models of strings, adapted, trained, evaluated and asked; and data that differ between ranks."""

import json
import sys
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import layers
from distnet.errors import ReplicaError


class Batches(keras.utils.PyDataset):
    """Batches of ten texts, with targets."""

    def __init__(self, texts, y):
        super().__init__()
        self.texts, self.y = texts, y

    def __len__(self):
        return -(-len(self.texts) // 10)

    def __getitem__(self, index):
        rows = slice(10 * index, 10 * index + 10)
        return self.texts[rows], self.y[rows]


def job(folder):
    """What some models learn and say, on any number of ranks."""
    rng = np.random.default_rng(0)
    words = ["good", "great", "fine", "bad", "film", "é", "a", "plot", "the"]
    texts = np.array([" ".join(rng.choice(words, rng.integers(1, 12))) for _ in range(47)])
    kinds, y = rng.choice(["x", "y", "z"], 47).astype(object), np.array(["good" in text for text in texts], float)
    said = {}
    for name, options in {"fixed": {"output_sequence_length": 6}, "longest": {}}.items():
        keras.utils.set_random_seed(1)
        vectorize = layers.TextVectorization(20, dtype="float64", **options)
        vectorize.adapt(texts)
        model = keras.Sequential(
            [
                vectorize,
                layers.Embedding(20, 4, dtype="float64"),
                layers.GlobalAveragePooling1D(dtype="float64"),
                layers.Dense(1, dtype="float64"),
            ]
        )
        model.compile("sgd", "mse")
        history = model.fit(texts, y, batch_size=10, epochs=2, verbose=0, validation_split=0.2).history
        predicted = model.predict(texts, batch_size=10, verbose=0).tolist()
        said[name] = [history, model.evaluate(texts, y, verbose=0), predicted]
        said[f"{name} vocabulary"] = vectorize.get_vocabulary()
        model.save(folder / f"{name}.keras")
        again = keras.models.load_model(folder / f"{name}.keras")
        said[f"{name} read"] = again.predict(texts, batch_size=10, verbose=0).tolist() == predicted
    text, kind = keras.Input((), dtype="string"), keras.Input((1,), dtype="string")
    weights, lookup = layers.TextVectorization(output_mode="tf_idf"), layers.StringLookup(output_mode="one_hot")
    weights.adapt(texts)
    lookup.adapt(kinds)
    keras.utils.set_random_seed(2)
    out = layers.Dense(1)(layers.Concatenate()([weights(text), lookup(kind)]))
    model = keras.Model([text, kind], out)
    model.compile("sgd", "mse")
    said["two"] = model.fit([texts, kinds], y, epochs=2, verbose=0).history
    back = layers.StringLookup(vocabulary=["a", "é"], invert=True)
    indices = keras.Input((2,), dtype="int64")
    said["strings"] = (
        keras.Model(indices, back(indices)).predict(np.array([[1, 2], [0, 1], [2, 2]]), verbose=0).tolist()
    )
    said["batches"] = of_batches(texts, y)
    said["columns"] = of_columns(folder, {"kind": kinds, "amount": rng.normal(size=47), "number": np.arange(47) % 5}, y)
    said["differing"] = differing(keras.distribution.rank())
    keras.distribution.set_distribution(keras.distribution.DataParallel(reproducible_shards=4))
    said["same bits"] = of_batches(texts, y)
    return said


def of_batches(texts, y):
    """What a model learns of a ``PyDataset`` of texts, with dropout, and what it then says."""
    keras.utils.set_random_seed(3)
    vectorize = layers.TextVectorization(20, dtype="float64")
    vectorize.adapt(Batches(texts, y))
    model = keras.Sequential(
        [
            vectorize,
            layers.Embedding(20, 4, dtype="float64"),
            layers.GlobalAveragePooling1D(dtype="float64"),
            layers.Dropout(0.3, dtype="float64"),
            layers.Dense(1, dtype="float64"),
        ]
    )
    model.compile("adam", "mse")
    history = model.fit(Batches(texts, y), epochs=2, verbose=0, validation_data=Batches(texts, y)).history
    return [history, model.evaluate(Batches(texts, y), verbose=0), model.predict(Batches(texts, y), verbose=0).tolist()]


def of_columns(folder, columns, y):
    """What a model behind a ``FeatureSpace`` learns, which adapts to a shuffled dataset and comes from a file."""
    every = keras.utils.timeseries_dataset_from_array(np.arange(47), y, 1, batch_size=None)
    rows = every.map(lambda i, y: ({key: column[i[0]] for key, column in columns.items()}, y)).shuffle(47)
    kinds = {"kind": "string_categorical", "amount": "float_normalized", "number": "integer_categorical"}
    space = keras.utils.FeatureSpace(kinds, crosses=[("kind", "number")])
    space.adapt(rows.batch(10).map(lambda x, _: x))
    space.save(folder / "columns.keras")
    loaded = keras.models.load_model(folder / "columns.keras")
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input(loaded(columns).shape[1:]), layers.Dense(1)])
    model.compile("sgd", "mse")
    in_order = keras.utils.timeseries_dataset_from_array(np.arange(47), y, 1, batch_size=10)
    encoded = in_order.map(lambda i, y: (loaded({key: column[i[:, 0]] for key, column in columns.items()}), y))
    history = model.fit(encoded, epochs=2, verbose=0, shuffle=False).history
    return [{"two": history}, np.array_equal(space(columns), loaded(columns))]


def differing(rank):
    """What ranks with data of their own are told; one rank is told nothing."""
    messages = []
    for layer, data in (
        (layers.StringLookup(), [f"a{rank}"]),
        (layers.Discretization(num_bins=2), np.arange(9.0) + 7 * rank),
        (layers.Normalization(), np.arange(9.0)[:, None] + 7 * rank),
    ):
        try:
            layer.adapt(data)
        except ReplicaError as error:
            messages.append(str(error))
    return messages


if __name__ == "__main__":
    said = job(Path(sys.argv[1]))
    if keras.distribution.rank() == 0:
        sys.stdout.write(json.dumps(said) + "\n")
