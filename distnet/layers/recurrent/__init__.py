"""Recurrent layers, one file each; ``base`` runs any of them over time."""

from __future__ import annotations

from distnet.absent import names_elsewhere

__getattr__ = names_elsewhere(__name__, ["layers"])
