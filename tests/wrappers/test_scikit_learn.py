"""Keras 2's and Keras 3's estimators are scikit-learn's: cloned, searched, piped, pickled."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import distnet as keras
from distnet.errors import ArgumentError, NotCompiledError
from distnet.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer
from distnet.wrappers.scikit_learn import KerasClassifier, KerasRegressor

RNG = np.random.default_rng(0)
CENTERS = np.array([[3.0, 0.0], [-3.0, 3.0], [-3.0, -3.0]])
NUMBERS = np.arange(60) % 3
X = CENTERS[NUMBERS] + RNG.normal(0, 0.3, (60, 2))
NAMES = np.array(["ash", "oak", "yew"])[NUMBERS]
HEIGHTS = X @ [1.0, 2.0]


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(3)


def three_classes(units=8, optimizer="adam", loss="categorical_crossentropy"):
    model = keras.Sequential(
        [keras.layers.Dense(units, activation="relu", input_dim=2), keras.layers.Dense(3, activation="softmax")]
    )
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def two_classes():
    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid", input_dim=2)])
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    return model


def line():
    model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
    model.compile(keras.optimizers.SGD(0.02), "mse")
    return model


def classifier(**others):
    arguments = {"optimizer": keras.optimizers.Adam(0.05), "epochs": 8, "batch_size": 10, "verbose": 0, **others}
    return KerasClassifier(build_fn=three_classes, **arguments)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
@pytest.mark.parametrize("targets", [NUMBERS, NUMBERS[:, None], NAMES], ids=["numbers", "column", "names"])
def test_a_classifier_learns_classes_of_any_kind(loss, targets):
    fitted = classifier(loss=loss).fit(X, targets)
    np.testing.assert_array_equal(fitted.predict(X), targets.reshape(-1))
    assert fitted.score(X, targets) == 1
    assert fitted.predict_proba(X).shape == (60, 3)
    assert fitted.classes_.tolist() == sorted(set(targets.reshape(-1).tolist()))


def test_a_classifier_learns_one_hot_rows():
    scores = cross_val_score(classifier(), X, np.eye(3)[NUMBERS], cv=KFold(2, shuffle=True, random_state=1))
    assert scores.tolist() == [1, 1]


def test_one_output_gives_the_probabilities_of_two_classes():
    fitted = KerasClassifier(build_fn=two_classes, epochs=5, verbose=0).fit(X, NAMES == "ash")
    probabilities = fitted.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(probabilities[:, 1] > 0.5, fitted.predict(X))
    assert fitted.score(X, NAMES == "ash") == 1


def test_a_search_finds_arguments_of_the_function_and_of_fit():
    grid = {"units": [4], "epochs": [1, 8], "optimizer": [keras.optimizers.Adam(0.05)]}
    search = GridSearchCV(classifier(), grid, cv=StratifiedKFold(2)).fit(X, NAMES)
    assert (search.best_score_, search.best_params_["epochs"]) == (1, 8)
    assert search.best_estimator_.model_.layers[0].units == 4
    assert len(search.best_estimator_.history_["loss"]) == 8
    assert search.predict(X[:3]).tolist() == ["ash", "oak", "yew"]


def untrained(**options):
    """The first weights with which each fold of a cross-validation starts."""
    estimator = KerasClassifier(build_fn=standing_still, epochs=1, verbose=0, **options)
    keras.utils.set_random_seed(3)
    folds = cross_validate(estimator, X, NAMES, cv=StratifiedKFold(2), n_jobs=2, return_estimator=True)
    return [fitted.model_.get_weights()[0] for fitted in folds["estimator"]]


def standing_still():
    model = keras.Sequential([keras.layers.Dense(3, "softmax", input_shape=(X.shape[1],))])
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    return model


@pytest.mark.slow
def test_workers_start_from_weights_of_their_own_which_the_jobs_seed_decides():
    first, second = untrained()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal([first, second], untrained())


@pytest.mark.slow
def test_workers_with_a_random_state_start_as_one_process_does():
    keras.utils.set_random_seed(5)
    expected = standing_still().get_weights()[0]
    for weights in untrained(random_state=5):
        np.testing.assert_array_equal(weights, expected)


def test_model_is_the_fitted_one_as_in_keras_2():
    fitted = classifier(epochs=1).fit(X, NAMES)
    np.testing.assert_array_equal(fitted.model.predict(X, verbose=0), fitted.predict_proba(X))
    assert "model" not in fitted.get_params()
    assert fitted.history["accuracy"] == fitted.history_["accuracy"]
    assert clone(fitted).model is None
    assert copy.deepcopy(fitted).fit(X, NAMES).model is not fitted.model


def test_a_clone_has_the_parameters_and_is_not_fitted():
    fitted = classifier().fit(X, NAMES)
    again = clone(fitted)
    assert again.get_params()["epochs"] == 8
    with pytest.raises(NotFittedError):
        again.predict(X)
    with pytest.raises(NotFittedError):
        again.score(X, NAMES)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda fitted: pickle.loads(pickle.dumps(fitted))])
def test_a_copy_predicts_and_trains_on_as_the_estimator_does(copied):
    pipeline = make_pipeline(StandardScaler(), classifier(epochs=2)).fit(X, NAMES)
    other = copied(pipeline)
    np.testing.assert_array_equal(other.predict_proba(X), pipeline.predict_proba(X))
    for estimator in (pipeline, other):
        estimator[-1].partial_fit(X, NAMES)
    np.testing.assert_array_equal(other.predict_proba(X), pipeline.predict_proba(X))
    assert len(other[-1].history_["loss"]) == 3


def test_a_regressor_scores_minus_the_loss_as_in_keras_2_and_r2_as_in_scikeras():
    arguments = {"nb_epoch": 20, "batch_size": 10, "verbose": 0}
    old = KerasRegressor(build_fn=line, **arguments).fit(X, HEIGHTS)
    new = KerasRegressor(model=line, **arguments).fit(X, HEIGHTS)
    assert old.score(X, HEIGHTS) == pytest.approx(-np.mean((old.predict(X) - HEIGHTS) ** 2), rel=1e-5)
    assert new.score(X, HEIGHTS) > 0.99
    assert old.predict(X).shape == (60,)
    assert (is_regressor(old), is_classifier(classifier())) == (True, True)


def test_the_parameters_may_compile_the_model_and_be_told_about_the_data():
    def model(meta, units):
        seen.update(meta)
        return keras.Sequential([keras.layers.Dense(units, input_dim=meta["n_features_in_"]), keras.layers.Softmax()])

    seen: dict[str, object] = {}
    fitted = KerasClassifier(
        model=model, model__units=3, loss="sparse_categorical_crossentropy", optimizer="sgd", fit__epochs=2, verbose=0
    ).fit(X, NAMES)
    assert (seen["n_classes_"], seen["target_type_"]) == (3, "multiclass")
    assert len(fitted.history_["loss"]) == 2


def test_a_subclass_makes_its_model_in_call():
    class Line(KerasRegressor):
        def __call__(self):
            return line()

    assert Line(epochs=1, verbose=0).fit(X, HEIGHTS).predict(X).shape == (60,)


def test_equal_states_give_equal_models():
    first, second = (classifier(random_state=9).fit(X, NAMES).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: classifier(unit=3), "received 'unit'. The function takes"),
        (lambda: classifier().set_params(unit=3), "received 'unit'. The function takes"),
        (lambda: KerasClassifier().fit(X, NAMES), "expected build_fn or model"),
        (lambda: classifier().fit(X, HEIGHTS), "Use a regressor"),
        (lambda: classifier().fit(X, NAMES).score(X, np.repeat("elm", 60)), "'elm'"),
        (lambda: KerasClassifier(build_fn=lambda: {}).fit(X, NAMES), "expected the function to return a model"),
    ],
)
def test_what_cannot_be_is_refused(wrong, message):
    with pytest.raises(ArgumentError, match=message):
        wrong()


def test_keras_3s_estimators_train_copies_of_a_model():
    model = three_classes(optimizer=keras.optimizers.Adam(0.05))
    before = model.get_weights()
    fitted = SKLearnClassifier(model, fit_kwargs={"epochs": 8, "verbose": 0}).fit(X, NAMES)
    assert fitted.predict(X).tolist() == NAMES.tolist()
    assert fitted.decision_function(X).shape == (60, 3)
    assert [np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True)] == [True] * 4
    assert cross_val_score(clone(fitted), X, NAMES, cv=2).shape == (2,)


def test_keras_3s_regressor_and_transformer():
    def made(X, y, scale):
        model = keras.Sequential([keras.layers.Dense(y.shape[1] * scale, input_shape=X.shape[1:])])
        model.compile("sgd", "mse")
        return model

    options = {"model_kwargs": {"scale": 1}, "fit_kwargs": {"verbose": 0}}
    fitted = SKLearnRegressor(made, **options).fit(X, HEIGHTS)
    assert fitted.predict(X).shape == (60,)
    assert SKLearnTransformer(made, **options).fit(X, HEIGHTS).transform(X).shape == (60, 1)
    with pytest.raises(NotCompiledError, match="Call compile"):
        SKLearnRegressor(keras.Sequential([keras.layers.Dense(1, input_dim=2)])).fit(X, HEIGHTS)
