"""Layers that normalize: over the global batch, a row, a group of channels, a vector."""

from __future__ import annotations

from distnet.absent import names_elsewhere

__getattr__ = names_elsewhere(__name__, ["layers"])
