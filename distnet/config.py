"""Keras's global settings, by Keras's names (``keras.config``)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from distnet.arguments import POSITIVE, check_integer, check_number, check_option
from distnet.errors import AbsentError, ArgumentError

DATA_FORMATS = ("channels_last", "channels_first")
"""Where arrays of images have their channels."""
_FLOATX = ("float32", "float64")


@dataclass
class _Settings:
    floatx: str = "float32"
    epsilon: float = 1e-7
    image_data_format: str = "channels_last"
    checks_replicas: bool = True
    is_interactive: bool = True
    filters_tracebacks: bool = True
    uses_flash_attention: bool | None = None
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None
    clips_crossentropy: bool = False
    runs_code: bool = False


_settings = _Settings()
_OF_ONE_RANK = ("is_interactive", "filters_tracebacks", "runs_code")
"""Settings that change no number."""


def compared() -> dict[str, Any]:
    """The settings that decide what is computed, which must be the same on every rank, by name."""
    return {name: value for name, value in vars(_settings).items() if name not in _OF_ONE_RANK}


def floatx() -> str:
    """Name of the dtype that new models compute in: ``"float32"`` unless set otherwise."""
    return _settings.floatx


def set_floatx(value: str) -> None:
    """Set the dtype of models built from now on.

    Args:
        value: ``"float32"`` or ``"float64"``.

    Raises:
        ArgumentError: any other dtype; NumPy computes half precision too slowly to train in.
    """
    if value not in _FLOATX:
        raise ArgumentError(f"set_floatx: expected one of {_FLOATX}, received {value!r}.")
    _settings.floatx = value


def epsilon() -> float:
    """The fuzz factor of losses, constraints and metrics: 1e-7 unless set otherwise."""
    return _settings.epsilon


def set_epsilon(value: float) -> None:
    """Set the fuzz factor of losses, constraints and metrics.

    Raises:
        ArgumentError: the value is not a positive number.
    """
    _settings.epsilon = check_number("set_epsilon", value, POSITIVE)


def checks_replicas() -> bool:
    """Whether training compares the ranks' weights after every epoch: yes unless set otherwise."""
    return _settings.checks_replicas


def set_check_replicas(value: bool) -> None:
    """Set whether training compares the ranks' weights, bit for bit, after every epoch.

    It takes about a millisecond for each megabyte of weights.
    """
    _settings.checks_replicas = bool(value)


def clips_crossentropy() -> bool:
    """Whether crossentropy after a sigmoid or softmax uses clipped probabilities: no unless set otherwise."""
    return _settings.clips_crossentropy


def set_clip_crossentropy(value: bool) -> None:
    """Set how training and evaluation compute the crossentropy of a sigmoid's or softmax's output.

    By default they compute it from the logits, as TensorFlow's Keras does: a confidently wrong output keeps its full
    gradient. Keras 3 on JAX and PyTorch, and Keras before TensorFlow's, compute it from probabilities clipped to
    [epsilon, 1 - epsilon]: such an output then has a loss of at most 16.1, and gradient 0. Others agree to rounding.
    """
    _settings.clips_crossentropy = bool(value)


