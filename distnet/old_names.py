"""Arguments by the names that Keras 1 had for them: of constructors, of methods, in files.

Keras 2 still took them, with a warning; here they are translated in one place, so that programs and files agree.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar, cast

from distnet.arguments import is_integer
from distnet.errors import ArgumentError

P = ParamSpec("P")
R = TypeVar("R")

_BIAS = {"b_regularizer": "bias_regularizer", "b_constraint": "bias_constraint", "bias": "use_bias"}
_KERNEL = {
    **{"init": "kernel_initializer", "W_regularizer": "kernel_regularizer", "W_constraint": "kernel_constraint"},
    **_BIAS,
}
_PADDED = {"border_mode": "padding", "dim_ordering": "data_format"}
_CONVOLUTION = {
    **{"nb_filter": "filters", "subsample": "strides", "atrous_rate": "dilation_rate"},
    **_PADDED,
    **_KERNEL,
}
_OF_SEQUENCES = {
    **{"filter_length": "kernel_size", "subsample_length": "strides"},
    **_CONVOLUTION,
}
_SEPARABLE = {
    **_CONVOLUTION,
    **{"init": "depthwise_initializer", "W_regularizer": "depthwise_regularizer"},
    **{"W_constraint": "depthwise_constraint"},
}
_WITH_STATES = {
    **{"inner_init": "recurrent_initializer", "U_regularizer": "recurrent_regularizer"},
    **{"dropout_W": "dropout", "dropout_U": "recurrent_dropout"},
    **_KERNEL,
}
_RECURRENT = {"output_dim": "units", "consume_less": "implementation", **_WITH_STATES}
_GATED = {"inner_activation": "recurrent_activation", **_RECURRENT}
_POOLING_1D = {"pool_length": "pool_size", "stride": "strides", **_PADDED}
_FORMAT = {"dim_ordering": "data_format"}
_BATCHES = {
    **{"nb_worker": "workers", "pickle_safe": "use_multiprocessing", "max_q_size": "max_queue_size"},
}

ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "Dense": {"output_dim": "units", **_KERNEL},
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "GaussianDropout", "AlphaDropout"), {"p": "rate"}),
    **dict.fromkeys(("SpatialDropout2D", "SpatialDropout3D"), {"p": "rate", **_FORMAT}),
    "GaussianNoise": {"sigma": "stddev"},
    "PReLU": {"init": "alpha_initializer"},
    "Embedding": {
        **{"init": "embeddings_initializer", "W_regularizer": "embeddings_regularizer"},
        **{"W_constraint": "embeddings_constraint"},
    },
    "BatchNormalization": {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    **dict.fromkeys(("LSTM", "GRU"), _GATED),
    "SimpleRNN": _RECURRENT,
    "ConvLSTM2D": {"inner_activation": "recurrent_activation", **_WITH_STATES, **_CONVOLUTION},
    **dict.fromkeys(("Conv1D", "LocallyConnected1D"), _OF_SEQUENCES),
    **dict.fromkeys(("Conv2D", "Conv3D", "LocallyConnected2D"), _CONVOLUTION),
    **dict.fromkeys(("Conv2DTranspose", "Conv3DTranspose"), _CONVOLUTION),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _SEPARABLE),
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), _POOLING_1D),
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D", "MaxPooling3D", "AveragePooling3D"), _PADDED),
    **dict.fromkeys(("GlobalMaxPooling2D", "GlobalAveragePooling2D"), _FORMAT),
    **dict.fromkeys(("GlobalMaxPooling3D", "GlobalAveragePooling3D"), _FORMAT),
    "UpSampling1D": {"length": "size"},
    **dict.fromkeys(("UpSampling2D", "UpSampling3D", "ZeroPadding2D", "ZeroPadding3D"), _FORMAT),
    **dict.fromkeys(("Cropping2D", "Cropping3D"), _FORMAT),
    "Model": {"input": "inputs", "output": "outputs"},
    "InputLayer": {"input_dtype": "dtype"},
    "MaxNorm": {"m": "max_value"},
    **dict.fromkeys(("fit", "fit_generator"), {"nb_epoch": "epochs", **_BATCHES}),
    **dict.fromkeys(("evaluate_generator", "predict_generator"), _BATCHES),
    "to_categorical": {"y": "x", "nb_classes": "num_classes"},
}
"""For a class or a method: Keras 1's names of arguments -> today's."""

CLASSES: Mapping[str, str] = {
    **{"Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D"},
    **{"AtrousConvolution1D": "Conv1D", "AtrousConvolution2D": "Conv2D", "Deconvolution2D": "Conv2DTranspose"},
    **{"SeparableConvolution2D": "SeparableConv2D", "TimeDistributedDense": "Dense"},
}
"""Keras 1's names of layers -> today's."""

_VALUES: Mapping[str, Mapping[str, object]] = {
    "dim_ordering": {"tf": "channels_last", "th": "channels_first", "default": None},
    "consume_less": {"cpu": 0, "mem": 1, "gpu": 2},
}
_WITHOUT_MEANING: Mapping[str, tuple[str, ...]] = {
    "compile": ("class_mode", "sample_weight_mode"),
    **dict.fromkeys(("fit", "evaluate"), ("show_accuracy",)),
    **dict.fromkeys(("train_on_batch", "test_on_batch"), ("accuracy",)),
    **dict.fromkeys(("Conv2DTranspose", "Conv3DTranspose"), ("output_shape",)),
    "ConvLSTM2D": ("consume_less",),
}
"""Arguments without a meaning today: accuracy is asked for in ``compile``, shapes are deduced."""

_EXTENTS = (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))
_OF_SEVERAL_AXES = frozenset(kind for kind, names in ARGUMENTS.items() if "nb_filter" in names and "1D" not in kind)
_FROM_INPUT_DIM = frozenset(("Conv1D", "LocallyConnected1D", "SimpleRNN", "LSTM", "GRU", "TimeDistributedDense"))
"""Layers whose input's shape Keras 1 gave as ``input_length`` and ``input_dim``."""


