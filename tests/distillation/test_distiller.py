"""Students learn from their teachers what Keras's learn; its files load, and ours come back."""

import json
from pathlib import Path

import numpy as np
import pytest

import distillation_cases as cases
import distnet as keras
from distnet import distillation, losses, ops
from distnet.distillation import Distiller, FeatureDistillation, LogitsDistillation

GOLDEN = Path(__file__).parents[1] / "golden" / "distillation.json"
NEAR = {"rtol": 2e-6, "atol": 1e-7}
"""Keras's metrics are of float32, and so is something that its models compute on JAX."""
OF_KERAS = json.loads(GOLDEN.read_text(encoding="utf-8"))["results"]


@pytest.fixture(scope="module", autouse=True)
def float64():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("distillers")


@pytest.fixture(scope="module")
def learned(folder, float64):
    return cases.results(keras, folder)


@pytest.mark.parametrize("name", OF_KERAS)
def test_a_student_learns_what_keras_teaches_it(name, learned):
    assert learned[name].keys() == OF_KERAS[name].keys()
    for key, value in OF_KERAS[name].items():
        np.testing.assert_allclose(learned[name][key], value, **NEAR, err_msg=key)


@pytest.mark.filterwarnings("ignore:.*left uncompiled")
@pytest.mark.parametrize("name", OF_KERAS)
def test_files_load(name, folder, learned, tmp_path):
    paths = [folder / f"{name}.keras"]
    with np.load(GOLDEN.with_suffix(".npz")) as files:
        if name in files:
            paths.append(tmp_path / "of_keras.keras")
            paths[-1].write_bytes(files[name].tobytes())
    for path in paths:
        loaded = keras.models.load_model(path)
        assert isinstance(loaded, Distiller)
        assert not loaded.teacher.trainable_weights
        np.testing.assert_allclose(loaded.predict(cases.X, verbose=0), learned[name]["predicted"], **NEAR)
        loaded.compile("sgd", "mse")
        assert loaded.evaluate(cases.X, np.eye(3)[cases.LABELS], verbose=0, return_dict=True).keys() >= {"total_loss"}
        assert loaded.get_config()["distillation_losses"] == cases.distiller(keras, name).get_config()[
            "distillation_losses"
        ]  # fmt: skip


BOTH = ("distillation_loss", "total_loss")


class SquaredApart(distillation.DistillationLoss):
    """A loss of a user's own."""

    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        return ops.mean(ops.square(teacher_outputs - student_outputs))


class OfRows(distillation.DistillationLoss):
    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        return ops.mean(ops.square(teacher_outputs - student_outputs), axis=-1)


def two_outputs(units):
    x = keras.Input((4,))
    hidden = keras.layers.Dense(units)(x)
    return keras.Model(x, [keras.layers.Dense(3)(hidden), keras.layers.Dense(2)(hidden)])


def test_several_outputs_and_a_loss_of_ones_own():
    y = [np.eye(3)[cases.LABELS], cases.X[:, :2]]
    for loss in (LogitsDistillation(loss=["mse", None]), FeatureDistillation([None, "mse"])):
        model = Distiller(two_outputs(8), two_outputs(3), [loss])
        model.compile("sgd", loss=["mse", "mae"])
        history = model.fit(cases.X, y, batch_size=8, epochs=3, verbose=0).history
        assert history["total_loss"][-1] < history["total_loss"][0]
        again = type(loss).from_config(json.loads(json.dumps(loss.get_config())))
        assert again.get_config() == loss.get_config()
    teacher, student = cases.network(keras, 8, 1), cases.network(keras, 6, 2)
    expected = np.mean(np.square(teacher.predict(cases.X, verbose=0) - student.predict(cases.X, verbose=0)))
    model = Distiller(teacher, student, SquaredApart(), student_loss_weight=0.0)
    model.compile("sgd", loss="mse")
    logs = model.evaluate(cases.X, y[0], batch_size=32, verbose=0, return_dict=True)
    assert logs == pytest.approx({"loss": expected, "student_loss": 0.0, **dict.fromkeys(BOTH, expected)}, rel=1e-12)


def made(**options):
    networks = {role: cases.network(keras, 5, 1) for role in ("teacher", "student")}
    return Distiller(**{**networks, "distillation_losses": LogitsDistillation(), **options})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: made(teacher=3), "teacher: expected a model"),
        (lambda: made(student=two_outputs(3)), "outputs: teacher has 1, student 2"),
        (lambda: made(student=keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])), "inputs: teacher has"),
        (lambda: made(student_loss_weight=1.5), "from 0 to 1"),
        (lambda: made(distillation_losses=None), "one or a list"),
        (lambda: made(distillation_losses=[LogitsDistillation()], distillation_loss_weights=[1.0, 2.0]), "received 2"),
        (lambda: made(distillation_losses=FeatureDistillation("mse", "none", "wide")), "none"),
        (lambda: made(distillation_losses=OfRows()).compile("sgd"), "the student's loss"),
        (lambda: made().compile("sgd", "mse", metrics="mae"), "metrics: expected a list"),
        (lambda: LogitsDistillation(0), "a number above 0"),
        (lambda: LogitsDistillation(loss=[None]), "at least one"),
        (lambda: FeatureDistillation("no loss"), "unknown loss"),
        (lambda: FeatureDistillation(["mse"]).validate_outputs(1.0, 2.0), "nested"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_loss_of_ones_own_gives_one_number():
    model = made(distillation_losses=OfRows())
    model.compile("sgd", losses.MeanSquaredError())
    with pytest.raises(ValueError, match="expected one number"):
        model.fit(cases.X, np.eye(3)[cases.LABELS], verbose=0)
    with pytest.raises(NotImplementedError, match="compute_loss"):
        distillation.DistillationLoss().compute_loss(0.0, 0.0)


def test_it_is_saved_before_it_is_trained(tmp_path):
    """As Keras saves it; inputs keep their structure."""

    def pairs():
        a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
        return keras.Model({"a": a, "b": b}, keras.layers.Dense(2)(keras.layers.Concatenate()([a, b])))

    made = Distiller(pairs(), pairs(), LogitsDistillation())
    made.save(tmp_path / "made.keras")
    x = {"a": np.ones((4, 3)), "b": np.ones((4, 2))}
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "made.keras").predict(x, verbose=0), made(x))
