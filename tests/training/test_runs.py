"""A step that a plan repeats computes, to the last bit, what the layers compute live."""

import functools
import warnings

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import distnet
from distnet import layers, ops
from distnet.callbacks import LambdaCallback
from distnet.errors import DistnetError, ShapeError
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.layers.engine.plan import Plan
from distnet.layers.engine.workspaces import ShortLived
from distnet.training.runs import Runs
from layer_cases import CASES
from layer_run import MASK, SEED, numbers
from running import Run
from specifications import specifications
from users_layers import drawn

MODELS = 60
USERS_MODELS = 16
REPEATED = [
    pytest.param(c, id=f"{name}-{i}")
    for name, cases in CASES.items() for i, c in enumerate(cases)
]  # fmt: skip


class Spoiled(ShortLived):
    """Overwrites what nobody should read any more, in a plan too."""

    def __init__(self, plan):
        super().__init__()
        self.plan = plan

    def keep(self, read):
        before = dict(self._taken)
        super().keep(read)
        for key in before.keys() - self._taken.keys():
            fill = functools.partial(before[key][0].fill, 255)
            fill()
            self.plan.calls.append(fill)


def both_ways(program, monkeypatch):
    """What the program gives with plans, and live."""
    given = []
    for makes_plans in (True, False):
        monkeypatch.setattr(Runs, "makes_plans", makes_plans)
        distnet.utils.clear_session()
        distnet.utils.set_random_seed(3)
        given.append(program())
    return given


@pytest.fixture
def repetitions(monkeypatch):
    """Counts the halves of steps that plans repeat."""
    counted, repeat = [], Plan.repeat
    monkeypatch.setattr(Plan, "repeat", lambda plan, step=0: (counted.append(step), repeat(plan, step)))
    return counted


@pytest.mark.parametrize("case", REPEATED)
def test_every_layer_repeats_what_it_did(case):
    steps = [(case.inputs(5, seed=seed), seed) for seed in (1, 2, 3)]

    def run_steps(is_planned):
        run, made, plans, kept = case.run(), [], (Plan(), Plan()), None
        for step, (inputs, seed) in enumerate(steps):
            if kept is None or not is_planned:
                x = [a.copy() for a in inputs]
                ctx = ForwardContext(run.training, SEED, step, 0, len(x[0]), Workspaces())
                ctx.plan = plans[0] if is_planned else None
                masks = [MASK[: len(a), : a.shape[1]] if a.ndim > 2 else None for a in x]
                outputs, tape = run.graph.forward(x, ctx, masks if run.is_masked else None)
                dy = [numbers(*y.shape, seed=seed, dtype=y.dtype) for y in outputs]
                back = BackwardContext(ctx.workspaces, plan=plans[1] if is_planned else None)
                back.short_lived = Spoiled(plans[1]) if is_planned else None
                kept = x, outputs, dy, run.graph.backward(tape, dy, back)
            else:
                x, outputs, dy, _ = kept
                for place, a in zip(x, inputs, strict=True):
                    np.copyto(place, a)
                plans[0].repeat(step)
                for i, place in enumerate(dy):
                    np.copyto(place, numbers(*outputs[i].shape, seed=seed, dtype=place.dtype))
                plans[1].repeat()
            gradients = [v.grad.copy() for v in run.variables if v.is_trained]
            made.append([*(y.copy() for y in kept[1]), *(dx.copy() for dx in kept[3] if dx is not None), *gradients])
        return made

    for live, planned in zip(run_steps(False), run_steps(True), strict=True):
        for a, b in zip(live, planned, strict=True):
            np.testing.assert_array_equal(b, a)


@pytest.mark.slow
def test_generated_models_train_to_the_same_bits(monkeypatch, repetitions):
    quiet = {"deadline": None, "database": None, "suppress_health_check": list(hypothesis.HealthCheck)}

    def trained(spec):
        try:
            return Run(distnet, spec).everything()
        except DistnetError as error:
            return {"refused": str(error)}

    @hypothesis.seed(5)
    @hypothesis.settings(max_examples=MODELS, phases=[hypothesis.Phase.generate], **quiet)
    @hypothesis.given(specifications().filter(lambda spec: "training" in spec), st.integers(2, 3))
    def judge(spec, epochs):
        spec["training"]["epochs"] = epochs
        planned, live = both_ways(lambda: trained(spec), monkeypatch)
        assert planned.keys() == live.keys()
        for key in live:
            np.testing.assert_array_equal(planned[key], live[key], err_msg=key)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        judge()
    assert len(repetitions) > MODELS


