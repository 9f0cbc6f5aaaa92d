"""A contestant: ResNet50 predicts the classes of images, by distnet, Keras or PyTorch."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from measuring import take_turns

DEPTHS, WIDTHS, EXPANSION = (3, 4, 6, 3), (64, 128, 256, 512), 4
"""Of ResNet50: blocks of each stack, their filters, and the factor of their outputs."""
EPSILON = 1.001e-5
CLASSES = 1000


def by_keras(package: Any, batch: int) -> Callable[[np.ndarray], object]:
    """By ``predict`` of Keras's application, or of distnet's."""
    model = package.applications.ResNet50(weights=None)
    return lambda x: model.predict(x, batch_size=batch, verbose=0)


def by_torch(batch: int) -> Callable[[np.ndarray], object]:
    """By the same network in PyTorch, in batches."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, channels: int, filters: int, strides: int, is_first: bool) -> None:
            super().__init__()
            wide = EXPANSION * filters
            self.path = nn.Sequential(
                *unit(channels, filters, 1, strides), *unit(filters, filters, 3, 1), *unit(filters, wide, 1, 1)[:2]
            )
            self.short = nn.Sequential(*unit(channels, wide, 1, strides)[:2]) if is_first else nn.Identity()

        def forward(self, x: Any) -> Any:
            return torch.relu(self.path(x) + self.short(x))

    def unit(channels: int, filters: int, kernel: int, strides: int) -> list[Any]:
        convolution = nn.Conv2d(channels, filters, kernel, strides, kernel // 2)
        return [convolution, nn.BatchNorm2d(filters, EPSILON), nn.ReLU()]

    blocks, channels = [], WIDTHS[0]
    for stack, (filters, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True)):
        for i in range(depth):
            blocks.append(Block(channels, filters, 2 if stack and not i else 1, not i))
            channels = EXPANSION * filters
    model = nn.Sequential(
        *unit(3, WIDTHS[0], 7, 2), nn.MaxPool2d(3, 2, 1), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(channels, CLASSES), nn.Softmax(1),
    ).eval()  # fmt: skip

    def predict(x: np.ndarray) -> object:
        with torch.inference_mode():
            images = torch.from_numpy(x).permute(0, 3, 1, 2)
            return torch.cat([model(images[i : i + batch]) for i in range(0, len(x), batch)]).numpy()

    return predict


def main() -> None:
    """Predict all images in each turn."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--framework", choices=("distnet", "keras", "torch"), required=True)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    if options.framework == "torch":
        predict = by_torch(options.batch)
    else:
        package = __import__(options.framework)
        __import__(f"{options.framework}.applications")
        predict = by_keras(package, options.batch)
    x = np.random.default_rng(0).uniform(0, 255, (options.images, 224, 224, 3)).astype("float32")
    predict(x[: options.batch])

    def measure() -> dict[str, list[float]]:
        start = time.perf_counter()
        predict(x)
        return {"ms": [1000 * (time.perf_counter() - start) / options.images]}

    take_turns(measure)


if __name__ == "__main__":
    main()
