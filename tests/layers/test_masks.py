"""What becomes of a mask on its way through every layer, against real Keras 3 in a process of its own."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
import given_masks
from distnet import layers
from distnet.layers.engine.context import ForwardContext, Workspaces
from keras_layers import NOT_COMPARED
from layer_cases import CASES, one_or_list

IN_KERAS = Path(__file__).parents[1] / "tools" / "masks_in_keras.py"
"""What asks Keras, never imported here: it imports Keras."""
ROWS = 3
RANDOM = ("rate", "dropout", "recurrent_dropout", "stddev")
"""Options of layers whose training draws random numbers."""
REFUSED = (
    "Softmax",  # Keras wants a mask of the entries; here one of steps passes unheeded
    "Add 1 masked [0, 1]",  # masks of different axes
    "Maximum 0 masked [0, 1, 2]",
    "MultiHeadAttention 2 masked [0",  # the loss has more axes than the mask
    "MultiHeadAttention 4 masked",  # its scores have two axes of steps, for which masks are of no use
    "TimeDistributed 5",  # the loss has fewer axes than the mask
    "GlobalAveragePooling1D 1",  # its steps are behind the channels, of which Masking has no mask
)
"""What Keras 3 raises for."""


def numbers_with_gaps(case):
    """Inputs of a layer in which some places of the first axes hold nothing but 0."""
    rng = np.random.default_rng(0)
    arrays = []
    for x in case.inputs(ROWS):
        kept = np.asarray(rng.random(x.shape[:-1]) < 0.7)
        kept[(0,) * kept.ndim] = False
        kept[(-1,) * kept.ndim] = True
        arrays.append((x * kept[..., None]).astype(x.dtype))
    return arrays


def masked_model(case, masked):
    """The layer behind a Masking of each of these inputs."""
    inputs = [keras.Input(row, dtype="float64", name=f"x{i}") for i, row in enumerate(case.rows)]
    parts = [layers.Masking(name=f"m{i}")(x) if i in masked else x for i, x in enumerate(inputs)]
    layer = case.layer()
    called_on = parts if layer.call_arguments[0] == "query" else [one_or_list(parts)]
    return keras.Model(one_or_list(inputs), layer(*called_on))


def draws(layer):
    """Whether training the layer, or one within it, draws random numbers."""
    return any(getattr(layer, option, 0) for option in RANDOM) or any(draws(inner) for _, inner in layer.inner_layers())


def models():
    """Every case with a mask on all of its inputs, and on each of several."""
    found = {}
    for kind, cases in CASES.items():
        for number, case in enumerate(cases):
            heeds_masks = number == 0 or case.make.__name__ != kind or case.make.supports_masking
            is_masked_itself = "input_dim" in case.options or kind == "InputLayer"
            if kind.startswith("ConvLSTM"):
                continue  # Keras wants a mask of the steps, Masking makes one of the pixels
            if kind in NOT_COMPARED or kind == "SpectralNormalization":
                continue  # the latter passes on the mask of the layer within, though it says that it supports none
            if is_masked_itself or "as_in_keras_2" in case.options or not heeds_masks:
                continue
            maskable = [i for i, row in enumerate(case.rows) if row]
            if not maskable:
                continue
            choices = [maskable, *([i] for i in maskable if len(maskable) > 1)]
            for masked in choices:
                name = f"{kind} {number} masked {masked}"
                found[name] = (masked_model(case, masked), numbers_with_gaps(case))
    return {**found, **given_masks.models()}


def ours(model, x):
    """As ``answer`` of ``IN_KERAS``."""
    result = {"supports_masking": {layer.name: layer.supports_masking for layer in model.layers}}
    loss = keras.losses.MeanSquaredError()
    for training in (False, True):
        outputs, tape = model.forward_batch(x, ForwardContext(training, 0, 0, 0, ROWS, Workspaces()))
        result[training] = {
            "outputs": [y.copy() for y in outputs],
            "masks": list(tape.masks),
            "losses": [loss(np.ones(y.shape), y, mask=mask) for y, mask in zip(outputs, tape.masks, strict=True)],
        }
    return {**result, "weights": model.get_weights()}


@pytest.fixture(scope="session")
def asked(tmp_path_factory, beside, keras_3):
    """The models with their inputs, and the process that asks Keras about them, with its folder."""
    folder = tmp_path_factory.mktemp("masks")
    keras.config.set_floatx("float64")
    try:
        made = models()
    finally:
        keras.config.set_floatx("float32")
    (folder / "cases.json").write_text(json.dumps({name: model.to_json() for name, (model, _) in made.items()}))
    for number, (model, x) in enumerate(made.values()):
        arrays = {"w": model.get_weights(), "x": x}
        np.savez(folder / f"{number}.npz", **{f"{k}{i}": a for k, parts in arrays.items() for i, a in enumerate(parts)})
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    return made, beside([keras_3, str(IN_KERAS), str(folder)], env=environment), folder


@pytest.fixture
def answers(asked):
    """For each case Keras's answer, the model and its inputs."""
    made, process, folder = asked
    assert process.wait() == 0
    theirs = pickle.loads((folder / "answers.pickle").read_bytes())
    return {name: (theirs[name], *made[name]) for name in made}


@pytest.mark.starts_first
def test_every_layer_that_heeds_masks_is_among_the_models(asked):
    behind_masks = {type(model.layers[-1]).__name__ for model, _ in asked[0].values()}
    known = [cls for cls in layers.LAYERS.classes().values() if cls.__module__.startswith("distnet.")]
    heeding = {cls.__name__ for cls in known if cls.supports_masking}
    of_indices = {"Embedding", "ReversibleEmbedding"}
    assert heeding - behind_masks - NOT_COMPARED.keys() == {"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", *of_indices}


def assert_same(found, expected, what):
    assert len(found) == len(expected)
    for i, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        assert (ours is None) == (theirs is None), f"{what} {i}"
        if theirs is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5, err_msg=f"{what} {i}")


@pytest.mark.timeout(300)
def test_values_masks_and_losses_are_those_of_keras(answers):
    compared = set()
    for name, (theirs, model, x) in answers.items():
        if name.startswith(REFUSED):
            assert "ValueError" in theirs["failed"], name
            continue
        if "Unknown layer" in theirs.get("failed", ""):
            continue  # of Keras 2 alone
        assert "failed" not in theirs, f"{name}: {theirs['failed']}"
        found = ours(model, x)
        assert found["supports_masking"] == theirs["supports_masking"], name
        if False not in theirs:
            assert found[False]["masks"] == [None] * len(model.outputs), name
            continue
        is_random = draws(model.layers[-1])
        for training in (False,) if is_random else (False, True):
            for what in ("outputs", "masks", "losses"):
                assert_same(found[training][what], theirs[training][what], f"{name}, training={training}: {what}")
        if not is_random:
            assert_same(found["weights"], theirs["weights"], f"{name}: weights")
        compared.add(name if name.startswith("given") else name.split()[0])
    assert len(compared) > 30 + len(given_masks.CASES)
