"""A layer and the rows that it takes: every registered layer has a case here, for the contract and for real Kerases."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import cases_core
import cases_images
import cases_sequences
import cases_windows
import distnet as keras
from distnet import errors, layers
from distnet.layers import Layer
from distnet.layers.preprocessing.array_layer import ArrayLayer
from layer_run import LayerRun, numbers


@dataclass(frozen=True)
class Case:
    """A layer and the rows that it takes.

    Args:
        make: the class, or a function of its options.
        rows: shape of one row of each input.
        dynamic: the same with extents known only at run time.
        options: of the constructor; functions of the dtype stand for layers within.
        is_masked: whether time steps come with a mask.
    """

    make: Callable[..., Layer]
    rows: list[tuple[int, ...]]
    dynamic: list[tuple[int | None, ...]]
    options: dict[str, object]
    is_masked: bool = False

    def layer(self, **options: object) -> Layer:
        given = {"dtype": "float64", "name": "layer", **self.options, **options}
        return self.make(**{key: value(given["dtype"]) if callable(value) else value for key, value in given.items()})

    def run(self, calls: int = 1, sum_over_ranks=None, **options: object) -> LayerRun:
        """The layer, with weights that are not what it was made with."""
        return self.run_of(self.layer(**options), calls, sum_over_ranks)

    def run_of(self, layer: Layer, calls: int = 1, sum_over_ranks=None) -> LayerRun:
        run = LayerRun(layer, one_or_list(self.rows), calls, is_masked=self.is_masked, sum_over_ranks=sum_over_ranks)
        rng = np.random.default_rng(5)
        layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
        return run

    def inputs(self, rows=3, seed=0, dtype="float64"):
        if "input_dim" in self.options:
            rng = np.random.default_rng(seed)
            return [rng.integers(0, self.options["input_dim"], (rows, *row)) for row in self.rows]
        return [numbers(rows, *row, seed=seed + i, dtype=dtype) for i, row in enumerate(self.rows)]


def one_or_list(found):
    return found[0] if len(found) == 1 else list(found)


def case(make, row, dynamic=None, **options):
    return case_of(make, row, row if dynamic is None else dynamic, options)


def case_of(make, row, dynamic, options):
    options = dict(options)
    rows, dynamic = (list(s) if isinstance(s, list) else [s] for s in (row, dynamic))
    return Case(make, rows, dynamic, options, bool(options.pop("is_masked", False)))


def chain(dtype="float64", name=None, trainable=True):
    model = keras.Sequential(in_turn(dtype), name=name)
    model.trainable = trainable
    return model


def in_turn(dtype="float64"):
    return [layers.Dense(4, "tanh", dtype=dtype), layers.Dropout(0.3, dtype=dtype), layers.Dense(2, dtype=dtype)]


def changes_of_images(dtype="float64"):
    return [layers.RandomFlip(dtype=dtype), layers.RandomContrast(0.3, dtype=dtype)]


def branches(dtype="float64", name=None, trainable=True):
    """Two inputs, two outputs, one layer called twice."""
    a, b = keras.Input((3,), dtype=dtype), keras.Input((3,), dtype=dtype)
    shared = layers.Dense(2, "tanh", dtype=dtype)
    u, v = shared(a), shared(b)
    model = keras.Model([a, b], [layers.Add(dtype=dtype)([u, v]), layers.Dropout(0.3, dtype=dtype)(v)], name=name)
    model.trainable = trainable
    return model


CASES: dict[str, list[Case]] = {
    "Activation": [case(layers.Activation, (3, 2), (None, 2), activation="tanh")],
    "Dense": [
        case(layers.Dense, (5,), units=3),
        case(layers.Dense, (2, 5), (None, 5), units=3, activation="swish", bias_initializer="random_normal"),
        case(layers.Dense, (5,), units=4, activation="softmax", use_bias=False, kernel_constraint="max_norm"),
    ],
    "EinsumDense": [
        case(layers.EinsumDense, (5,), equation="ab,bc->ac", output_shape=3, bias_axes="c", activation="softmax"),
        case(layers.EinsumDense, (3, 4), (None, 4), equation="abc,cde->abde", output_shape=(None, 2, 3), bias_axes="e"),
        case(layers.EinsumDense, (2, 3, 4), equation="abcd,dce->abe", output_shape=(2, 3), kernel_constraint="non_neg"),
        case(layers.EinsumDense, (2, 3, 4), equation="ab...,bc->ac...", output_shape=5, bias_axes="c"),
        case(layers.EinsumDense, (3, 2), equation="abc,bcd->abd", output_shape=(3, 4), bias_axes="bd"),
        case(layers.EinsumDense, (3, 2), (None, 2), equation="abc,cd->ad", output_shape=4, activation="swish"),
    ],
    "Dropout": [
        case(layers.Dropout, (4, 3), (None, 3), rate=0.4),
        case(layers.Dropout, (4, 3), (None, 3), rate=0.4, noise_shape=(None, 1, None), seed=5),
        case(layers.Dropout, (4,), rate=0.4, noise_shape=(1, None)),
        case(layers.Dropout, (4,), rate=1.0),
        case(layers.Dropout, (4,), rate=0),
    ],
    "Identity": [case(layers.Identity, (3, 2))],
    "Flatten": [case(layers.Flatten, (2, 3, 2), (None, 3, 2)), case(layers.Flatten, ())],
    "Functional": [case(branches, [(3,), (3,)])],
    "InputLayer": [case(layers.InputLayer, (3,), batch_input_shape=(None, 3))],
    "Pipeline": [
        case(layers.Pipeline, (3,), layers=in_turn),
        case(layers.Pipeline, (4, 3), layers=in_turn),
        case(layers.Pipeline, (4, 5, 2), layers=changes_of_images),
    ],
    "Reshape": [
        case(layers.Reshape, (4, 3), (None, 3), target_shape=(2, -1)),
        case(layers.Reshape, (4, 3), target_shape=(3, 2, 2)),
    ],
    "Sequential": [case(chain, (3,))],
}
for table in (cases_core, cases_images, cases_sequences, cases_windows):
    for name, row, dynamic, options in table.CASES:
        CASES.setdefault(name, []).append(case_of(layers.LAYERS.find(name), row, dynamic, options))


def simplest(kind):
    """A case of a layer that stands in no table: without options, on the first of these rows that it takes."""
    for row in ((3, 2), (4, 5, 2), (3, 4, 5, 2), (5,)):
        try:
            keras.Sequential([keras.Input(row), kind()])
        except (errors.DistnetError, TypeError):
            continue
        return [case(kind, row)]
    return []


OF_ARRAYS = {name for name, kind in layers.LAYERS.classes().items() if issubclass(kind, ArrayLayer)}
OF_ARRAYS |= {keras.utils.FeatureSpace.__name__, keras.distillation.Distiller.__name__}
"""Layers of strings and categories, which have no gradients: see ``test_text_layers``; and a model that is called as
its student is: see ``test_distiller``."""

for name, kind in layers.LAYERS.classes().items():
    if name not in CASES | dict.fromkeys(OF_ARRAYS) and kind.__module__.startswith("distnet."):
        CASES[name] = simplest(kind)
