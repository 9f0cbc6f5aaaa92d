"""Keras's global settings, by Keras's names (``keras.config``)."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.arguments import POSITIVE, check_number
from distnet.errors import ArgumentError

_FLOATX = ("float32", "float64")


@dataclass
class _Settings:
    floatx: str = "float32"
    epsilon: float = 1e-7
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
    """``"channels_last"``: arrays of images are (N, H, W, C) throughout distnet."""
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Accept ``"channels_last"``, the only format distnet computes in.

    Raises:
        ArgumentError: any other format.
    """
    if data_format != "channels_last":
        raise ArgumentError(
            f"set_image_data_format: distnet computes in 'channels_last' only, received {data_format!r}. "
            "Move the channel axis to the end with numpy.moveaxis(x, 1, -1)."
        )
