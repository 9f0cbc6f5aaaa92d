"""Keras 2's path of Add, Concatenate, add, concatenate: see ``distnet.layers.old_paths``."""

from __future__ import annotations

from distnet.layers.old_paths import __getattr__ as __getattr__
