"""Ready-made datasets, by Keras's names."""

from __future__ import annotations

from distnet.datasets import mnist as mnist
