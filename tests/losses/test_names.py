"""From names, configs and functions to losses."""

import json

import numpy as np
import pytest

from distnet import losses
from distnet.errors import ShapeError, UnknownNameError


@pytest.mark.parametrize(
    ("names", "cls"),
    [
        ("mse MSE mean_squared_error MeanSquaredError", losses.MeanSquaredError),
        ("mae MAE mean_absolute_error", losses.MeanAbsoluteError),
        ("mape MAPE mean_absolute_percentage_error", losses.MeanAbsolutePercentageError),
        ("msle MSLE mean_squared_logarithmic_error", losses.MeanSquaredLogarithmicError),
        ("bce BCE binary_crossentropy", losses.BinaryCrossentropy),
        ("kld KLD kl_divergence kullback_leibler_divergence", losses.KLDivergence),
        ("logcosh log_cosh LogCosh", losses.LogCosh),
        ("huber huber_loss Huber", losses.Huber),
        ("cosine_similarity cosine_proximity", losses.CosineSimilarity),
        ("sparse_categorical_crossentropy", losses.SparseCategoricalCrossentropy),
    ],
)
def test_every_alias_of_keras_is_known(names, cls):
    for name in names.split():
        assert type(losses.LOSSES.get(name)) is cls


def test_function_aliases_are_the_functions():
    assert losses.mse is losses.MSE is losses.mean_squared_error
    assert losses.kld is losses.kl_divergence


def test_a_function_of_the_package_means_itself_and_to_a_model_its_class():
    assert losses.get(losses.huber) is losses.get("huber") is losses.huber
    assert type(losses.LOSSES.get(losses.huber)) is type(losses.get("Huber")) is losses.Huber
    assert losses.get(None) is None


def test_a_function_found_by_name_gives_one_value_a_row():
    np.testing.assert_allclose(losses.get("mse")([[0.0, 1.0], [2.0, 2.0]], [[1.0, 3.0], [2.0, 4.0]]), [2.5, 2.0])
    assert losses.serialize(losses.get("mse")) == "mean_squared_error"


def test_an_unknown_name_suggests():
    with pytest.raises(UnknownNameError, match="mean_squared|MeanSquaredError"):
        losses.get("mean_squared_eror")


def test_canonical_names_are_long_function_names():
    assert losses.canonical_name(losses.LOSSES.get("mse")) == "mean_squared_error"
    assert losses.canonical_name(losses.Huber()) == "huber"
    assert losses.canonical_name(losses.KLDivergence()) == "kl_divergence"
    named = losses.canonical_name(losses.CategoricalCrossentropy(from_logits=True))
    assert named["class_name"] == "CategoricalCrossentropy"
    assert named["config"]["from_logits"] is True


def test_function_configs_of_keras_are_read():
    config = {
        "module": "builtins",
        "class_name": "function",
        "config": "mean_squared_error",
        "registered_name": "function",
    }
    assert losses.deserialize(config) is losses.mean_squared_error


def test_crossentropy_fits_the_shapes():
    assert type(losses.resolve("crossentropy", (None, 1), (None, 1))) is losses.BinaryCrossentropy
    assert type(losses.resolve("ce", (None,), (None, 5))) is losses.SparseCategoricalCrossentropy
    assert type(losses.resolve("ce", (None, 1), (None, 5))) is losses.SparseCategoricalCrossentropy
    assert type(losses.resolve("ce", (None, 5), (None, 5))) is losses.CategoricalCrossentropy
    assert type(losses.resolve("mse", (None, 5), (None, 5))) is losses.MeanSquaredError


def fourth_power(y_true, y_pred):
    error = y_pred - y_true
    return (error**4).mean(axis=-1), 4 * error**3 / y_pred.shape[-1]


def test_a_function_of_the_user_returns_values_and_gradient():
    loss = losses.LOSSES.get(fourth_power)
    assert loss.name == "fourth_power"
    total, gradient = loss.sum_and_gradient(np.zeros((2, 2)), np.full((2, 2), 2.0), np.array([1.0, 3.0]), 0.5)
    assert total == pytest.approx(32.0)
    np.testing.assert_allclose(gradient, [[8, 8], [24, 24]])
    assert losses.serialize(loss) == losses.canonical_name(loss) == "fourth_power"
    assert losses.deserialize(json.loads('"fourth_power"'), {"fourth_power": fourth_power}) is fourth_power


def test_a_function_that_reduces_over_rows_is_refused():
    loss = losses.LOSSES.get(lambda y_true, y_pred: (np.float64(1.0), np.ones_like(y_pred)))
    with pytest.raises(ShapeError, match="Do not reduce over rows"):
        loss(np.zeros((2, 2)), np.ones((2, 2)))


def test_a_class_of_the_user_takes_keras_s_arguments():
    class Cubed(losses.Loss):
        def __init__(self, factor=1.0, name="cubed", **kwargs):
            super().__init__(name=name, **kwargs)
            self.factor = factor

        def values_and_gradient(self, y_true, y_pred):
            error = np.abs(y_pred - y_true)
            return self.factor * (error**3).sum(-1), 3 * self.factor * error**2 * np.sign(y_pred - y_true)

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    loss = losses.get(Cubed(factor=2.0, reduction="sum"))
    assert loss(np.zeros((1, 2)), np.ones((1, 2))) == 4.0
    config = losses.serialize(loss)
    assert config == {"class_name": "Cubed", "config": {"name": "cubed", "reduction": "sum", "factor": 2.0}}
    assert losses.deserialize(config, {"Cubed": Cubed}).factor == 2.0


def test_a_class_of_the_user_made_of_one_here_has_the_last_word():
    class Doubled(losses.MeanSquaredError):
        def values_and_gradient(self, y_true, y_pred):
            values, gradient = super().values_and_gradient(y_true, y_pred)
            return 2 * values, 2 * gradient

    targets, outputs = np.zeros((2, 2)), np.ones((2, 2))
    assert Doubled().name == "mean_squared_error"
    assert Doubled()(targets, outputs) == 2.0
    total, gradient = Doubled().sum_and_gradient(targets, outputs, np.array([1.0, 3.0]))
    assert total == 8.0
    np.testing.assert_array_equal(gradient, [[2, 2], [6, 6]])


def test_lists_and_integers_are_taken():
    assert losses.MeanSquaredError()([[0, 1]], [[1, 1]]) == 0.5
    assert losses.mean_squared_error([[0, 1]], [[1, 1]]).dtype == np.float32
