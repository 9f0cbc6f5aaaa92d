"""Keras's path of ``get_test_data``: any name of ``distnet.utils`` is found."""

from __future__ import annotations

from distnet.absent import names_elsewhere

__getattr__ = names_elsewhere(__name__, ["utils"])
