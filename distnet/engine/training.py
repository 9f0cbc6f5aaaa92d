"""Keras 2's path of ``Model``: any name of ``distnet.engine`` is found."""

from __future__ import annotations

from distnet.absent import names_elsewhere

__getattr__ = names_elsewhere(__name__, ["engine"])
