"""Evaluation and prediction by plans give, to the last bit, what the layers give live, whatever changes in between."""

import copy
import pickle
import threading
import warnings

import hypothesis
import numpy as np
import pytest

import distnet
from distnet import layers
from distnet.callbacks import LambdaCallback
from distnet.errors import DataError, DistnetError
from distnet.layers.engine.context import ForwardContext, Workspaces
from distnet.layers.engine.plan import Plan
from distnet.training import kept_inference
from distnet.training.runs import Runs
from layer_cases import CASES
from layer_run import MASK, SEED
from running import Run, as_list, predicted
from specifications import specifications
from users_layers import drawn

MODELS = 40
USERS_MODELS = 10
REPEATED = [
    pytest.param(c, id=f"{name}-{i}")
    for name, cases in CASES.items() for i, c in enumerate(cases)
]  # fmt: skip
RNG = np.random.default_rng(0)
X, Y = RNG.random((26, 5)), np.eye(3)[RNG.integers(0, 3, 26)]


@pytest.fixture
def repetitions(monkeypatch):
    """Counts the batches that plans repeat."""
    counted, repeat = [], Plan.repeat
    monkeypatch.setattr(Plan, "repeat", lambda plan, step=0: (counted.append(step), repeat(plan, step)))
    return counted


def both_ways(program, monkeypatch):
    """What the program gives with plans, and live."""
    given = []
    for makes_plans in (True, False):
        monkeypatch.setattr(Runs, "makes_plans", makes_plans)
        distnet.utils.clear_session()
        distnet.utils.set_random_seed(3)
        given.append(program())
    return given


def assert_same(planned, live, named=""):
    assert len(planned) == len(live)
    for a, b in zip(planned, live, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=named)


@pytest.mark.parametrize("case", REPEATED)
def test_every_layer_repeats_what_it_did_for_other_rows_and_weights(case):
    batches = [case.inputs(5, seed=seed) for seed in (1, 2, 3)]

    def made_by(is_planned):
        run, plan, made, kept = case.run(), Plan(), [], None
        for step, inputs in enumerate(batches):
            if kept is None or not is_planned:
                x = [a.copy() for a in inputs]
                ctx = ForwardContext(
                    False, SEED, step, 0, len(x[0]), Workspaces(), is_recorded=False, wanted=frozenset()
                )
                ctx.plan = plan if is_planned else None
                masks = [MASK[: len(a), : a.shape[1]] if a.ndim > 2 else None for a in x]
                kept = x, run.graph.forward(x, ctx, masks if run.is_masked else None)[0]
            else:
                for place, a in zip(kept[0], inputs, strict=True):
                    np.copyto(place, a)
                plan.repeat(step)
            made += [y.copy() for y in kept[1]]
            for variable in run.variables:
                if variable.value.dtype.kind == "f":
                    variable.value *= 1.25
        return made

    assert_same(made_by(True), made_by(False))


