"""Ready-made datasets, by Keras's names."""

from __future__ import annotations

from distnet.datasets import boston_housing as boston_housing
from distnet.datasets import california_housing as california_housing
from distnet.datasets import cifar10 as cifar10
from distnet.datasets import cifar100 as cifar100
from distnet.datasets import fashion_mnist as fashion_mnist
from distnet.datasets import imdb as imdb
from distnet.datasets import mnist as mnist
from distnet.datasets import reuters as reuters
