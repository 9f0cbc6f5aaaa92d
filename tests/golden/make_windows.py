"""Write convolutions, poolings, formats and conv_lstm.npz: what Keras on JAX computes for layers whose windows slide.

Run with Keras 3.15 and JAX installed: ``python make_windows.py``. Case i is called on ``x <shape> <kind>`` with weights
``w <shape>``; ``y i``, ``dx i``, ``dw i k`` are its output and the gradients of the sum of y times cos(0), cos(1) ...
"""

import itertools
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import keras
import numpy as np

import packed

keras.config.set_floatx("float64")

SLIDES = [(1, 1), (2, 1), (3, 1), (1, 2)]
"""Strides and dilation; Keras has no layer with both above 1."""


def convolutions():
    for (strides, dilation), padding, groups in itertools.product(SLIDES, ("valid", "same"), (1, 2)):
        options = {"strides": strides, "dilation_rate": dilation, "padding": padding, "groups": groups}
        yield "Conv2D", (6, 5, 2), {"filters": 4, "kernel_size": (3, 2), **options}
    for (strides, dilation), padding in itertools.product(SLIDES, ("valid", "same", "causal")):
        options = {"strides": strides, "dilation_rate": dilation, "padding": padding}
        yield "Conv1D", (7, 2), {"filters": 3, "kernel_size": 3, **options}
        if padding != "causal":
            yield "DepthwiseConv1D", (7, 2), {"kernel_size": 3, "depth_multiplier": 2, **options}
            yield "SeparableConv1D", (7, 2), {"filters": 3, "kernel_size": 2, **options}
            yield "DepthwiseConv2D", (5, 6, 2), {"kernel_size": 3, **options}
            yield "SeparableConv2D", (5, 6, 2), {"filters": 3, "kernel_size": 3, "depth_multiplier": 2, **options}
            yield "Conv1DTranspose", (5, 2), {"filters": 3, "kernel_size": 3, **options}
            yield "Conv2DTranspose", (3, 4, 2), {"filters": 3, "kernel_size": (3, 2), **options}
    yield "Conv2D", (6, 5, 2), {"filters": 3, "kernel_size": 1, "activation": "relu"}
    yield "Conv2D", (6, 5, 2), {"filters": 3, "kernel_size": 1, "strides": 2, "activation": "elu", "use_bias": False}
    yield "Conv2D", (7, 7, 2), {"filters": 2, "kernel_size": (4, 7), "strides": (1, 2), "padding": "same"}
    yield "Conv1D", (6, 4), {"filters": 6, "kernel_size": 2, "groups": 2, "padding": "causal", "activation": "swish"}
    yield "DepthwiseConv2D", (5, 6, 2), {"kernel_size": 2, "depth_multiplier": 3, "activation": "relu"}
    yield "SeparableConv2D", (5, 6, 2), {"filters": 3, "kernel_size": 2, "activation": "sigmoid", "use_bias": False}
    for padding, strides, kernel in itertools.product(("valid", "same"), (2, 3), (2, 5)):
        options = {"padding": padding, "strides": strides, "kernel_size": kernel, "output_padding": strides - 1}
        yield "Conv2DTranspose", (3, 2, 2), {"filters": 2, **options}
        yield "Conv1DTranspose", (4, 2), {"filters": 2, **options, "output_padding": None, "activation": "relu"}


