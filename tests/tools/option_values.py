"""The values of options of generated layers: activations, penalties, constraints, and options that go together."""

from __future__ import annotations

from typing import Any

Options = dict[str, Any]


def make(name: str, /, **options: Any) -> Options:
    """What stands for an object in a specification."""
    return {"make": name, "with": options}


ACTIVATIONS = [
    *("tanh", "relu", "sigmoid", "softmax", "swish", "gelu", "elu", "selu", "softplus", "softsign", "exponential"),
    *(
        "linear",
        "relu6",
        "leaky_relu",
        "hard_sigmoid",
        "hard_swish",
        "mish",
        "celu",
        "glu",
        "log_softmax",
        "squareplus",
    ),
    *("sparse_plus", "hard_shrink", "soft_shrink", "tanh_shrink", "log_sigmoid", "hard_tanh"),
]
SMOOTH = ["tanh", "sigmoid", "softsign", "elu", "swish", "hard_sigmoid"]
REGULARIZERS = [
    *("l2", "l1"),
    make("regularizers.L1", l1=0.02),
    make("regularizers.L2", l2=0.03),
    make("regularizers.L1L2", l1=0.01, l2=0.02),
]
MATRIX_REGULARIZERS = [
    *REGULARIZERS,
    make("regularizers.OrthogonalRegularizer", factor=0.02),
    make("regularizers.OrthogonalRegularizer", factor=0.02, mode="columns"),
]
CONSTRAINTS = [
    *("non_neg", "unit_norm"),
    make("constraints.MaxNorm", max_value=0.7),
    make("constraints.UnitNorm", axis=0),
    make("constraints.MinMaxNorm", min_value=0.3, max_value=0.8, rate=0.5),
    make("constraints.NonNeg"),
]
BIAS = {"use_bias": [False], "bias_regularizer": REGULARIZERS, "bias_constraint": CONSTRAINTS}
KERNEL = {"kernel_regularizer": REGULARIZERS, "kernel_constraint": CONSTRAINTS}
ACTIVITY = {"activity_regularizer": REGULARIZERS[2:]}
FROZEN = {"trainable": [False]}
DENSE = {
    "activation": ACTIVATIONS,
    **{**KERNEL, "kernel_regularizer": MATRIX_REGULARIZERS},
    **BIAS,
    **ACTIVITY,
    **FROZEN,
}
CONVOLUTION = {
    "padding": ["same"],
    "data_format": ["channels_first"],
    "activation": ACTIVATIONS,
    "strides": [2],
    **KERNEL,
    **BIAS,
    **ACTIVITY,
    **FROZEN,
}
RECURRENT = {
    "return_sequences": [True],
    "go_backwards": [True],
    "activation": SMOOTH,
    "use_bias": [False],
    "kernel_regularizer": REGULARIZERS,
    "recurrent_regularizer": REGULARIZERS,
    "bias_regularizer": REGULARIZERS,
    "kernel_constraint": CONSTRAINTS,
    "recurrent_constraint": CONSTRAINTS,
    "bias_constraint": CONSTRAINTS,
    "zero_output_for_mask": [True],
    "unroll": [True],
    **ACTIVITY,
    **FROZEN,
}
GATED = {**RECURRENT, "recurrent_activation": SMOOTH}
AFFINE = {
    "epsilon": [0.01],
    "center": [False],
    "scale": [False],
    "beta_regularizer": REGULARIZERS,
    "gamma_regularizer": REGULARIZERS,
    "beta_constraint": CONSTRAINTS,
    "gamma_constraint": CONSTRAINTS,
    **FROZEN,
}
EMBEDDING = {
    "mask_zero": [True],
    "embeddings_regularizer": REGULARIZERS,
    "embeddings_constraint": CONSTRAINTS,
    **FROZEN,
}