def present_arguments(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a class or method, or a configuration in a file, by today's names.

    >>> present_arguments("Convolution2D", {"nb_filter": 8, "nb_row": 3, "nb_col": 5, "border_mode": "same"})
    {'filters': 8, 'padding': 'same', 'kernel_size': (3, 5)}

    Args:
        kind: the name of the class, Keras 1's or today's, or the method's; of another one nothing is changed.
        given: arguments by name, old ones and new ones.

    Raises:
        ArgumentError: the old and the new name of one argument, or an option that no longer exists.
    """
    today = CLASSES.get(kind, kind)
    names = ARGUMENTS.get(today, {})
    present: dict[str, Any] = {}
    for name, value in given.items():
        new = names.get(name, name)
        if new != name and new in given:
            raise ArgumentError(f"{kind}: received {new} and also {name}, its name in Keras 1. Give one of them.")
        present[new] = _VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value
    for name in _WITHOUT_MEANING.get(today, ()):
        present.pop(name, None)
    if today in _OF_SEVERAL_AXES:
        _join_extents(present)
    if kind in _FROM_INPUT_DIM:
        _join_input_shape(present)
    if today in _TRANSLATED:
        _TRANSLATED[today](present)
    if today in ARGUMENTS:
        present.pop("input_dtype", None)
    return present


def old_arguments(kind: str, given: Iterable[str]) -> list[str]:
    """Those of the given arguments that are Keras 1's."""
    known = _old_names(kind) | _old_names(CLASSES.get(kind, kind))
    return [name for name in given if name in known]


def translated_arguments(kind: str, given: Mapping[str, Any], stacklevel: int) -> dict[str, Any]:
    """As ``present_arguments``, with a warning that names the old ones and today's.

    Args:
        stacklevel: callers up to the user's line.
    """
    present, old = present_arguments(kind, given), old_arguments(kind, given)
    if old:
        new = ", ".join(name for name in present if name not in given)
        instead = f"Write {new} instead." if new else "Leave them out."
        warnings.warn(f"{kind}: received arguments of Keras 1: {', '.join(old)}. {instead}", stacklevel=stacklevel)
    return present


def takes_old_arguments(kind: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a method, constructor or function: it also takes Keras 1's arguments, and warns of today's names."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        names = list(inspect.signature(function).parameters)
        owners = int(names[0] == "self")
        del names[:owners]

        @functools.wraps(function)
        def translated(*args: P.args, **kwargs: P.kwargs) -> R:
            if not old_arguments(kind, kwargs):
                return function(*args, **kwargs)
            values = list(args[owners:])
            values = kernel_first(values) if kind in _OF_SEVERAL_AXES else values
            given = {**dict(zip(names, values, strict=False)), **kwargs}
            present = translated_arguments(kind, given, stacklevel=3)
            return cast("Callable[..., R]", function)(*args[:owners], *values[len(names) :], **present)

        return translated

    return decorate


def accept_old_arguments(cls: type) -> None:
    """Let the constructor of a class take Keras 1's arguments too."""
    if "__init__" in vars(cls) and _old_names(cls.__name__):
        setattr(cls, "__init__", takes_old_arguments(cls.__name__)(vars(cls)["__init__"]))  # noqa: B010


def kernel_first(values: Sequence[Any], axes: int = 2) -> list[Any]:
    """Positional arguments of a convolution in which the kernel's extents, given one by one, are one argument.

    >>> kernel_first([32, 3, 5, "same"])
    [32, (3, 5), 'same']
    """
    extents = values[1 : 1 + axes]
    if len(extents) < axes or not all(is_integer(extent) for extent in extents):
        return list(values)
    return [values[0], tuple(extents), *values[1 + axes :]]


@functools.cache
def _old_names(kind: str) -> frozenset[str]:
    names = {*ARGUMENTS.get(kind, ()), *_WITHOUT_MEANING.get(kind, ()), *_GONE.get(kind, ())}
    if kind in _OF_SEVERAL_AXES:
        names.update(name for extents in _EXTENTS for name in extents)
    if kind in _FROM_INPUT_DIM:
        names.update(("input_length", "input_dim"))
    return frozenset(names)


def _join_extents(present: dict[str, Any]) -> None:
    for first, *others in _EXTENTS:
        if others[-1] in present:
            start = present.pop(first) if first in present else present.get("kernel_size")
            present["kernel_size"] = (start, *(present.pop(name) for name in others))


def _join_input_shape(present: dict[str, Any]) -> None:
    length, width = present.pop("input_length", None), present.pop("input_dim", None)
    if width is not None and present.get("input_shape") is None and present.get("batch_input_shape") is None:
        present["input_shape"] = (length, width)


def _without_mode(present: dict[str, Any]) -> None:
    if present.pop("mode", 0) != 0:
        raise ArgumentError("BatchNormalization: modes 1 and 2 of Keras 1 do not exist. Leave mode out.")


def _forget_bias(present: dict[str, Any]) -> None:
    if "forget_bias_init" in present:
        bias = present.pop("forget_bias_init")
        if bias not in ("one", "ones", "zero", "zeros"):
            raise ArgumentError(f"forget_bias_init: expected 'one' or 'zero', received {bias!r}.")
        present["unit_forget_bias"] = bias.startswith("one")


def _without_dropout(present: dict[str, Any]) -> None:
    if present.pop("dropout", 0):
        warnings.warn(
            "Embedding: dropout is passed over, as in Keras 2. Put a SpatialDropout1D behind the Embedding.",
            stacklevel=2,
        )


def _paddings_by_side(present: dict[str, Any]) -> None:
    ends = present.get("padding")
    if isinstance(ends, Mapping):
        sides = [tuple(ends.get(f"{side}_pad", 0) for side in pair) for pair in (("top", "bottom"), ("left", "right"))]
        present["padding"] = tuple(sides)
    elif isinstance(ends, list | tuple) and len(ends) == 4:
        present["padding"] = (tuple(ends[:2]), tuple(ends[2:]))


def _paddings_by_end(present: dict[str, Any]) -> None:
    ends = present.get("padding")
    if isinstance(ends, Mapping):
        present["padding"] = tuple(ends.get(f"{end}_pad", 0) for end in ("left", "right"))


_TRANSLATED: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "BatchNormalization": _without_mode,
    **dict.fromkeys(("LSTM", "ConvLSTM2D"), _forget_bias),
    "Embedding": _without_dropout,
    "ZeroPadding1D": _paddings_by_end,
    "ZeroPadding2D": _paddings_by_side,
}
"""What else is to be done for a class, in place."""

_GONE = {
    **{"BatchNormalization": ("mode",), "Embedding": ("dropout",)},
    **dict.fromkeys(("LSTM", "ConvLSTM2D"), ("forget_bias_init",)),
}