def poolings():
    for name, padding, (pool, strides) in itertools.product(
        ("MaxPooling", "AveragePooling"), ("valid", "same"), ((2, None), (3, 2), (2, 3), (3, 1))
    ):
        options = {"pool_size": pool, "strides": strides, "padding": padding}
        yield f"{name}1D", (7, 3), options
        yield f"{name}2D", (7, 6, 2), options
        yield f"{name}2D", (6, 7, 1), {**options, "pool_size": (pool, 2)}
    for name, keepdims in itertools.product(("GlobalMaxPooling", "GlobalAveragePooling"), (False, True)):
        yield f"{name}1D", (7, 3), {"keepdims": keepdims}
        yield f"{name}2D", (7, 6, 2), {"keepdims": keepdims}
    for margin in (0, 2, (1, 3)):
        yield "ZeroPadding1D", (7, 3), {"padding": margin}
        yield "ZeroPadding2D", (5, 6, 2), {"padding": margin}
        yield "Cropping1D", (7, 3), {"cropping": margin}
        yield "Cropping2D", (7, 8, 1), {"cropping": margin if margin != (1, 3) else ((1, 0), (2, 3))}
    yield "ZeroPadding2D", (5, 6, 2), {"padding": ((1, 0), (2, 3))}
    yield "UpSampling1D", (5, 2), {"size": 3}
    for size, interpolation in itertools.product((1, 2, (2, 3)), ("nearest", "bilinear")):
        yield "UpSampling2D", (3, 4, 2), {"size": size, "interpolation": interpolation}


def volumes():
    for (strides, dilation), padding in itertools.product(SLIDES, ("valid", "same")):
        options = {"strides": strides, "dilation_rate": dilation, "padding": padding}
        yield "Conv3D", (4, 5, 6, 2), {"filters": 2, "kernel_size": (2, 3, 2), **options}
        yield "Conv3DTranspose", (2, 3, 2, 2), {"filters": 2, "kernel_size": (3, 2, 1), **options}
    yield "Conv3D", (4, 5, 6, 4), {"filters": 4, "kernel_size": 2, "groups": 2, "activation": "relu"}
    for name, padding, (pool, strides) in itertools.product(
        ("MaxPooling3D", "AveragePooling3D"), ("valid", "same"), ((2, None), ((1, 3, 2), 2), (2, 3))
    ):
        yield name, (4, 5, 6, 2), {"pool_size": pool, "strides": strides, "padding": padding}
    for name, keepdims in itertools.product(("GlobalMaxPooling3D", "GlobalAveragePooling3D"), (False, True)):
        yield name, (2, 3, 4, 2), {"keepdims": keepdims}
    for margin in (1, (0, 1, 2), ((1, 0), (2, 1), (0, 1))):
        yield "ZeroPadding3D", (2, 1, 3, 2), {"padding": margin}
        yield "Cropping3D", (4, 5, 6, 2), {"cropping": margin}
    yield "UpSampling3D", (2, 1, 3, 2), {"size": (2, 3, 1)}


def channels_first():
    """Layers that Keras on JAX computes with the channels first, on a CPU too."""
    for name, row in (("1D", (2, 7)), ("2D", (2, 6, 5)), ("3D", (2, 4, 5, 3))):
        for padding, strides in itertools.product(("valid", "same"), (1, 2)):
            options = {"kernel_size": 3, "padding": padding, "strides": strides}
            yield f"Conv{name}", row, {"filters": 3, **options}
            yield f"Conv{name}Transpose", row, {"filters": 3, **options}
            if name != "3D":
                yield f"DepthwiseConv{name}", row, {"depth_multiplier": 2, **options}
                yield f"SeparableConv{name}", row, {"filters": 3, **options}
            options = {"pool_size": 3, "padding": padding, "strides": strides}
            yield f"MaxPooling{name}", row, options
            yield f"AveragePooling{name}", row, options
        for activation in ("softmax", "relu", "elu", "gelu"):
            yield f"Conv{name}", row, {"filters": 4, "kernel_size": 2, "activation": activation}
        for keepdims in (False, True):
            yield f"GlobalMaxPooling{name}", row, {"keepdims": keepdims}
            yield f"GlobalAveragePooling{name}", row, {"keepdims": keepdims}
        yield f"ZeroPadding{name}", row, {"padding": 1 if name == "1D" else ((1, 0), (2, 1), (0, 3))[: len(row) - 1]}
        yield "Flatten", row, {}
    yield "Conv2D", (4, 6, 5), {"filters": 6, "kernel_size": 2, "groups": 2, "dilation_rate": 2}
    yield "Cropping2D", (2, 6, 5), {"cropping": ((1, 0), (2, 1))}
    yield "Cropping3D", (2, 4, 5, 3), {"cropping": ((1, 0), (2, 1), (0, 1))}
    yield "UpSampling2D", (2, 3, 4), {"size": (2, 3)}
    yield "UpSampling2D", (2, 3, 4), {"size": 2, "interpolation": "bilinear"}
    yield "UpSampling3D", (2, 2, 3, 2), {"size": (1, 2, 3)}


