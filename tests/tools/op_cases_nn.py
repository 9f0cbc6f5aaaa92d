"""Cases of functions of neural networks."""

from __future__ import annotations

import numpy as np

from op_cases import OpCase, call, numbers


def activations() -> list[OpCase]:
    """The functions of each entry, away from their kinks, and those of vectors."""
    x = numbers(4, 6)
    plain = "celu elu gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid relu relu6 selu sigmoid"
    more = "silu soft_shrink softplus softsign sparse_plus sparse_sigmoid squareplus tanh_shrink softmax log_softmax"
    once = "log_sigmoid softplus softsign"
    cases = [call(name, x).but(twice=name not in once) for name in f"{plain} {more}".split()]
    cases += [call("threshold", x, 0.3, 2.0), call("gelu", x, approximate=False), call("elu", x, alpha=0.3)]
    cases += [call("celu", x, alpha=2.5), call("leaky_relu", x, 0.05), call("squareplus", x, b=1)]
    cases += [call("softmax", x, axis=0), call("log_softmax", numbers(3, 2, 4), axis=1), call("glu", x)]
    cases += [call("softmax", numbers(3, 2, 4), axis=(1, 2)), call("glu", x, axis=0), call("sigmoid", np.float32(0.3))]
    cases += [call("sparsemax", 0.1 * x).but(in_keras=False), call("relu", x[:0]), call("softmax", x[:0])]
    return cases


def convolutions() -> list[OpCase]:
    """All ranks, paddings, strides, dilations, groups and formats."""
    sequences, images, volumes = numbers(3, 7, 4), numbers(3, 6, 7, 4), numbers(2, 4, 5, 4, 2)
    kernel, small = numbers(3, 3, 4, 2, seed=1), numbers(3, 4, 2, seed=1)
    cases = [
        call("conv", images, kernel).but(twice=True),
        call("conv", images, kernel, 2, "same"),
        call("conv", images, kernel, (1, 2), "valid"),
        call("conv", images, kernel, padding="same", dilation_rate=2),
        call("conv", images, numbers(3, 2, 2, 6, seed=1), padding="same"),
        call("conv", images, numbers(1, 1, 4, 3, seed=1)),
        call("conv", np.moveaxis(images, -1, 1), kernel, padding="same", data_format="channels_first"),
        call("conv", sequences, small, 2, "same").but(twice=True),
        call("conv", volumes, numbers(2, 3, 2, 2, 3, seed=1), padding="same").but(twice=True),
        call("depthwise_conv", images, kernel, padding="same").but(twice=True),
        call("depthwise_conv", sequences, small, 2),
        call("separable_conv", images, kernel, numbers(1, 1, 8, 3, seed=2), 2, "same"),
        call("separable_conv", sequences, small, numbers(1, 8, 3, seed=2)),
        call("conv_transpose", images, numbers(3, 3, 2, 4, seed=1), 2, "same").but(twice=True),
        call("conv_transpose", images, numbers(3, 2, 2, 4, seed=1), (2, 3)),
        call("conv_transpose", sequences, numbers(3, 2, 4, seed=1), 2, "same", output_padding=1),
        call("conv_transpose", volumes, numbers(2, 2, 2, 3, 2, seed=1), 2),
    ]
    return [case.but(tolerance=2e-5) for case in cases]


CASES = [*activations(), *convolutions()]
