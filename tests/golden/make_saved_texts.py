"""Writes saved_texts.zip beside this file: a model of texts and categories, by Keras 3 on TensorFlow, and what it says.

KERAS_BACKEND=tensorflow python tests/golden/make_saved_texts.py
"""

import json
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

TEXTS = ["The cat sat.", "a dog", "", "É cat, cat", "unknown words"]
KINDS = ["x", "y", "z", "x", "?"]
NUMBERS = [[3], [9], [4], [5], [3]]


def model():
    """Texts as indices and as frequencies, strings and integers of categories, ranges and hashes."""
    text, kind = (keras.Input((1,), dtype="string", name=name) for name in ("text", "kind"))
    whole = keras.Input((), dtype="string", name="whole")
    number, amount = keras.Input((1,), dtype="int64", name="number"), keras.Input((1,), name="amount")
    words, frequencies = (
        layers.TextVectorization(output_sequence_length=4),
        layers.TextVectorization(output_mode="tf_idf"),
    )
    kinds, numbers = layers.StringLookup(output_mode="one_hot"), layers.IntegerLookup(num_oov_indices=2)
    ranges = layers.Discretization(num_bins=3, output_mode="one_hot")
    for layer, data in ((words, TEXTS), (frequencies, TEXTS), (kinds, KINDS), (numbers, [[3], [9], [3]])):
        layer.adapt(data)
    ranges.adapt(np.arange(20.0))
    parts = [
        layers.GlobalAveragePooling1D()(layers.Embedding(20, 3)(words(text))),
        frequencies(whole),
        kinds(kind),
        layers.Flatten()(layers.Embedding(6, 2)(numbers(number))),
        ranges(amount),
        layers.HashedCrossing(5, output_mode="one_hot")([kind, number]),
        layers.Hashing(4, output_mode="one_hot", salt=3)(kind),
    ]
    return keras.Model([text, kind, number, amount, whole], layers.Dense(2)(layers.Concatenate()(parts)))


def main():
    made = model()
    inputs = [
        np.array(TEXTS)[:, None],
        np.array(KINDS)[:, None],
        np.array([[3], [9], [4], [5], [3]]),
        np.ones((5, 1)) * 9,
    ]
    inputs.append(np.array(TEXTS))
    tensors = [keras.ops.convert_to_tensor(x) for x in inputs]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        made.save(path)
        predicted = np.asarray(made(tensors)).tolist()
        with zipfile.ZipFile(Path(__file__).with_name("saved_texts.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, "model.keras")
            archive.writestr("predicted.json", json.dumps({"keras": keras.__version__, "predicted": predicted}))


if __name__ == "__main__":
    main()
