"""Cases of functions of neural networks."""

from __future__ import annotations

import numpy as np

from op_cases import OpCase, call, numbers


def activations() -> list[OpCase]:
    """The functions of each entry, away from their kinks, and those of vectors."""
    x = numbers(4, 6)
    plain = "celu elu gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid relu relu6 selu sigmoid"
    more = "silu soft_shrink softplus softsign sparse_plus sparse_sigmoid squareplus tanh_shrink softmax log_softmax"
    cases = [call(name, x).but(twice=True) for name in f"{plain} {more}".split()]
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


def pools() -> list[OpCase]:
    """All ranks, paddings and formats, and windows that do not fit the extent."""
    sequences, images, volumes = numbers(3, 7, 2), numbers(3, 6, 7, 2), numbers(2, 4, 5, 4, 2)
    cases = [call(name, x, 2, 2) for name in ("max_pool", "average_pool") for x in (sequences, images, volumes)]
    cases += [call(name, images, (3, 2), 1, "same") for name in ("max_pool", "average_pool")]
    cases += [
        call(name, np.moveaxis(images, -1, 1), 2, 2, "same", "channels_first") for name in ("max_pool", "average_pool")
    ]
    adaptive = ("adaptive_max_pool", "adaptive_average_pool")
    cases += [call(name, x, 3) for name in adaptive for x in (sequences, images, volumes)]
    cases += [call(name, images, (4, 2), data_format="channels_first") for name in adaptive]
    return [case.but(twice=case.name != "adaptive_max_pool") for case in cases]


def normalizations() -> list[OpCase]:
    """Statistics over rows and over other axes."""
    x, v = numbers(4, 3, 5), numbers(5, low=0.5)
    cases = [call("moments", x, axes, **options) for axes in (0, (0, 1), (1, 2), -1) for options in ({}, KEPT)]
    cases += [
        call("batch_normalization", x, v, numbers(5, low=0.5, seed=2), 2),
        call("batch_normalization", x, v, numbers(5, low=0.5, seed=2), -1, numbers(5), numbers(5, seed=3), 0.1),
        call("layer_normalization", x),
        call("layer_normalization", x, v, numbers(5, seed=3), epsilon=0.1),
        call("layer_normalization", x, axis=(1, 2)),
        call("layer_normalization", x, axis=0),
        call("rms_normalization", x),
        call("rms_normalization", x, v, axis=(1, 2), epsilon=0.1),
        call("normalize", x),
        call("normalize", x, axis=0, order=1),
        call("normalize", x, axis=1, order=3),
    ]
    return cases


def crossentropies() -> list[OpCase]:
    """Of probabilities, of logits, of class numbers."""
    shares, logits = numbers(4, 5, low=0.05, high=0.9), numbers(4, 5)
    targets, classes = numbers(4, 5, low=0.1, high=0.9, seed=1), np.array([1, 0, 4, 2])
    cases = [
        call(name, targets, output, from_logits=output is logits)
        for name in ("binary_crossentropy", "categorical_crossentropy")
        for output in (shares, logits)
    ]
    cases += [
        call("sparse_categorical_crossentropy", classes, shares),
        call("sparse_categorical_crossentropy", classes[:, None], logits, True),
        call("categorical_crossentropy", numbers(4, 5, 3, low=0.1), numbers(4, 5, 3, low=0.1, high=0.9), axis=1),
        call("psnr", shares, targets, 1.0),
    ]
    return [case.but(twice=True) for case in cases]


def sequences() -> list[OpCase]:
    """Probabilities of labels, and the likeliest ones."""
    labels, counts, steps = np.array([[1, 2, 2], [3, 1, 0], [2, 0, 0]]), np.array([3, 2, 1]), np.array([6, 4, 6])
    logits = numbers(3, 6, 4)
    cases = [call("ctc_loss", labels, logits, counts, steps)]
    cases += [call("ctc_loss", np.where(labels == 3, 0, labels), logits, counts, steps, mask_index=3)]
    cases += [call("ctc_loss", labels[:2], logits[:2], counts[:2], steps[:2]).but(twice=True)]
    cases += [call("ctc_decode", logits, steps, merge_repeated=merges) for merges in (True, False)]
    cases += [call("ctc_decode", (5 * logits).astype("int32"), steps, "beam_search", beam_width=20, top_paths=2)]
    return [case.but(spread=False) for case in cases]


def others() -> list[OpCase]:
    """Attention, and encodings of class numbers."""
    q, k, v = numbers(3, 4, 2, 3), numbers(3, 5, 2, 3, seed=1), numbers(3, 5, 2, 3, seed=2)
    allowed = np.arange(3 * 4 * 5).reshape(3, 1, 4, 5) % 3 > 0
    return [
        call("dot_product_attention", q, k, v),
        call("dot_product_attention", q, k, v, is_causal=True, scale=0.5),
        call("dot_product_attention", q, k, v, numbers(3, 2, 4, 5, seed=3), allowed),
        call("one_hot", np.array([[0, 2], [5, -1]]), 4),
        call("one_hot", np.array([1, 0]), 3, axis=0, dtype="int32"),
        call("multi_hot", np.array([[0, 2], [3, 3]]), 4),
        call("multi_hot", np.array([1, 3]), 4),
        *sequences(),
        call("in_top_k", np.array([1, 0, 2]), numbers(3, 4), 2).but(spread=False),
    ]


KEPT = {"keepdims": True}
CASES = [*activations(), *convolutions(), *pools(), *normalizations(), *crossentropies(), *others()]
