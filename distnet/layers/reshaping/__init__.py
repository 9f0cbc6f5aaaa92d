"""Layers that change the shape: margins, repetition, another order of the entries."""

from __future__ import annotations

from distnet.absent import names_elsewhere

__getattr__ = names_elsewhere(__name__, ["layers"])
