"""Pooling over sliding windows and over all places."""

from __future__ import annotations

from distnet.absent import names_elsewhere

__getattr__ = names_elsewhere(__name__, ["layers"])
