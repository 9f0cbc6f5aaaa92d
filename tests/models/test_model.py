import inspect
import json
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers, naming
from distnet.models import Sequential

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "models.json").read_text())


@pytest.fixture
def model():
    naming.reset()
    model = Sequential(
        [
            layers.Dense(512, activation="relu", input_dim=784, trainable=False),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax", name="a_name_longer_than_its_column"),
        ]
    )
    model.compile("sgd", "categorical_crossentropy", ["acc"])
    return model


SUMMARY = """\
Model: "sequential"
_________________________________________________________________
Layer (type)                 Output Shape              Param #
=================================================================
dense (Dense)                (None, 512)               401920
_________________________________________________________________
dropout (Dropout)            (None, 512)               0
_________________________________________________________________
a_name_longer_than_its_colu  (None, 10)                5130
mn (Dense)
=================================================================
Total params: 407,050
Trainable params: 5,130
Non-trainable params: 401,920
_________________________________________________________________
"""


def test_the_summary_is_keras_classic_table(model, capsys):
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert [line.rstrip() for line in lines] == SUMMARY.splitlines()
    assert {len(line) for line in lines[1:10]} == {65}


def test_the_summary_takes_another_width_and_printer(model):
    lines = []
    model.summary(line_length=80, positions=[0.5, 0.8, 1.0], print_fn=lines.append)
    assert lines[1] == "_" * 80
    assert lines[4].split() == ["dense", "(Dense)", "(None,", "512)", "401920"]
    assert lines[4].index("(None") == 40


def test_weights_are_copies_in_the_order_of_the_layers(model):
    weights = model.get_weights()
    assert [w.shape for w in weights] == [(784, 512), (512,), (512, 10), (10,)]
    weights[0][...] = 7
    assert not np.array_equal(model.get_weights()[0], weights[0])
    assert [v.path for v in model.weights][:2] == ["sequential/dense/kernel", "sequential/dense/bias"]
    assert [v.local_path for v in model.weights][:2] == ["dense/kernel", "dense/bias"]


def test_wrong_weights_are_refused_whole(model):
    before = model.get_weights()
    with pytest.raises(errors.ShapeError, match="expected 4 arrays, received 3"):
        model.set_weights(before[:3])
    with pytest.raises(errors.ShapeError, match=r"kernel: expected a value of shape \(512, 10\), received \(10, 512\)"):
        model.set_weights([before[0] + 1, before[1], before[2].T, before[3]])
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


@pytest.mark.parametrize("method", ["compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch"])
def test_methods_take_keras_arguments_with_keras_defaults(method):
    parameters = inspect.signature(getattr(Sequential, method)).parameters
    found = {name: p.default for name, p in parameters.items() if name != "self" and p.default is not p.empty}
    expected = GOLDEN["signatures"][method]
    assert {name: found.get(name, "absent") for name in expected} == expected


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "train_on_batch"])
def test_arguments_by_position_come_in_keras_order(method):
    expected = list(GOLDEN["signatures"][method])
    assert [name for name in inspect.signature(getattr(Sequential, method)).parameters if name in expected] == expected


def test_its_json_is_keras_2_dialect_with_the_key_that_keras_3_wants(model):
    found = json.loads(model.to_json(indent=1))
    assert {key: found[key] for key in ("module", "class_name", "registered_name")} == {
        "module": "keras",
        "class_name": "Sequential",
        "registered_name": None,
    }
    assert found["config"]["name"] == "sequential"
    entry, dense, dropout, _ = found["config"]["layers"]
    assert set(entry["config"]) == {"batch_input_shape", "dtype", "sparse", "ragged", "name"}
    assert entry["config"]["batch_input_shape"] == [None, 784]
    assert dense["config"]["trainable"] is False
    assert dense["config"]["kernel_initializer"] == {"class_name": "GlorotUniform", "config": {"seed": None}}
    assert dropout == {
        "class_name": "Dropout",
        "config": dropout["config"] | {"rate": 0.5, "noise_shape": None, "seed": None},
    }


@pytest.mark.parametrize("name", sorted(GOLDEN["json"]))
def test_models_that_keras_wrote_as_json_are_read(name):
    case = GOLDEN["json"][name]
    text = json.loads(case["text"])
    model = layers.LAYERS.get({"class_name": text["class_name"], "config": text["config"]})
    assert [list(w.shape) for w in model.get_weights()] == case["shapes"]
    model.set_weights([np.asarray(w).reshape(s) for w, s in zip(case["weights"], case["shapes"], strict=True)])
    found = model.predict(np.asarray(case["x"]), verbose=0)
    np.testing.assert_allclose(found, case["y"], rtol=1e-5, atol=1e-6)


def test_its_json_has_the_keys_that_keras_wrote_and_read_back():
    """Keras itself read the text in golden/models.json; what is written today must still be that text."""
    naming.reset()
    assert json.loads(example_for_keras().to_json()) == json.loads(GOLDEN["read_by_keras"])


def example_for_keras():
    import model_cases

    return model_cases.every_layer(keras)


def test_metrics_names_are_the_keys_of_evaluate(model):
    assert model.metrics_names == ["loss", "acc"]
    assert Sequential([layers.Dense(1)]).metrics_names == ["loss"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda m: m.fit(np.zeros((2, 784)), np.zeros((2, 10))),
        lambda m: m.evaluate(np.zeros((2, 784)), np.zeros((2, 10))),
        lambda m: m.train_on_batch(np.zeros((2, 784)), np.zeros((2, 10))),
        lambda m: m.test_on_batch(np.zeros((2, 784)), np.zeros((2, 10))),
    ],
)
def test_training_needs_compile(ask):
    with pytest.raises(errors.NotCompiledError, match=r"call compile\(\)"):
        ask(Sequential([layers.Input(shape=(784,)), layers.Dense(10)]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adm"}, "unknown optimizer 'adm'. Did you mean .*'Adam'"),
        ({"loss": "categorical_crosentropy"}, "unknown loss 'categorical_crosentropy'. Did you mean"),
        ({"metrics": ["acuracy"]}, "unknown metric 'acuracy'. Did you mean"),
        ({"loss": {"head": {"tail": "mse"}}}, r"expected one loss for each of the outputs \['head'\], received 1"),
        ({"loss": {"tail": "mse"}}, r"expected a loss for outputs among \['head'\], received one for \['tail'\]"),
        ({"loss_weights": "a"}, "expected loss_weights to be numbers, received 'a'"),
        ({"loss_weights": [1, 2]}, "expected one loss weight for each of the outputs"),
        ({"metrics": {"tail": "mse"}}, r"expected a list of metrics for outputs among \['head'\], received one for"),
    ],
)
def test_compile_names_what_it_does_not_know(options, message):
    with pytest.raises(errors.ArgumentError, match=message):
        Sequential([layers.Dense(1, input_shape=(3,), name="head")]).compile(**options)


def test_a_model_compiled_without_a_loss_only_predicts():
    model = Sequential([layers.Input(shape=(2,)), layers.Dense(1)])
    model.compile("sgd")
    assert model.predict(np.zeros((3, 2)), verbose=0).shape == (3, 1)
    with pytest.raises(errors.ArgumentError, match="without a loss"):
        model.fit(np.zeros((3, 2)), np.zeros((3, 1)))
