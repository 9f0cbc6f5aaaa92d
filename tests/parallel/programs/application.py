"""Trains a head on MobileNetV2, frozen and not: prints losses, sums of weights, and the most rows given to a rank."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import numpy as np

import distnet
from application_cases import head_and_base, trained
from distnet import layers

ROWS, SIZE = 7, 64


def main():
    distnet.config.set_floatx("float64")
    given, turned_back = [], []
    forward, backward = layers.GlobalAveragePooling2D.forward, layers.Conv2D.backward

    def noted(self, x, ctx):
        given.append(len(x))
        return forward(self, x, ctx)

    def noted_back(self, *arguments):
        turned_back.append(self.name)
        return backward(self, *arguments)

    layers.GlobalAveragePooling2D.forward, layers.Conv2D.backward = noted, noted_back
    x = np.random.default_rng(1).uniform(-1, 1, (ROWS, SIZE, SIZE, 3))
    _, base = head_and_base(distnet, "MobileNetV2")
    results = {"rows": 0, "predicted": base().predict(x, verbose=0).sum(axis=1).tolist()}
    for how, is_frozen in (("frozen", True), ("trained", False)):
        losses, weights = trained(distnet, base, is_frozen, x)
        results[f"{how} back"] = len(turned_back)
        results[how] = [*losses, *(float(np.sum(w * w)) for w in weights)]
    results["rows"] = max(distnet.comm.world().allgather_object(max(given)))
    if distnet.distribution.is_chief():
        print(json.dumps(results))


if __name__ == "__main__":
    main()