def network():
    model = distnet.Sequential(
        [layers.Input((5,)), layers.Dense(6, "relu"), layers.BatchNormalization(), layers.Dropout(0.3)]
    )
    model.add(layers.Dense(3, "softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


def measured(model, rows=26):
    logs = model.evaluate(X[:rows], Y[:rows], batch_size=8, verbose=0, return_dict=True)
    return [*logs.values(), model.predict(X[:rows], batch_size=8, verbose=0), *model.test_on_batch(X[:8], Y[:8])]


CHANGES = {
    "nothing": lambda model: None,
    "weights": lambda model: model.set_weights([w / 2 for w in model.get_weights()]),
    "training": lambda model: model.fit(X, Y, batch_size=8, verbose=0),
    "argument": lambda model: setattr(model.layers[0], "activation", distnet.activations.get("tanh")),
    "activity": lambda model: setattr(model.layers[0], "activity_regularizer", distnet.regularizers.L2(0.1)),
    "compile": lambda model: model.compile("sgd", "mse", metrics=["mae", "accuracy"]),
    "layer": lambda model: (model.pop(), model.add(layers.Dense(3, "softmax"))),
    "other size": lambda model: model.predict(np.ones((70, 5)), batch_size=70, verbose=0),
    "failure": lambda model: failing_evaluation(model),
    "copy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "weighted rows": lambda model: model.evaluate(X, Y, sample_weight=np.linspace(0, 1, 26), batch_size=8, verbose=0),
}


def failing_evaluation(model):
    failing = LambdaCallback(on_test_batch_end=lambda batch, logs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.evaluate(X, Y, batch_size=8, verbose=0, callbacks=[failing])


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_between_two_calls_counts(name, monkeypatch, repetitions):
    def program():
        model, values = network(), []
        for _ in range(3):
            values += measured(model)
            changed = CHANGES[name](model)
            model = changed if isinstance(changed, distnet.Model) else model
            if "compile" in name or not model.built:
                model.build((None, 5))
        return [*values, *measured(model)]

    planned, live = both_ways(program, monkeypatch)
    assert_same(planned, live)
    assert repetitions


def test_calls_go_on_with_the_plans_of_the_last(monkeypatch, repetitions):
    made, steps = [], kept_inference.evaluating_steps
    monkeypatch.setattr(kept_inference, "evaluating_steps", lambda *args: (made.append(args), steps(*args))[1])
    model = network()
    for _ in range(4):
        measured(model, rows=24)
    assert len(made) == 1
    assert len(repetitions) == (3 + 3 + 1) * 4 - 2  # evaluation and prediction make a plan each


def test_what_a_callback_changes_counts_from_the_next_batch(monkeypatch, repetitions):
    def program():
        model, changes = network(), [lambda: setattr(model.layers[0], "activation", distnet.activations.get("tanh"))]
        changes.append(lambda: model.layers[0].kernel.assign(np.ones((5, 6))))
        changes.append(lambda: measured(model))
        at = LambdaCallback(on_test_batch_end=lambda batch, logs: changes.pop()() if changes else None)
        logs = model.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[at])
        return [*logs, *measured(model)]

    assert_same(*both_ways(program, monkeypatch))
    assert repetitions


def test_validation_within_fit_is_planned(monkeypatch, repetitions):
    def program():
        model = network()
        history = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, validation_data=(X[:13], Y[:13]))
        return [*history.history.values(), *model.get_weights()]

    assert_same(*both_ways(program, monkeypatch))
    training = 2 * (3 * 4 - 2)
    assert len(repetitions) == training + 3 * 2 - 2


def test_several_threads_predict_at_the_same_time():
    model = network()
    expected, wrong = [model.predict(X * k, batch_size=4, verbose=0) for k in range(4)], []

    def predict(k):
        for _ in range(30):
            if not np.array_equal(model.predict(X * k, batch_size=4, verbose=0), expected[k]):
                wrong.append(k)

    threads = [threading.Thread(target=predict, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_after_a_batch_that_fails_there_is_no_half_made_plan(monkeypatch):
    model = distnet.Sequential([layers.Input((3,)), layers.Embedding(5, 4), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    wrong, right = np.full((4, 3), 7), RNG.integers(0, 5, (4, 3))
    for _ in range(3):
        with pytest.raises(DataError, match="vocabulary of 5.*row 0 of the data"):
            model.predict(wrong, verbose=0)
        with pytest.raises(DataError, match="vocabulary of 5.*row 0 of the data"):
            model.evaluate(wrong, np.ones((4, 1)), verbose=0)
        planned = model.predict(right, verbose=0)
        monkeypatch.setattr(Runs, "makes_plans", False)
        np.testing.assert_array_equal(planned, model.predict(right, verbose=0))
        monkeypatch.undo()


def test_large_memory_is_given_back_after_the_call(monkeypatch):
    model = network()
    measured(model)
    kept = model.kept_inference.take()
    assert kept is not None
    model.kept_inference.put(kept)
    monkeypatch.setattr(kept_inference, "MOST_KEPT_BYTES", kept.steps.workspaces.nbytes - 1)
    measured(model)
    assert model.kept_inference.take() is None


@pytest.mark.slow
def test_generated_models_are_evaluated_and_predict_to_the_same_bits(monkeypatch, repetitions):
    quiet = {"deadline": None, "database": None, "suppress_health_check": list(hypothesis.HealthCheck)}

    def given_by(spec):
        try:
            run = Run(distnet, spec)
            made = run.everything()
            again = predicted(run.model, [x[::-1].copy() for x in run.data.x])[0]
            return made | {f"again {i}": y for i, y in enumerate(as_list(again))}
        except DistnetError as error:
            return {"refused": str(error)}

    @hypothesis.seed(7)
    @hypothesis.settings(max_examples=MODELS, phases=[hypothesis.Phase.generate], **quiet)
    @hypothesis.given(specifications())
    def judge(spec):
        planned, live = both_ways(lambda: given_by(spec), monkeypatch)
        assert planned.keys() == live.keys()
        for key in live:
            np.testing.assert_array_equal(planned[key], live[key], err_msg=key)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        judge()
    assert len(repetitions) > MODELS


@pytest.mark.slow
def test_models_of_users_layers_give_the_same_bits(monkeypatch, repetitions):
    for seed in range(USERS_MODELS):

        def program(seed=seed):
            model, (x, y), _ = drawn(seed)
            given = {"batch_size": 5, "verbose": 0}
            logs = [np.ravel(model.evaluate(x, y, **given)) for _ in range(2)]
            return [*logs, *as_list(model.predict(x, **given)), *as_list(model.predict(x[::-1], **given))]

        assert_same(*both_ways(program, monkeypatch), str(seed))
    assert repetitions


def test_predict_on_batch_computes_its_rows_as_one_batch():
    centered = layers.Lambda(lambda x: x - distnet.ops.mean(x, axis=0))
    model = distnet.Sequential([layers.Input((5,)), centered])
    rows = RNG.random((100, 5))
    np.testing.assert_allclose(model.predict_on_batch(rows), rows - rows.mean(axis=0), atol=1e-6)


def test_no_hook_of_batches_is_called_where_none_acts_and_every_one_where_one_does(monkeypatch):
    seen, model = [], network()
    bar = distnet.callbacks.ProgbarLogger
    monkeypatch.setattr(bar, "on_test_batch_end", lambda *args: seen.append("bar"))
    monkeypatch.setattr(bar, "on_predict_batch_end", lambda *args: seen.append("bar"))
    model.evaluate(X, Y, batch_size=8, verbose=0)
    model.predict(X, batch_size=8, verbose=0)
    model.fit(X, Y, validation_data=(X, Y), batch_size=8, verbose=0)
    assert not seen
    hooks = {f"on_{kind}_batch_{end}": lambda *_: seen.append("own") for kind in ("test", "predict")
             for end in ("begin", "end")}  # fmt: skip
    model.evaluate(X, Y, batch_size=8, verbose=0, callbacks=[LambdaCallback(**hooks)])
    model.predict(X, batch_size=8, verbose=0, callbacks=[LambdaCallback(**hooks)])
    assert seen.count("own") == 2 * 4 * 2


def test_predictions_of_batches_are_those_of_predict_and_stay():
    inputs = layers.Input((4,))
    model = distnet.Model(inputs, {"a": layers.Dense(3, "relu")(inputs), "same": inputs})
    x = np.random.default_rng(0).random((7, 4)).astype("float32")
    made = [(rows, model.predict_on_batch(x[:rows])) for rows in (7, 3, 1, 7)]
    x[:] = 0
    model.predict_on_batch(x)
    x[:] = np.random.default_rng(0).random((7, 4))
    for rows, outputs in made:
        whole = model.predict(x[:rows], batch_size=2, verbose=0)
        assert list(outputs) == list(whole)
        for name, y in outputs.items():
            np.testing.assert_allclose(y, whole[name], rtol=1e-6)
    with pytest.raises(distnet.errors.ShapeError, match="expected rows of shape"):
        model.predict_on_batch(x[:, :2])
    np.testing.assert_array_equal(model.predict_on_batch(x[:3])["same"], x[:3])
