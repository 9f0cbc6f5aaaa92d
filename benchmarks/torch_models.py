"""The workloads' models in PyTorch, as its users write them. Each gives logits: softmax is in the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as f
from workloads import CLASSES, FEED_FORWARD, HEADS, VOCABULARY, WIDTH


def mlp() -> nn.Module:
    """784-512-256-10."""
    return nn.Sequential(
        *(nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.25)),
        nn.Linear(256, CLASSES),
    )


def cnn() -> nn.Module:
    """Two convolutions, two dense layers."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()),
        *(nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, CLASSES)),
    )


def table() -> nn.Module:
    """8-12-10."""
    return nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, CLASSES))


def _convolved(channels: int, filters: int, size: int, strides: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(channels, filters, size, strides, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(filters))


class Block(nn.Module):
    """A block of a ResNet."""

    def __init__(self, channels: int, filters: int, strides: int) -> None:
        super().__init__()
        self.first, self.second = _convolved(channels, filters, 3, strides), _convolved(filters, filters, 3)
        self.beside = _convolved(channels, filters, 1, strides) if strides > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return f.relu(self.beside(x) + self.second(f.relu(self.first(x))))


def resnet() -> nn.Module:
    """ResNet-20."""
    blocks = [Block(16 if i else 16, 16, 1) for i in range(3)]
    for filters in (32, 64):
        blocks += [Block(filters // 2, filters, 2), Block(filters, filters, 1), Block(filters, filters, 1)]
    end = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES)
    return nn.Sequential(_convolved(3, 16, 3), nn.ReLU(), *blocks, *end)


class Recurrent(nn.Module):
    """An LSTM and a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.dense = nn.LSTM(64, 128, batch_first=True), nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.dense(self.lstm(x)[0][:, -1]))


class Transformer(nn.Module):
    """Two encoders."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.dense = nn.Embedding(VOCABULARY, WIDTH), nn.Linear(WIDTH, CLASSES)
        encoders = (nn.TransformerEncoderLayer(WIDTH, HEADS, FEED_FORWARD, 0, batch_first=True) for _ in range(2))
        self.encoders = nn.Sequential(*encoders)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.dense(self.encoders(self.embedding(x)).mean(1)))


MODELS: dict[str, Callable[[], nn.Module]] = {
    "mlp": mlp,
    "cnn": cnn,
    "resnet": resnet,
    "lstm": Recurrent,
    "transformer": Transformer,
    "table": table,
}


def built(name: str) -> nn.Module:
    """The model, its kernels with channels last in memory, which is faster on CPUs."""
    return MODELS[name]().to(memory_format=torch.channels_last)


def optimizer(name: str, model: nn.Module, rate: float, rho: float, epsilon: float) -> torch.optim.Optimizer:
    """A workload's optimizer."""
    if name == "rmsprop":
        return torch.optim.RMSprop(model.parameters(), rate, alpha=rho, eps=epsilon)
    return torch.optim.Adam(model.parameters(), rate, eps=epsilon)