def image_data_format() -> str:
    """The data format of layers created without one: ``"channels_last"`` unless set otherwise."""
    return _settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the data format of layers created from now on.

    Args:
        data_format: ``"channels_last"``, images (N, H, W, C), or ``"channels_first"``, images (N, C, H, W).

    Raises:
        ArgumentError: any other format.
    """
    check_option("set_image_data_format", data_format, DATA_FORMATS)
    _settings.image_data_format = str(data_format)


def data_format(value: object, where: str) -> str:
    """The name of a data format passed as an argument; None means ``image_data_format()``.

    Raises:
        ArgumentError: there is no such format.
    """
    if value is None:
        return image_data_format()
    name = value.lower() if isinstance(value, str) else value
    check_option(f"{where}: data_format", name if name in DATA_FORMATS else value, DATA_FORMATS)
    return str(name)


def backend() -> str:
    """``"numpy"``, which does the computing."""
    return "numpy"


def set_backend(backend: str) -> None:
    """Accept ``"numpy"``, the only backend.

    Raises:
        AbsentError: ``backend`` is another one.
    """
    if backend != "numpy":
        raise AbsentError(f"set_backend: distnet computes with NumPy alone, received {backend!r}. Leave it out.")


def dtype_policy() -> str:
    """Name of the dtype in which new models compute: ``floatx``.

    Source: ``keras.config.dtype_policy``, whose result prints so.
    """
    return floatx()


def set_dtype_policy(policy: Any) -> None:
    """Set the dtype of models built from now on: ``set_floatx`` by another name.

    Raises:
        AbsentError: mixed or half precision, which NumPy computes too slowly to train in.
    """
    name = getattr(policy, "name", policy)
    if name not in _FLOATX:
        raise AbsentError(
            f"set_dtype_policy: expected one of {_FLOATX}, received {name!r}. There is no mixed precision."
        )
    set_floatx(str(name))


def enable_interactive_logging() -> None:
    """Write progress and summaries to standard output; the default."""
    _settings.is_interactive = True


def disable_interactive_logging() -> None:
    """Write progress and summaries to the logger ``distnet`` instead of standard output."""
    _settings.is_interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress and summaries go to standard output."""
    return _settings.is_interactive


def enable_traceback_filtering() -> None:
    """Ignored; tracebacks are always short."""
    _settings.filters_tracebacks = True


def disable_traceback_filtering() -> None:
    """Ignored; tracebacks are always complete."""
    _settings.filters_tracebacks = False


def is_traceback_filtering_enabled() -> bool:
    """What was set last; it has no effect."""
    return _settings.filters_tracebacks


def enable_unsafe_deserialization() -> None:
    """Run the code of ``Lambda`` layers in files that are loaded from now on; only for files that you trust."""
    _settings.runs_code = True


def runs_code() -> bool:
    """Whether the code of ``Lambda`` layers in files is run without ``safe_mode=False``."""
    return _settings.runs_code


def enable_flash_attention() -> None:
    """Ignored: attention is always computed exactly."""
    _settings.uses_flash_attention = True


def disable_flash_attention() -> None:
    """Ignored: attention is always computed exactly."""
    _settings.uses_flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """What was set last, or None; it has no effect."""
    return _settings.uses_flash_attention


def is_nnx_enabled() -> bool:
    """False: NNX is a JAX interface."""
    return False


def max_epochs() -> int | None:
    """The most epochs that ``fit`` trains; None for no limit."""
    return _limit(_settings.max_epochs, "KERAS_MAX_EPOCHS")


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of every ``fit``, for a short trial of a script; None for no limit.

    The environment variable ``KERAS_MAX_EPOCHS`` does the same.
    """
    _settings.max_epochs = None if max_epochs is None else check_integer("set_max_epochs", max_epochs, 1)


def max_steps_per_epoch() -> int | None:
    """The most steps that an epoch, an evaluation or a prediction takes; None for no limit."""
    return _limit(_settings.max_steps_per_epoch, "KERAS_MAX_STEPS_PER_EPOCH")


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the steps of every epoch, evaluation and prediction, for a short trial of a script; None for no limit.

    The environment variable ``KERAS_MAX_STEPS_PER_EPOCH`` does the same. If no ``batch_size`` is given, all rows are
    spread over this many batches, as with ``steps_per_epoch``.
    """
    limit = max_steps_per_epoch
    _settings.max_steps_per_epoch = None if limit is None else check_integer("set_max_steps_per_epoch", limit, 1)


def _limit(value: int | None, variable: str) -> int | None:
    text = os.environ.get(variable, "")
    return int(text) if value is None and text.isdecimal() and int(text) > 0 else value