def formats():
    yield from volumes()
    for name, row, options in channels_first():
        yield name, row, {**options, "data_format": "channels_first"}


def conv_lstm():
    """Convolutional LSTM, and normalizations."""
    for padding, strides, dilation in (("valid", 1, 1), ("same", 2, 1), ("valid", 1, 2)):
        options = {"filters": 2, "kernel_size": 3, "padding": padding, "strides": strides, "dilation_rate": dilation}
        yield "ConvLSTM1D", (4, 7, 2), {**options, "return_sequences": padding == "same"}
        yield "ConvLSTM2D", (3, 6, 5, 2), {**options, "kernel_size": 2, "go_backwards": strides == 2}
    yield "ConvLSTM1D", (4, 2, 5), {"filters": 3, "kernel_size": 2, "data_format": "channels_first"}
    yield "ConvLSTM2D", (3, 2, 4, 5), {
        "filters": 3, "kernel_size": (2, 3), "data_format": "channels_first", "return_sequences": True
    }  # fmt: skip
    yield "ConvLSTM2D", (3, 4, 5, 1), {"filters": 2, "kernel_size": 2, "use_bias": False, "activation": "relu"}
    yield "ConvLSTM3D", (2, 3, 2, 3, 2), {"filters": 2, "kernel_size": 2, "padding": "same"}
    yield "RMSNormalization", (3, 4), {}
    yield "RMSNormalization", (3, 4), {"axis": (-1, -2), "epsilon": 0.1}
    for invert in (False, True):
        yield (
            "Normalization",
            (3, 4),
            {"mean": (1.0, 2.0, 0.0, 3.0), "variance": (1.0, 0.5, 0.0, 2.0), "invert": invert},
        )
        yield "Normalization", (3, 4), {"axis": (-1, 1), "mean": (1.0, 2.0, 0.0, 3.0), "variance": (1.0, 0.5, 0.1, 2.0)}
    yield "Normalization", (3, 4), {"axis": None, "mean": 1.5, "variance": 4.0}


def sample(shape, kind):
    """Numbers of which no two are equal, or (kind "ties") few of which are not."""
    x = np.random.default_rng(sum(shape)).standard_normal(shape)
    return np.round(x) if kind == "ties" else x


def run(name, shape, options, kind, arrays):
    """Output and gradients; the input and the weights go into ``arrays``."""
    layer = getattr(keras.layers, name)(**options)
    layer.build((None, *shape))
    x = arrays.setdefault(f"x {list(shape)} {kind}", sample((2, *shape), kind))
    weights = [arrays.setdefault(f"w {list(w.shape)}", sample(w.shape, "free")) for w in layer.weights]
    y, backward = jax.vjp(
        lambda x, weights: layer.stateless_call(weights, layer.non_trainable_variables, x)[0], x, weights
    )
    dx, dws = backward(np.cos(np.arange(y.size)).reshape(y.shape))
    return layer, y, dx, dws


def write(file, specifications):
    arrays, cases = {}, []
    for name, shape, options in specifications:
        for kind in ("free", "ties") if "MaxPooling" in name else ("free",):
            layer, y, dx, dws = run(name, shape, options, kind, arrays)
            i = len(cases)
            arrays |= {f"y {i}": y, f"dx {i}": dx, **{f"dw {i} {k}": dw for k, dw in enumerate(dws)}}
            paths = [w.path.rpartition("/")[2] for w in layer.weights]
            serialized = keras.layers.serialize(layer)
            cases.append(
                {"name": name, "shape": shape, "options": options, "kind": kind, "weights": paths, "keras": serialized}
            )
    packed.save(Path(__file__).with_name(file), arrays, cases)


if __name__ == "__main__":
    write("convolutions.npz", convolutions())
    write("poolings.npz", poolings())
    write("formats.npz", formats())
    write("conv_lstm.npz", conv_lstm())
