"""Every layer in models with data, to be opened in real Keras: the cases of the layers' contract."""

from collections.abc import Iterable, Iterator, Sequence, Set

import numpy as np

import cases_images
import distnet as keras
import layer_cases
from distnet import layers
from distnet.layers import Layer
from distnet.layers.engine.structures import leaves
from keras_cases import Case, numbers, one_or_list

ROWS = 6
NOT_COMPARED = {
    **dict.fromkeys(layer_cases.OF_ARRAYS, "those for strings need TensorFlow; see test_text_layers.py"),
    "Distiller": "it is a whole training; test_distiller.py has it",
    **dict.fromkeys(("MelSpectrogram", "STFTSpectrogram"), "logarithms of small sums; test_spectrograms.py has them"),
    **dict.fromkeys(("AutoContrast", "Equalization"), "Keras's may give back the placeholder that it takes"),
    "RandomCrop": "Keras 3.15 leaves images whole at inference, against its documentation",
    "RNN": "Keras 3.15 on JAX fails over stacks with cells of several states; test_rnn.py compares the others",
    **dict.fromkeys(
        ("SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"),
        "Keras 3.15 on JAX fails with their dropout outside of RNN",
    ),
    **dict.fromkeys(
        ("CustomScaleLayer", "LayerScale", "StochasticDepth"),
        "Keras has them for its applications alone, and finds none in HDF5 files; see compare_applications.py",
    ),
    "Lambda": "Keras 3.15 does not load functions of keras.ops in its own files either",
}
NOT_SIDE_BY_SIDE = {
    **dict.fromkeys(("AugMix", "CutMix", "MixUp", "RandAugment"), "without XLA their draws take half a minute"),
    "RandomElasticTransform": "Keras 3.15 on JAX does not trace it",
}
"""Layers left out of the models of twenty layers, and why; test_changes_as_keras.py compares their changes."""
NOT_IN_KERAS_3_WITH = [
    ("RandomColorJitter", "data_format", "channels_first"),  # Keras 3.15 splits another axis
    ("RandomErasing", "data_format", "channels_first"),
]
"""Layers with options with which Keras 3.15 fails."""
NOT_OF_KERAS_2 = [
    ("AlphaDropout", "noise_shape", (None, 1, None)),
    ("Dropout", "rate", 1.0),
    ("LayerNormalization", "rms_scaling", True),
    ("MultiHeadAttention", "sliding_window", 2),
    ("RandomContrast", "value_range", (-1.0, 1.0)),
    ("Resizing", "interpolation", "bicubic"),
    ("Resizing", "pad_to_aspect_ratio", True),
    *((name, "data_format", "channels_first") for name in layer_cases.CASES),  # TensorFlow has none of it on a CPU
]
"""Layers with options that tf_keras does not know, or of which it computes something else."""
NOT_IN_KERAS_2 = {
    "Pipeline",
    "ReversibleEmbedding",
    "RMSNormalization",
    "MelSpectrogram",
    "STFTSpectrogram",
    *cases_images.OF_KERAS_3,
}
NOT_IN_KERAS_3 = {"LocallyConnected1D", "LocallyConnected2D", "ThresholdedReLU"}
DRAW = ("AugMix", "CutMix", "MixUp", "RandAugment", "Solarization")
"""Layers that draw random numbers, besides those whose names say so."""
ENTRY = "InputLayer"
"""No layer to call: every model begins with one."""


class Part:
    """A layer called on inputs of its own, whose extents are known only at run time where the layer allows it.

    Args:
        number: tells its names from those of the other parts of a model.
        case: of the layers' contract.
    """

    def __init__(self, number: int, case: layer_cases.Case) -> None:
        self.layer = case.layer(dtype="float32", name=f"layer_{number}")
        self.x = [self._data(case, row, i) for i, row in enumerate(case.rows)]
        named = {f"x_{number}_{i}": row for i, row in enumerate(case.dynamic)}
        self.inputs = [
            keras.Input(row, name=name, dtype=str(x.dtype))
            for (name, row), x in zip(named.items(), self.x, strict=True)
        ]
        self.outputs = list(leaves(self._called()))

    def _called(self):
        if self.layer.call_arguments[0] == "query":
            return self.layer(*self.inputs)
        return self.layer(one_or_list(self.inputs))

    @staticmethod
    def _data(case, row, seed):
        if "input_dim" in case.options:
            return np.random.default_rng(seed).integers(0, case.options["input_dim"], (ROWS, *row)).astype("int32")
        return numbers((ROWS, *row), seed)


def trains_otherwise(layer: Layer) -> bool:
    """Whether no two Kerases train it alike, for one because it draws random numbers.

    Keras 3 takes the statistics of a batch normalization on every time step from each step by itself.
    """
    draws = any(getattr(layer, key, 0) for key in ("dropout", "recurrent_dropout", "rate", "stddev"))
    is_of_steps = isinstance(layer, layers.TimeDistributed) and isinstance(layer.layer, layers.BatchNormalization)
    within = any(trains_otherwise(one) for _, one in layer.inner_layers())
    return draws or is_of_steps or within or type(layer).__name__.startswith(("Random", *DRAW))


def randomize(layer: Layer) -> None:
    """Weights that differ from all that anybody would start with."""
    rng = np.random.default_rng(5)
    layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])


def of_layers(
    together: int = 20,
    without: Sequence[tuple[str, str, object]] = NOT_IN_KERAS_3_WITH,
    absent: Set[str] = NOT_IN_KERAS_3,
) -> Iterator[Case]:
    """Models of every layer, so many side by side in each; without some, or some with a certain value of an option."""
    table = [
        case
        for name, cases in layer_cases.CASES.items()
        if name not in {ENTRY, *NOT_COMPARED, *NOT_SIDE_BY_SIDE, *absent}
        for case in cases
        if not any(name == other and case.options.get(key) == value for other, key, value in without)
    ]
    return side_by_side((Part(number, case) for number, case in enumerate(table)), together)


def of_keras_2() -> Iterator[Case]:
    """The same of the layers that tf_keras has."""
    return of_layers(without=NOT_OF_KERAS_2, absent=NOT_IN_KERAS_2)


def side_by_side(parts: Iterable[Part], together: int) -> Iterator[Case]:
    """Models of so many layers each; those that no two Kerases train alike are in models of their own."""
    found = list(parts)
    for otherwise in (False, True):
        alike = [part for part in found if trains_otherwise(part.layer) == otherwise]
        for start in range(0, len(alike), together):
            yield _model_of(alike[start : start + together], otherwise)


def _model_of(parts: Sequence[Part], otherwise: bool) -> Case:
    inputs, outputs = ([t for part in parts for t in getattr(part, key)] for key in ("inputs", "outputs"))
    first = parts[0].layer
    model = keras.Model(inputs, outputs, name=f"model_of_{first.name}")
    randomize(model)
    model.compile("adam", "mse", loss_weights=[1 / len(outputs)] * len(outputs))
    x = [array for part in parts for array in part.x]
    return Case(f"{first.name}_{type(first).__name__}", model, x, trains_otherwise=otherwise)
