"""Keras 2's path of Embedding: see ``distnet.layers.old_paths``."""

from __future__ import annotations

from distnet.layers.old_paths import __getattr__ as __getattr__
