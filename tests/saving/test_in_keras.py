"""What distnet writes, real Keras opens, and goes on training from; and the other way round."""

import importlib.util
import json
import os
import sys

import numpy as np
import pytest

import in_keras
import keras_cases
import keras_layers
import keras_parts
from distnet import models
from distnet.layers import LAYERS
from keras_cases import one_or_list

KERAS_2 = os.environ.get("KERAS_2_PYTHON", sys.executable)
"""A Python with tf_keras, which may be another one than this."""
HAS_KERAS_2 = sys.executable != KERAS_2 or importlib.util.find_spec("tf_keras") is not None

pytestmark = pytest.mark.timeout(900)

OF_KERAS_3 = {
    "loss_CategoricalGeneralizedCrossEntropy.h5",  # Keras 3.15 does not find it in its own HDF5 files either
    "loss_Huber.back.keras",  # Keras 3.15 leaves out delta
    "optimizer_15_Lamb.h5",  # Keras 3.15 does not load its own HDF5 files with Lamb either
}
OF_KERAS_2 = {
    "graph_10_encoder_decoder.h5",  # placeholders among other arguments are in Keras 3's form there
    "graph_10_encoder_decoder.json",
    "graph_11_transformer.h5",  # MultiHeadAttention wants query_shape, which Keras 3 refuses
    "graph_11_transformer.json",
    "graph_15_operations.h5",  # operations are in Keras 3's form there
    "graph_15_operations.json",
    "optimizer_12_Nadam.k2.h5",  # tf_keras does not save its product of momenta
    "optimizer_14_Lion",  # not among the optimizers that tf_keras loads
    "optimizer_15_Lamb",
    "optimizer_17_SGD",  # it accumulates gradients, which tf_keras cannot
    "optimizer_07_Adam.h5",  # tf_keras wants is_legacy_optimizer for these, which Keras 3 refuses
    "optimizer_08_AdamW.h5",
    "optimizer_16_Adam.h5",
}
"""What the packages do not open, or not to go on from: cases, or single files of them."""


class Exchange:
    """Files in a folder, and a real Keras at work on them.

    Args:
        folder: to write to.
        cases: of ``keras_cases``.
        endings: of the files to write for each, and how many times three epochs are trained from each.
        epochs: to train before the files are written.
        without: cases and files to leave out.
    """

    def __init__(self, folder, cases, endings, epochs=0, without=()):
        self.folder, self.expected, self.log = folder, {}, folder / "log"
        listed = {}
        for case in cases:
            if case.name in without:
                continue
            most = 1 if case.fits_once_in_keras else max(endings.values())
            files = {f"{case.name}{e}": min(n, most) for e, n in endings.items() if f"{case.name}{e}" not in without}
            if epochs:
                case.fit(epochs)
            self._write_data(case)
            logs = case.model.evaluate(one_or_list(case.x), one_or_list(case.y), verbose=0, return_dict=True)
            for file in (*files, *(f"{case.name}{in_keras.WEIGHTS[e][0]}" for e in endings if e in in_keras.WEIGHTS)):
                self._write(case.model, file)
            losses = [case.fit(in_keras.EPOCHS) for _ in range(2)]
            listed[case.name] = files
            self.expected[case.name] = {"files": files, "case": case, "logs": list(logs.values()), "losses": losses}
        (folder / "cases.json").write_text(json.dumps(listed))

    def answers(self):
        assert self.process.wait() == 0, self.log.read_text()[-2000:]
        return json.loads((self.folder / f"{self.package}.json").read_text())

    def _write_data(self, case):
        arrays = {"x": case.x, "y": case.y, "p": case.predictions()}
        np.savez(
            self.folder / case.name, **{f"{k}{i}": part for k, parts in arrays.items() for i, part in enumerate(parts)}
        )

    def _write(self, model, file):
        if file.endswith(".json"):
            (self.folder / file).write_text(model.to_json())
        elif file.endswith((".weights.h5", ".legacy.h5")):
            model.save_weights(self.folder / file)
        else:
            model.save(self.folder / file, keras_optimizer=file.endswith(".k2.h5"))


def ask(start, package, python, *exchanges):
    """Let a Python with this package, in a process that ``start`` makes, do its part of these exchanges in turn."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [python, in_keras.__file__, package, *(str(exchange.folder) for exchange in exchanges)]
    with exchanges[0].log.open("w") as log:
        process = start(command, stdout=log, stderr=log, env=environment)
    for exchange in exchanges:
        exchange.package, exchange.process, exchange.log = package, process, exchanges[0].log
    return exchanges


LARGE_LOSS = 10
"""Above it 1e-5 is relative to a loss: of 20 and of 290 float32 has 2e-6 and 3e-5 at the least."""


def apart(losses, wanted):
    """How far losses are from those wanted."""
    return np.abs(np.subtract(losses, wanted)) / np.where(np.greater(wanted, LARGE_LOSS), wanted, 1)


def wrong(answer, expected, continues):
    """What is wrong with a package's answer for a file, if anything."""
    if "failed" in answer:
        return f"{answer['failed'][:400]} at {answer['at']}"
    if "errors" in answer and not max(answer["errors"]) <= 1e-6:
        return f"predictions differ by {max(answer['errors']):.1e}"
    if any(answer.get("of_weights", ())):
        return f"files of the weights alone hold others: they differ by {answer['of_weights']}"
    if "logs" in answer:
        # a metric of several values is a list, and Keras 3 sorts the keys
        found, logs = (
            sorted(np.hstack([np.ravel(log) for log in some])) for some in (answer["logs"], expected["logs"])
        )
        if len(found) != len(logs) or not np.allclose(found, logs, rtol=2e-5, atol=2e-6, equal_nan=True):
            return f"evaluated {found}, expected {logs}"
    for losses, wanted in zip(answer["losses"], expected["losses"], strict=False):
        errors = apart(losses, wanted)
        if not np.isfinite(losses).all() or (continues and not errors.max() <= 1e-5):
            return f"trained on with losses {losses}, expected {wanted}"
    return None