def data(rows, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((rows, 6)), rng.random((rows, 2))


def network():
    model = distnet.Sequential(
        [layers.Input((6,)), layers.Dense(8, "relu", name="first"), layers.Dropout(0.4, name="drop"), layers.Dense(2)]
    )
    model.compile("adam", "mse")
    return model


def test_whole_batches_and_last_ones_have_a_plan_each(monkeypatch, repetitions):
    def program():
        model = network()
        model.fit(*data(26), batch_size=8, epochs=3, verbose=0)
        return model.get_weights()

    planned, live = both_ways(program, monkeypatch)
    for a, b in zip(planned, live, strict=True):
        np.testing.assert_array_equal(a, b)
    steps, first_of_a_size = 12, 2
    assert len(repetitions) == 2 * (steps - first_of_a_size)


@pytest.mark.parametrize("weighs_rows", [False, True])
@pytest.mark.parametrize("has_numbers", [False, True])
def test_loss_and_sums_of_planned_steps_are_those_of_live_ones(has_numbers, weighs_rows, monkeypatch, repetitions):
    rng = np.random.default_rng(1)
    y = [np.eye(c, dtype="f")[rng.integers(0, c, shape)] for c, shape in ((5, 26), (3, (26, 2)))]
    weight = [np.linspace(0, 2, 26)] * (2 + has_numbers) if weighs_rows else None
    others = [rng.random((26, 2))] * has_numbers

    def program():
        x = layers.Input((6,))
        h = layers.Dense(8, "relu")(x)
        steps = layers.Reshape((2, 3))(layers.Dense(6)(h))
        outputs = [layers.Dense(5, "softmax")(h), layers.Softmax()(steps), *[layers.Dense(2)(h)] * has_numbers]
        model = distnet.Model(x, outputs)
        losses = ["categorical_crossentropy", "categorical_crossentropy", *["mse"] * has_numbers]
        model.compile("adam", losses, [["acc"] for _ in outputs], loss_weights=[1.0, 0.3, 2.0][: len(outputs)])
        given = {"batch_size": 8, "epochs": 3, "verbose": 0, "sample_weight": weight}
        history = model.fit(data(26)[0], [*y, *others], **given).history
        return [*history.values(), *model.get_weights()]

    planned, live = both_ways(program, monkeypatch)
    for a, b in zip(planned, live, strict=True):
        np.testing.assert_array_equal(a, b)
    assert repetitions


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model.get_layer("drop"), "rate", 0.1),
        lambda model: setattr(model.get_layer("first"), "activation", distnet.activations.get("tanh")),
        lambda model: model.get_layer("first").set_weights([np.ones((6, 8)), np.zeros(8)]),
        lambda model: model.predict(data(50)[0], verbose=0),
    ],
)
def test_what_a_callback_changes_counts_from_the_next_step(change, monkeypatch):
    def program():
        model = network()
        at = LambdaCallback(on_train_batch_end=lambda batch, logs: change(model) if batch == 1 else None)
        model.fit(*data(40), batch_size=8, verbose=0, callbacks=[at])
        return model.get_weights()

    planned, live = both_ways(program, monkeypatch)
    for a, b in zip(planned, live, strict=True):
        np.testing.assert_array_equal(a, b)


def test_batches_that_grow_are_planned_anew(monkeypatch, repetitions):
    def program():
        model = network()
        for rows in (3, 3, 9, 9, 3, 3, 20, 9, 3):
            model.train_on_batch(*data(rows, rows))
        return model.get_weights()

    planned, live = both_ways(program, monkeypatch)
    for a, b in zip(planned, live, strict=True):
        np.testing.assert_array_equal(a, b)
    assert repetitions


def test_a_users_layer_with_backward_may_give_other_memory_at_each_step(monkeypatch, repetitions):
    class Alternating(layers.Layer):
        def forward(self, x, ctx):
            view = x if ctx.step % 2 else x[:, ::-1]
            return view, ctx.step

        def backward(self, dy, saved, ctx):
            return dy if saved % 2 else dy[:, ::-1]

    def program():
        model = distnet.Sequential([layers.Input((6,)), layers.Dense(6), Alternating(), layers.Dense(2)])
        model.compile("sgd", "mse")
        model.fit(*data(40), batch_size=8, verbose=0)
        return model.get_weights()

    planned, live = both_ways(program, monkeypatch)
    for a, b in zip(planned, live, strict=True):
        np.testing.assert_array_equal(a, b)
    assert repetitions


