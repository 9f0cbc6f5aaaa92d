"""Keras 2's path of its TensorFlow backend: what is TensorFlow's says that it is not here."""

from __future__ import annotations

from distnet.absent import names_elsewhere

__getattr__ = names_elsewhere(__name__, ["backend"])


def _get_available_gpus() -> list[str]:
    """None: distnet computes on CPUs."""
    return []
