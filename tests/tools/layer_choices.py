"""Which layers a generated model can have, on what rows, and with which options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from option_values import (
    ACTIVATIONS,
    ACTIVITY,
    AFFINE,
    BIAS,
    CONSTRAINTS,
    CONVOLUTION,
    DENSE,
    FROZEN,
    GATED,
    KERNEL,
    RECURRENT,
    REGULARIZERS,
    SMOOTH,
    make,
)

Draw = Callable[[Any], Any]
Row = Sequence[int]


SYMBOLS = 6
"""Of integer inputs: 0 is padding."""


@dataclass(frozen=True)
class LayerChoice:
    """A layer that a model can have.

    Args:
        ranks: axes that its rows may have.
        needed: options that it must have, and their values for a row.
        optional: options that it may have.
        inputs: how many tensors it is called on.
        is_random: whether training draws random numbers.
    """

    ranks: Sequence[int]
    needed: Callable[[Row], Mapping[str, Sequence[Any]]] = lambda row: {}
    optional: Mapping[str, Sequence[Any]] | Callable[[Row], Mapping[str, Sequence[Any]]] = lambda row: {}
    inputs: tuple[int, int] = (1, 1)
    is_random: bool = False

    def optional_for(self, row: Row) -> Mapping[str, Sequence[Any]]:
        return self.optional(row) if callable(self.optional) else self.optional


def always(**options: Sequence[Any]) -> Callable[[Row], Mapping[str, Sequence[Any]]]:
    """Options that do not depend on the row."""
    return lambda row: options


def _axes(row: Row) -> list[Any]:
    return list(range(1, len(row) + 1))


def _normalized(row: Row) -> Mapping[str, Sequence[Any]]:
    return {"axis": [-1, *_axes(row)], **AFFINE, "momentum": [0.6]}


def _layer_normalized(row: Row) -> Mapping[str, Sequence[Any]]:
    axes = _axes(row)
    return {"axis": [-1, *axes, axes, axes[-2:]], "rms_scaling": [True], **AFFINE}


def _rms_normalized(row: Row) -> Mapping[str, Sequence[Any]]:
    return {"axis": [-1, *_axes(row)], "epsilon": [0.01]}


def _groups(row: Row) -> Mapping[str, Sequence[Any]]:
    return {"groups": sorted({1, row[-1], -1})}


def _targets(row: Row) -> Mapping[str, Sequence[Any]]:
    entries = 1
    for extent in row:
        entries *= extent
    return {"target_shape": [[-1], [entries, 1], [1, -1], list(reversed(row))]}


def _orders(row: Row) -> Mapping[str, Sequence[Any]]:
    axes = _axes(row)
    return {"dims": [list(reversed(axes)), [*axes[1:], axes[0]], axes]}


def _softmax_axes(row: Row) -> Mapping[str, Sequence[Any]]:
    return {"axis": [-1, *_axes(row)]}


def _shared_axes(row: Row) -> Mapping[str, Sequence[Any]]:
    return {"shared_axes": [[axis] for axis in _axes(row)[:-1]], "alpha_regularizer": REGULARIZERS, **FROZEN}


def _attended(row: Row) -> Mapping[str, Sequence[Any]]:
    axes = {"attention_axes": [[1], [2], [1, 2]]} if len(row) == 3 else {}
    one = {"value_dim": [3], "use_bias": [False], "use_gate": [True], "output_shape": [3]}
    return {**one, "kernel_regularizer": REGULARIZERS, **axes}


def _conv_groups(row: Row) -> Mapping[str, Sequence[Any]]:
    groups = {"groups": [2]} if row[-1] % 2 == 0 else {}
    return {**CONVOLUTION, **groups}


def _causal(row: Row) -> Mapping[str, Sequence[Any]]:
    return {**_conv_groups(row), "padding": ["same", "causal"], "dilation_rate": [2]}


SEQUENCES, IMAGES, VOLUMES, ALL, VECTORS = (2,), (3,), (4,), (1, 2, 3, 4), (1,)
FIRST = {"data_format": ["channels_first"]}
POOLS = always(pool_size=[2, 3])


def _adaptive(rank: int) -> Callable[[Row], Mapping[str, Sequence[Any]]]:
    return always(output_size=[2, 1, 3, [2, 1, 3][:rank]])


def _equations(row: Row) -> Mapping[str, Sequence[Any]]:
    return {"equation": ["...x,xy->...y"], "output_shape": [2, 3, 4]}


POOL = {"strides": [1, 2], "padding": ["same"], **FIRST}
CONV_LSTM = {
    "return_sequences": [True],
    "go_backwards": [True],
    "padding": ["same"],
    "activation": SMOOTH,
    "recurrent_activation": SMOOTH,
    "use_bias": [False],
    **FIRST,
    **KERNEL,
}
TRANSPOSED = {**FIRST, "padding": ["same"], "strides": [2], "activation": ACTIVATIONS, **KERNEL, **BIAS, **FROZEN}
DEPTHWISE = {
    **FIRST,
    "padding": ["same"],
    "depth_multiplier": [2],
    "activation": ACTIVATIONS,
    "depthwise_regularizer": REGULARIZERS,
    "depthwise_constraint": CONSTRAINTS,
    **BIAS,
    **FROZEN,
}
SEPARABLE = {**DEPTHWISE, "pointwise_regularizer": REGULARIZERS, "pointwise_constraint": CONSTRAINTS, "strides": [2]}
NO_RATE = {"rate": [0.0]}
MERGE = LayerChoice(ALL, inputs=(2, 3))

INNER_OF_STEPS = [
    make("layers.Dense", units=2, activation="tanh"),
    make("layers.Flatten"),
    make("layers.Activation", activation="softmax"),
    make("layers.BatchNormalization"),
    make("layers.LayerNormalization"),
    make("layers.Dropout", rate=0.0),
]
INNER_OF_IMAGES = [
    *INNER_OF_STEPS[:4],
    make("layers.LSTM", units=2),
    make("layers.GRU", units=2, return_sequences=True),
    make("layers.GlobalMaxPooling1D"),
    make("layers.Conv1D", filters=2, kernel_size=2),
]
INNER_BOTH_WAYS = [
    make("layers.LSTM", units=2),
    make("layers.LSTM", units=2, return_sequences=True),
    make("layers.GRU", units=2, return_sequences=True),
    make("layers.GRU", units=3, reset_after=False),
    make("layers.SimpleRNN", units=2, return_sequences=True, activation="relu"),
    make("layers.LSTM", units=2, return_sequences=True, use_bias=False, kernel_regularizer="l2"),
    make("layers.RNN", cell=make("layers.GRUCell", units=2), return_sequences=True),
]
CELLS = [
    make("layers.LSTMCell", units=2),
    make("layers.GRUCell", units=3, reset_after=False, recurrent_regularizer="l2"),
    make("layers.SimpleRNNCell", units=2, activation="relu", use_bias=False),
    make("layers.StackedRNNCells", cells=[make("layers.LSTMCell", units=3), make("layers.LSTMCell", units=2)]),
]


def _inner_of_steps(row: Row) -> Mapping[str, Sequence[Any]]:
    return {"layer": INNER_OF_STEPS if len(row) == 2 else INNER_OF_IMAGES}


LAYERS: dict[str, LayerChoice] = {
    "Dense": LayerChoice(ALL, always(units=[3, 2, 4]), DENSE),
    "EinsumDense": LayerChoice(
        ALL,
        _equations,
        {"bias_axes": ["y"], "activation": ACTIVATIONS, **KERNEL, "bias_constraint": CONSTRAINTS, **ACTIVITY, **FROZEN},
    ),
    "Activation": LayerChoice(ALL, always(activation=ACTIVATIONS), ACTIVITY),
    "BatchNormalization": LayerChoice(ALL, optional=_normalized),
    "LSTM": LayerChoice(SEQUENCES, always(units=[2, 3]), {**GATED, "unit_forget_bias": [False]}),
    "GRU": LayerChoice(SEQUENCES, always(units=[2, 3]), {**GATED, "reset_after": [False]}),
    "SimpleRNN": LayerChoice(SEQUENCES, always(units=[2, 3]), RECURRENT),
    "RNN": LayerChoice(
        SEQUENCES,
        always(cell=CELLS),
        {"return_sequences": [True], "go_backwards": [True], "zero_output_for_mask": [True], **ACTIVITY, **FROZEN},
    ),
    "Bidirectional": LayerChoice(
        SEQUENCES, always(layer=INNER_BOTH_WAYS), {"merge_mode": ["sum", "mul", "ave", "concat", None]}
    ),
    "TimeDistributed": LayerChoice((2, 3), _inner_of_steps),
    "SpectralNormalization": LayerChoice(
        ALL, always(layer=[make("layers.Dense", units=3, activation="tanh")]), {"power_iterations": [3]}
    ),
    "Masking": LayerChoice((2, 3), optional={"mask_value": [0.0, 0.5]}),
    "Conv1D": LayerChoice(SEQUENCES, always(filters=[2, 4], kernel_size=[2, 1, 3]), _causal),
    "Conv2D": LayerChoice(
        IMAGES, always(filters=[2, 4], kernel_size=[2, 1, 3]), lambda row: {**_conv_groups(row), "dilation_rate": [2]}
    ),
    **{
        f"ConvLSTM{rank}D": LayerChoice((rank + 2,), always(filters=[2], kernel_size=[2, 1]), CONV_LSTM)
        for rank in (1, 2)
    },
    "Conv3D": LayerChoice(VOLUMES, always(filters=[2, 4], kernel_size=[2, 1]), _conv_groups),
    "Conv3DTranspose": LayerChoice(VOLUMES, always(filters=[2], kernel_size=[2]), TRANSPOSED),
    "Conv1DTranspose": LayerChoice(SEQUENCES, always(filters=[2], kernel_size=[2, 3]), TRANSPOSED),
    "Conv2DTranspose": LayerChoice(IMAGES, always(filters=[2], kernel_size=[2, 3]), TRANSPOSED),
    "DepthwiseConv1D": LayerChoice(SEQUENCES, always(kernel_size=[2, 3]), {**DEPTHWISE, "strides": [2]}),
    "DepthwiseConv2D": LayerChoice(IMAGES, always(kernel_size=[2, 3]), {**DEPTHWISE, "strides": [2]}),
    "SeparableConv1D": LayerChoice(SEQUENCES, always(filters=[2, 3], kernel_size=[2, 3]), SEPARABLE),
    "SeparableConv2D": LayerChoice(IMAGES, always(filters=[2, 3], kernel_size=[2, 3]), SEPARABLE),
    "MaxPooling1D": LayerChoice(SEQUENCES, POOLS, POOL),
    "AveragePooling1D": LayerChoice(SEQUENCES, POOLS, POOL),
    "MaxPooling2D": LayerChoice(IMAGES, POOLS, POOL),
    "MaxPooling3D": LayerChoice(VOLUMES, POOLS, POOL),
    "AveragePooling3D": LayerChoice(VOLUMES, POOLS, POOL),
    "AveragePooling2D": LayerChoice(IMAGES, POOLS, POOL),
    **{
        f"Adaptive{kind}Pooling{rank}D": LayerChoice((rank + 1,), _adaptive(rank), FIRST)
        for kind in ("Max", "Average")
        for rank in (1, 2, 3)
    },
    **{
        f"Global{kind}Pooling{rank}D": LayerChoice((rank + 1,), optional={"keepdims": [True], **FIRST})
        for kind in ("Max", "Average")
        for rank in (1, 2, 3)
    },
    "Flatten": LayerChoice(ALL, optional=FIRST),
    "Reshape": LayerChoice(ALL, _targets),
    "Permute": LayerChoice((2, 3, 4), _orders),
    "RepeatVector": LayerChoice(VECTORS, always(n=[3, 2])),
    "ZeroPadding1D": LayerChoice(SEQUENCES, always(padding=[1, [0, 2]])),
    "ZeroPadding2D": LayerChoice(IMAGES, always(padding=[1, [[0, 1], [2, 0]]]), FIRST),
    "Cropping1D": LayerChoice(SEQUENCES, always(cropping=[1, [0, 1]])),
    "Cropping2D": LayerChoice(IMAGES, always(cropping=[1, [[0, 1], [1, 0]]]), FIRST),
    "ZeroPadding3D": LayerChoice(VOLUMES, always(padding=[1, [[0, 1], [1, 0], [0, 0]]]), FIRST),
    "Cropping3D": LayerChoice(VOLUMES, always(cropping=[[[0, 1], [1, 0], [0, 0]], [1, 0, 0]]), FIRST),
    "UpSampling3D": LayerChoice(VOLUMES, optional={"size": [2, [1, 2, 1]], **FIRST}),
    "UpSampling1D": LayerChoice(SEQUENCES, optional={"size": [2, 3]}),
    "UpSampling2D": LayerChoice(IMAGES, optional={"size": [2, [1, 3]], "interpolation": ["bilinear"], **FIRST}),
    "LayerNormalization": LayerChoice(ALL, optional=_layer_normalized),
    "RMSNormalization": LayerChoice(ALL, optional=_rms_normalized),
    "Normalization": LayerChoice(ALL, always(mean=[0.3], variance=[1.7]), {"invert": [True]}),
    "GroupNormalization": LayerChoice(ALL, _groups, AFFINE),
    "UnitNormalization": LayerChoice(ALL, optional=_softmax_axes),
    "ReLU": LayerChoice(ALL, optional={"max_value": [0.8], "negative_slope": [0.1], "threshold": [0.2]}),
    "LeakyReLU": LayerChoice(ALL, optional={"negative_slope": [0.1]}),
    "ELU": LayerChoice(ALL, optional={"alpha": [0.5]}),
    "PReLU": LayerChoice(ALL, optional=_shared_axes),
    "Softmax": LayerChoice(ALL, optional=_softmax_axes),
    "Rescaling": LayerChoice(ALL, always(scale=[0.5]), {"offset": [0.1]}),
    "Identity": LayerChoice(ALL),
    "ActivityRegularization": LayerChoice(ALL, optional={"l1": [0.02], "l2": [0.03]}),
    "Dropout": LayerChoice(ALL, always(rate=[0.0, 0.0, 0.0, 0.4]), is_random=True),
    "SpatialDropout1D": LayerChoice(SEQUENCES, always(rate=[0.0, 0.0, 0.0, 0.4]), is_random=True),
    "SpatialDropout2D": LayerChoice(IMAGES, always(rate=[0.0, 0.0, 0.0, 0.4]), FIRST, is_random=True),
    "SpatialDropout3D": LayerChoice(VOLUMES, always(rate=[0.0, 0.0, 0.0, 0.4]), FIRST, is_random=True),
    "GaussianDropout": LayerChoice(ALL, always(rate=[0.0, 0.0, 0.0, 0.4]), is_random=True),
    "AlphaDropout": LayerChoice(ALL, always(rate=[0.0, 0.0, 0.0, 0.4]), is_random=True),
    "GaussianNoise": LayerChoice(ALL, always(stddev=[0.0, 0.0, 0.0, 0.4]), is_random=True),
    "RandomFlip": LayerChoice(IMAGES, is_random=True),
    "RandomRotation": LayerChoice(IMAGES, always(factor=[0.2]), is_random=True),
    "RandomZoom": LayerChoice(IMAGES, always(height_factor=[0.2]), is_random=True),
    "RandomTranslation": LayerChoice(IMAGES, always(height_factor=[0.2], width_factor=[0.1]), is_random=True),
    "RandomContrast": LayerChoice(IMAGES, always(factor=[0.2]), is_random=True),
    "RandomBrightness": LayerChoice(IMAGES, always(factor=[0.2]), is_random=True),
    "RandomShear": LayerChoice(IMAGES, always(x_factor=[0.2]), is_random=True),
    "Solarization": LayerChoice(IMAGES, is_random=True),
    "RandomPosterization": LayerChoice(IMAGES, always(factor=[4]), is_random=True),
    "RandomInvert": LayerChoice(IMAGES, is_random=True),
    "RandomGaussianBlur": LayerChoice(IMAGES, is_random=True),
    "RandomSharpness": LayerChoice(IMAGES, always(factor=[0.7]), is_random=True),
    "RandomErasing": LayerChoice(IMAGES, is_random=True),
    "RandomPerspective": LayerChoice(IMAGES, is_random=True),
    "RandomElasticTransform": LayerChoice(IMAGES, is_random=True),
    "MixUp": LayerChoice(IMAGES, is_random=True),
    "CutMix": LayerChoice(IMAGES, is_random=True),
    "MaxNumBoundingBoxes": LayerChoice(IMAGES, always(max_number=[3])),
    "CenterCrop": LayerChoice(IMAGES, always(height=[3, 5], width=[2, 5]), FIRST),
    "Resizing": LayerChoice(
        IMAGES,
        always(height=[3, 6], width=[4, 2]),
        {"interpolation": ["nearest", "bicubic"], "crop_to_aspect_ratio": [True], **FIRST},
    ),
    **dict.fromkeys(("Add", "Multiply", "Average", "Maximum", "Minimum"), MERGE),
    "Subtract": LayerChoice(ALL, inputs=(2, 2)),
    "Concatenate": LayerChoice(ALL, optional=_softmax_axes, inputs=(2, 3)),
    "Dot": LayerChoice((1, 2), lambda row: {"axes": _axes(row)}, {"normalize": [True]}, inputs=(2, 2)),
    "Attention": LayerChoice(
        SEQUENCES, optional={"use_scale": [True], "score_mode": ["concat"], **FROZEN}, inputs=(2, 3)
    ),
    "AdditiveAttention": LayerChoice(SEQUENCES, optional={"use_scale": [False], **FROZEN}, inputs=(2, 3)),
    "MultiHeadAttention": LayerChoice(
        (2, 3),
        always(num_heads=[2, 1], key_dim=[2]),
        _attended,
        inputs=(2, 3),
    ),
    "+": LayerChoice(ALL, inputs=(2, 2)),
    "-": LayerChoice(ALL, inputs=(2, 2)),
    "*": LayerChoice(ALL, inputs=(2, 2)),
}
"""By class name; operators between placeholders by their sign. ``Embedding`` is drawn with the inputs."""

NOT_GENERATED = {
    **dict.fromkeys(("Embedding", "ReversibleEmbedding"), "is drawn with inputs of integers"),
    "InputLayer": "every model begins with one",
    **dict.fromkeys(
        ("SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"), "is called with states, and drawn within RNN"
    ),
    **dict.fromkeys(
        ("StringLookup", "IntegerLookup", "TextVectorization", "CategoryEncoding", "Hashing", "HashedCrossing"),
        "takes strings or numbers of categories; see test_text_layers.py",
    ),
    "Discretization": "has no gradient; see test_text_layers.py",
    "GroupedQueryAttention": "is MultiHeadAttention but for two projections",
    **dict.fromkeys(("Pipeline", "Sequential"), "is what a chain of calls may become"),
    "Functional": "is what a specification becomes",
    "RandomCrop": "Keras 3.15 leaves images whole at inference, against its documentation",
    "Lambda": "takes a function",
    **dict.fromkeys(("MelSpectrogram", "STFTSpectrogram"), "takes long signals; test_spectrograms.py has it"),
    **dict.fromkeys(
        (
            "AugMix",
            "RandAugment",
            "RandomColorDegeneration",
            "RandomColorJitter",
            "RandomGrayscale",
            "RandomHue",
            "RandomSaturation",
        ),
        "takes images of three channels; test_changes_as_keras.py compares it",
    ),
    **dict.fromkeys(
        ("AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization"),
        "takes values in a range; test_changes_as_keras.py compares it",
    ),
    "Equalization": "Keras's gives back the placeholder that it takes, which no model can hold",
    "FeatureSpace": "takes columns in a dict; see test_feature_space.py",
    "ConvLSTM3D": "its rows have 5 axes, as no other layer's; ConvLSTM2D has its code",
    "LocallyConnected1D": "is no layer of Keras 3",
    "LocallyConnected2D": "is no layer of Keras 3",
    "ThresholdedReLU": "is no layer of Keras 3",
}
"""Registered layers that the table does not have, and why."""