def test_a_step_that_fails_is_no_plan(monkeypatch):
    model = distnet.Sequential([layers.Input((3,)), layers.Embedding(5, 4), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    wrong, right, y = np.full((4, 3), 7), np.ones((4, 3), int), np.ones((4, 1))
    for _ in range(2):
        with pytest.raises(distnet.errors.DataError, match="vocabulary of 5"):
            model.train_on_batch(wrong, y)
    before = model.predict(right, verbose=0)
    for _ in range(3):
        model.train_on_batch(right, y)
    assert abs(model.predict(right, verbose=0) - y).max() < abs(before - y).max()
    with pytest.raises(distnet.errors.DataError, match="vocabulary of 5"):
        model.train_on_batch(wrong, y)


class Failing(layers.Layer):
    """Fails in one direction at the step ``at``."""

    direction: str = "forward"
    at: int = 0

    def meet(self, direction):
        self.at -= direction == self.direction
        if direction == self.direction and self.at == -1:
            raise KeyError("on purpose")

    def forward(self, x, ctx):
        self.meet("forward")
        return x * 1.0, None

    def backward(self, dy, saved, ctx):
        self.meet("backward")
        return dy * 1.0


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_after_a_step_that_fails_steps_are_those_of_the_layers(direction, at, monkeypatch, repetitions):
    def program():
        failing = Failing()
        failing.direction, failing.at = direction, at
        model = distnet.Sequential(
            [layers.Input((6,)), layers.Dense(6), layers.BatchNormalization(), layers.Dropout(0.3), failing,
             layers.Dropout(0.3), layers.Dense(2)]
        )  # fmt: skip
        model.compile("adam", "mse")
        raised = 0
        for seed in range(7):
            try:
                model.train_on_batch(*data(8, seed))
            except KeyError:
                raised += 1
        assert raised == 1
        return model.get_weights()

    planned, live = both_ways(program, monkeypatch)
    for a, b in zip(planned, live, strict=True):
        np.testing.assert_array_equal(a, b)
    assert repetitions


@pytest.mark.slow
def test_models_of_users_layers_train_to_the_same_bits(monkeypatch, repetitions):
    for seed in range(USERS_MODELS):

        def program(seed=seed):
            model, data, callbacks = drawn(seed)
            history = model.fit(*data, batch_size=5, epochs=2, verbose=0, callbacks=callbacks).history
            return [*history.values(), *model.get_weights()]

        before = len(repetitions)
        planned, live = both_ways(program, monkeypatch)
        for a, b in zip(planned, live, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=str(seed))
        assert len(repetitions) > before


class PassingOn(layers.Layer):
    """Hands its mask on in some steps."""

    supports_masking = True

    def __init__(self, first):
        super().__init__()
        self.count = first

    def compute_mask(self, x, mask=None):
        return mask if self.count % 2 else None

    def call(self, x, mask=None, training=None):
        self.count += bool(training)
        return x * 1.5


class Halving(layers.Layer):
    """Returns fewer columns from its third step on, or a gradient from its second on."""

    def __init__(self, stops):
        super().__init__()
        self.stops, self.count = stops, 0

    def call(self, x, training=None):
        self.count += bool(training)
        if self.stops:
            return ops.stop_gradient(x) if self.count < 2 else x * 2.0
        return ops.stop_gradient(x)[:, : 3 if self.count > 2 else 6]


@pytest.mark.parametrize(
    "make", [lambda: Halving(True), lambda: Halving(False), lambda: PassingOn(0), lambda: PassingOn(1)]
)
def test_a_layer_whose_results_change_from_step_to_step_is_named_or_runs_eagerly(make, monkeypatch):
    x, y = data(40)

    def program(run_eagerly=True):
        changing = make()
        inner = [changing]
        if isinstance(changing, PassingOn):
            inner = [layers.Reshape((3, 2)), layers.Masking(), changing, layers.LSTM(6)]
        total = layers.Lambda(lambda x: ops.sum(x, axis=-1, keepdims=True))
        model = distnet.Sequential([layers.Input((6,)), layers.Dense(6), *inner, total])
        model.compile("sgd", "mse", run_eagerly=run_eagerly)
        model.fit(x, y[:, :1], batch_size=8, verbose=0)
        return model.get_weights()

    with pytest.raises(ShapeError, match=r"(halving|passing_on).*: .*as in the first step"):
        program(run_eagerly=False)
    eager, live = both_ways(program, monkeypatch)
    for a, b in zip(eager, live, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_weight_that_no_loss_depends_on_is_only_regularized(monkeypatch):
    def program():
        x = layers.Input((6,))
        model = distnet.Model(x, [layers.Dense(2)(x), layers.Dense(2, kernel_regularizer="l2")(x)])
        model.compile("sgd", ["mse", None])
        model.fit(data(40)[0], [data(40)[1]] * 2, batch_size=8, verbose=0)
        return model.get_weights()

    planned, live = both_ways(program, monkeypatch)
    for a, b in zip(planned, live, strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_between_layers_take_turns_in_few_blocks_of_memory(monkeypatch):
    used, begin = [], ShortLived.begin
    monkeypatch.setattr(ShortLived, "begin", lambda memory: (used.append(memory), begin(memory)))
    width, rows = 64, 32
    start = x = layers.Input((width,))
    for _ in range(8):
        x = layers.Add()([x, layers.Dense(width, "relu")(x)])
    model = distnet.Model(start, layers.Dense(width)(x))
    model.compile("sgd", "mse")
    batch = np.ones((rows, width), np.float32)
    model.fit(batch, batch, verbose=0)
    assert 0 < sum(block.nbytes for block in used[0].blocks) <= 4 * batch.nbytes
