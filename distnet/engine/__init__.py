"""Keras 1's and 2's path of models and layers."""

from __future__ import annotations

from distnet.absent import names_elsewhere

__getattr__ = names_elsewhere(__name__, ["models", "layers", "layers.symbolic"])