def assert_agrees(exchange):
    """Predictions, evaluation and, where the optimizer's state is in the file, the losses are distnet's."""
    answers, failures = exchange.answers(), {}
    assert exchange.expected
    for expected in exchange.expected.values():
        for file in expected["files"]:
            continues = file.endswith(in_keras.HAVE_STATE) and not expected["case"].trains_otherwise
            found = wrong(answers[file], expected, continues)
            if found:
                failures[file] = found
    assert not failures, json.dumps(failures, indent=1)


ASKED = {
    "graphs": (keras_cases.of_graphs, {".h5": 1, ".json": 0, ".keras": 2, ".weights.h5": 1}, 2),
    "optimizers": (keras_cases.of_optimizers, {".h5": 1, ".keras": 2}, 2),
    "layers": (keras_layers.of_layers, {".h5": 0, ".keras": 1}, 2),
    "parts": (keras_parts.of_all, {".h5": 1, ".keras": 1}, 1),
}
"""The cases, the files of each, and the epochs trained before these are written."""


@pytest.fixture(scope="session")
def exchanges(tmp_path_factory, beside, keras_3):
    """What Keras 3 is asked, all at once."""
    made = {
        name: Exchange(tmp_path_factory.mktemp(name), cases(), *rest, without=OF_KERAS_3)
        for name, (cases, *rest) in ASKED.items()
    }
    ask(beside, "keras", keras_3, made["layers"])
    ask(beside, "keras", keras_3, made["parts"], made["graphs"], made["optimizers"])
    return made


@pytest.mark.parametrize("name", ASKED)
def test_keras_3_opens_and_trains_what_distnet_wrote(exchanges, name):
    assert_agrees(exchanges[name])


@pytest.mark.starts_first
def test_every_registered_layer_is_among_the_cases(exchanges):
    in_models = [layer for expected in exchanges["layers"].expected.values() for layer in expected["case"].model.layers]
    registered = {name for name, cls in LAYERS.classes().items() if cls.__module__.startswith("distnet.")}
    left_out = keras_layers.NOT_COMPARED.keys() | keras_layers.NOT_SIDE_BY_SIDE.keys() | keras_layers.NOT_IN_KERAS_3
    assert {type(layer).__name__ for layer in in_models} == registered - left_out


@pytest.mark.parametrize("name", ASKED)
def test_distnet_goes_on_from_what_keras_3_went_on_from(exchanges, name):
    exchange, count = exchanges[name], 0
    answers = exchange.answers()
    for case, expected in exchange.expected.items():
        known = expected["case"]
        if known.fits_once_in_keras or f"{case}.back.keras" in OF_KERAS_3:
            continue
        model = models.load_model(exchange.folder / f"{case}.back.keras")
        losses = keras_cases.Case(case, model, known.x, known.y).fit(in_keras.EPOCHS)
        of_keras = answers[f"{case}.keras"]["losses"]
        if not known.trains_otherwise:
            wanted = of_keras[1] if len(of_keras) > 1 else expected["losses"][1]
            assert apart(losses, wanted).max() <= 1e-5, case
        count += 1
    assert count > 5


def test_distnet_goes_on_from_the_weights_that_keras_3_wrote(exchanges):
    exchange = exchanges["graphs"]
    exchange.answers()
    for case, expected in exchange.expected.items():
        model = models.load_model(exchange.folder / f"{case}.keras")
        model.load_weights(exchange.folder / f"{case}.back.weights.h5")
        whole = models.load_model(exchange.folder / f"{case}.back.keras")
        for a, b in zip(model.get_weights(), whole.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
        losses = keras_cases.Case(case, model, expected["case"].x, expected["case"].y).fit(in_keras.EPOCHS)
        np.testing.assert_allclose(losses, expected["losses"][1], rtol=0, atol=1e-5, err_msg=case)


@pytest.mark.skipif(not HAS_KERAS_2, reason="tf_keras is not installed, and KERAS_2_PYTHON names no Python that has it")
@pytest.mark.parametrize(
    ("cases", "endings"),
    [
        (keras_cases.of_graphs, {".h5": 1, ".json": 0, ".k2.h5": 1}),
        (keras_cases.of_optimizers, {".h5": 1, ".k2.h5": 1}),
        (keras_layers.of_keras_2, {".k2.h5": 1}),
    ],
)
def test_keras_2_opens_and_trains_what_distnet_wrote(cases, endings, tmp_path, beside):
    exchange = Exchange(tmp_path, cases(), endings, 2, without=OF_KERAS_2)
    ask(beside, "tf_keras", KERAS_2, exchange)
    assert_agrees(exchange)
