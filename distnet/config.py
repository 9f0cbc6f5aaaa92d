"""Keras's global settings, by Keras's names (``keras.config``)."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.arguments import POSITIVE, check_number, check_option
from distnet.errors import ArgumentError

DATA_FORMATS = ("channels_last", "channels_first")
"""Where arrays of images have their channels."""
_FLOATX = ("float32", "float64")


@dataclass
class _Settings:
    floatx: str = "float32"
    epsilon: float = 1e-7
    image_data_format: str = "channels_last"
    checks_replicas: bool = True


_settings = _Settings()


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


def image_data_format() -> str:
    """The format of layers made without one: ``"channels_last"`` unless set otherwise."""
    return _settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the format of layers made from now on.

    Args:
        data_format: ``"channels_last"``, images (N, H, W, C), or ``"channels_first"``, images (N, C, H, W).

    Raises:
        ArgumentError: any other format.
    """
    check_option("set_image_data_format", data_format, DATA_FORMATS)
    _settings.image_data_format = str(data_format)


def data_format(value: object, where: str) -> str:
    """The name of a data format as an argument gives it; None means ``image_data_format()``.

    Raises:
        ArgumentError: there is no such format.
    """
    if value is None:
        return image_data_format()
    name = value.lower() if isinstance(value, str) else value
    check_option(f"{where}: data_format", name, DATA_FORMATS)
    return str(name)
