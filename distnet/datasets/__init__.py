"""Ready-made datasets, by Keras's names. Each is imported when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distnet.late_rooms import homes, late_names

if TYPE_CHECKING:
    from distnet.datasets import boston_housing as boston_housing
    from distnet.datasets import california_housing as california_housing
    from distnet.datasets import cifar10 as cifar10
    from distnet.datasets import cifar100 as cifar100
    from distnet.datasets import fashion_mnist as fashion_mnist
    from distnet.datasets import imdb as imdb
    from distnet.datasets import mnist as mnist
    from distnet.datasets import reuters as reuters

_HOMES = homes(
    "distnet", {"datasets": "boston_housing california_housing cifar10 cifar100 fashion_mnist imdb mnist reuters"}
)
__getattr__, __dir__ = late_names(__name__, _HOMES)

__all__ = [*_HOMES]
