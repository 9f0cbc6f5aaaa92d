"""Keras 2's path for its TensorFlow backend; what only TensorFlow has says that it is absent."""

from __future__ import annotations

from distnet.absent import names_elsewhere

__getattr__ = names_elsewhere(__name__, ["backend"])


def _get_available_gpus() -> list[str]:
    """No GPUs: distnet computes on CPUs."""
    return []
