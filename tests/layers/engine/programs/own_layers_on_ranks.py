"""Trains every model of ``own_layers`` in float64; rank 0 writes losses, predictions and weights."""

import pickle
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))

import distnet as keras
from distnet import distribution
from own_layers import layers_of, models_of, trained

if __name__ == "__main__":
    keras.config.set_floatx("float64")
    results = {}
    for name, (make, x) in models_of(keras, layers_of(keras)).items():
        model, losses, y = trained(keras, make, x, 5)
        results[name] = losses, y, model.get_weights()
    if distribution.rank() == 0:
        Path(sys.argv[1]).write_bytes(pickle.dumps(results))
