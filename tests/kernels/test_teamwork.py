"""Work shared among the threads of a process: the same numbers as alone, and no thread left behind."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import distnet
from distnet import kernels, layers
from distnet.comm import threads
from distnet.kernels import sweeps, teamwork
from distnet.kernels.readying import ready
from distnet.kernels.windows import Windows, slide
from distnet.optimizers import formulas
from guarded import Guarded
from kernel_sets import NEEDS_NUMBA


@pytest.fixture
def in_threads(monkeypatch):
    """Calls a function with so many threads, which share all work however small."""
    monkeypatch.setattr(teamwork, "LEAST_NS", 0)
    monkeypatch.setattr(teamwork, "_LEAST_PART_NS", 1e-9)
    monkeypatch.setattr(teamwork, "_FINE_NS", 1000)
    monkeypatch.setattr(teamwork.Team, "is_resting", lambda self: False)

    def call(count, function):
        monkeypatch.setattr(threads.OF_THIS_PROCESS, "count", lambda: count)
        return function()

    return call


def windows(extent):
    return Windows.over(slide(extent, 3, 1, 1, "same"), slide(extent, 3, 2, 1, "same"))


def convolution(kernel, memory, random):
    over, x, w = windows(9), random(5, 1, 9, 9, 6), random(9, 6, 20)
    out = memory.workspace("out", (5, *over.shape, 20), x.dtype)
    sweep = sweeps.forward(over, 6, 1)
    kernel.tiles.correlate(x, w, sweep, out, memory)()
    total = memory.workspace("total", w.shape, w.dtype)
    kernel.tiles.correlate_gradient(x, out, sweep, total, memory)()
    dx = memory.workspace("dx", x.shape, x.dtype)
    back = sweeps.backward(over, 20, 1)
    kernel.tiles.correlate(out, w.transpose(0, 2, 1).copy(), back, dx, memory)()
    return out, total, dx


def product(kernel, memory, random):
    out = memory.workspace("out", (9, 150), random(1).dtype)
    kernel.tiles.multiply(random(9, 33), random(33, 150), out)()
    return (out,)


def pooling(kernel, memory, random):
    over, x = windows(9), random(5, 1, 9, 9, 6)
    out = memory.workspace("out", (5, *over.shape, 6), x.dtype)
    winners = memory.workspace("winners", out.shape, np.dtype(np.int64))
    kernel.max_pool(x, over, out, winners)
    dx = memory.workspace("dx", x.shape, x.dtype)
    kernel.max_pool_gradient(out, winners, over, dx)
    patches = memory.workspace("patches", (5 * 9, 5, 1, 3, 3, 6), x.dtype)
    kernel.im2col(x, over, 0, 0, patches)
    return out, winners, dx, patches


def vectors(kernel, memory, random):
    x, dy, gamma = random(7, 37), random(7, 37), random(37)
    y, dx = (memory.workspace(name, x.shape, x.dtype) for name in ("y", "dx"))
    kernel.softmax(x, y)
    kernel.softmax_gradient(dy, y, dx)
    normal = memory.workspace("normal", x.shape, x.dtype)
    return y, dx, normal, *kernel.normalize_rows(x, gamma, None, 1e-3, True, normal)


def passes(kernel, memory, random):
    x, bits = random(7, 40), kernel.random_bits(3, 4, 5, np.empty((7, 40), np.uint32))
    out, sunk, kept = (memory.workspace(name, x.shape, x.dtype) for name in ("out", "sunk", "kept"))
    kernel.bias_activation(x, random(40), "relu", out)
    kernel.activation_gradient(x, out, "relu", sunk)
    kernel.dropout(x, bits, 1 << 31, 2.0, kept)
    w, g, m, v = (memory.copied(abs(random(501))) for _ in range(4))
    kernel.update(formulas.adam, w, g, [m, v], [0.1] * 4)
    return out, sunk, kept, bits, w, m, v


def columns(kernel, memory, random):
    results = []
    for shape in ((1, 1100, 5), (1, 300, 130), (3, 40, 6)):
        x, dy = random(*shape), random(*shape)
        mean, scale, slope, shift = (random(shape[0], shape[2]) for _ in range(4))
        y, dz, dx = (memory.workspace(name, shape, x.dtype) for name in ("y", "dz", "dx"))
        kernel.column_map(x, mean, scale, shift, y, "relu", dy)
        results += [kernel.column_sums(x), *kernel.column_moments(x), y, *kernel.column_products(dy, x, mean)]
        results += [*kernel.relu_products(dy, y, x, mean, dz), dz]
        kernel.column_gradient(dy, x, mean, scale, slope, shift, dx)
        results.append(dx.copy())
        kernel.column_gradient(dx, x, mean, scale, slope, shift, dx)
        results += [kernel.bias_gradient(dy[0], y[0], "relu", dz[0]), dz, dx]
    x, dy, gamma = random(300, 37), random(300, 37), random(37)
    dx = memory.workspace("dx", x.shape, x.dtype)
    statistics = kernel.normalize_rows(x, gamma, None, 1e-3, True, dx)
    return [*results, *kernel.normalize_rows_gradient(dy, x, statistics, gamma, True, dx), dx]


CALLS = [convolution, product, pooling, vectors, passes, columns]


@NEEDS_NUMBA
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bits_of_a_kernel_do_not_depend_on_the_number_of_threads(in_threads, call, dtype):
    def result():
        rng, memory = np.random.default_rng(0), Guarded()
        results = call(kernels.load("numba"), memory, lambda *shape: rng.standard_normal(shape).astype(dtype))
        memory.check()
        return [a.copy() for a in results]

    alone = in_threads(1, result)
    assert not any(np.isnan(a).any() for a in alone)
    for count in (2, 3):
        for a, b in zip(in_threads(count, result), alone, strict=True):
            np.testing.assert_array_equal(a, b)


def images():
    x = inputs = layers.Input((9, 9, 3))
    x = layers.BatchNormalization()(layers.Conv2D(5, 3, activation="relu")(x))
    x = layers.MaxPooling2D(2, padding="same")(layers.Conv2DTranspose(4, 3)(x))
    x = layers.SeparableConv2D(3, 3)(layers.DepthwiseConv2D(2, activation="relu")(x))
    return inputs, layers.Flatten()(layers.Conv2D(6, 1)(layers.Dropout(0.3)(x)))


def sequences():
    x = inputs = layers.Input((9, 3))
    x = layers.LSTM(4, return_sequences=True, recurrent_dropout=0.2)(layers.Masking()(x))
    x = layers.GRU(5, return_sequences=True)(layers.SimpleRNN(5, return_sequences=True)(x))
    attended = layers.MultiHeadAttention(2, 3)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    return inputs, layers.Dot((1, 1))([layers.GlobalAveragePooling1D()(x), layers.Conv1D(5, 9)(x)[:, 0]])


@pytest.fixture
def double_precision():
    distnet.config.set_floatx("float64")
    yield
    distnet.config.set_floatx("float32")


@pytest.mark.parametrize("network", [images, sequences], ids=lambda network: network.__name__)
def test_a_training_does_not_depend_on_the_number_of_threads(in_threads, double_precision, network):
    def weights():
        distnet.utils.set_random_seed(1)
        inputs, x = network()
        model = distnet.Model(inputs, layers.Dense(2)(x))
        model.compile("adam", "mse")
        rows = np.random.default_rng(0).standard_normal((13, *inputs.shape[1:]))
        model.fit(rows, np.ones((13, 2)), batch_size=7, epochs=2, verbose=0)
        return model.get_weights()

    alone = in_threads(1, weights)
    for a, b in zip(in_threads(3, weights), alone, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_elementwise_functions_made_ready_give_the_same_numbers_in_parts(in_threads):
    rng = np.random.default_rng(0)
    a, b, row, column = (rng.standard_normal(shape) for shape in ((7, 3), (7, 3), (3,), (7, 1)))
    shifted = rng.standard_normal((8, 3))
    calls = [(np.add, (a, b)), (np.multiply, (a, row)), (np.add, (column, 2.0)), (np.negative, (b,))]

    def result():
        results = []
        for function, args in calls:
            out = np.empty((7, 3)) if args[0].shape != (7, 1) else np.empty((7, 1))
            ready(function, *args, out=out)()
            results.append(out)
        mine, moved = a.copy(), shifted.copy()
        ready(np.add, mine, row, out=mine)()
        ready(np.add, moved[:-1], 1.0, out=moved[1:])()
        ready(np.add, moved, moved[3], out=moved)()
        return [*results, mine, moved]

    for x, y in zip(in_threads(3, result), in_threads(1, result), strict=True):
        np.testing.assert_array_equal(x, y)


def test_parts_cover_all_rows_once(in_threads):
    for count in (0, 1, 2, 5, 33):
        parts = in_threads(3, lambda count=count: teamwork.parts_of(count, 1e9, unit=4))
        assert [i for part in parts for i in range(count)[part]] == list(range(count))
        assert all(part.start % 4 == 0 for part in parts)


def test_the_first_error_is_raised_once_all_parts_have_ended():
    done = []

    def failing(number):
        time.sleep(0.01 * (3 - number))
        done.append(number)
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        teamwork.Team(2).do([lambda i=i: failing(i) for i in range(3)])
    assert sorted(done) == [0, 1, 2]


def test_helpers_treat_errors_of_numbers_as_the_thread_with_the_work_does():
    seen = []
    with np.errstate(over="raise"):
        teamwork.Team(2).do([lambda: time.sleep(0.02), lambda: seen.append(np.geterr()["over"])])
    assert seen == ["raise"]


def test_threads_that_have_work_at_the_same_time_and_parts_that_have_work_do_not_wait_for_each_other():
    team, sums = teamwork.Team(2), []

    def part():
        team.do([lambda: sums.append(1), lambda: sums.append(1)])

    users = [threading.Thread(target=lambda: [team.do([part, part]) for _ in range(20)]) for _ in range(3)]
    for user in users:
        user.start()
    for user in users:
        user.join(20)
    assert len(sums) == 3 * 20 * 4


def test_a_late_helper_holds_up_nobody():
    team = teamwork.Team(2)
    team._calls[0] = threading.Lock()  # nobody listens
    team._calls[0].acquire()
    done = []
    team.do([lambda: done.append(0), lambda: done.append(1)])
    assert done == [0, 1]
    assert team.is_resting()
    assert not team.is_resting()


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_waits_for_the_helpers():
    team, ended = teamwork.Team(2), []
    is_begun = threading.Event()

    def long():
        is_begun.set()
        time.sleep(0.1)
        ended.append(True)

    def interrupted():
        is_begun.wait(5)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        team.do([interrupted, long])
    assert ended == [True]
    team.do([lambda: ended.append(True)])


def test_a_forked_process_has_threads_of_its_own(in_threads):
    def answer():
        sums = []
        teamwork.do([lambda: sums.append(1)] * 4)
        return len(sums)

    assert in_threads(2, answer) == 4
    child = os.fork()
    if not child:
        os._exit(answer())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4


ALONE = """
import os, numpy as np
from threadpoolctl import threadpool_info
from distnet.comm import threads
from distnet.kernels import matrix_products, teamwork

def blas():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

before = blas()
with threads.one_blas_thread(), threads.one_blas_thread():
    within = blas()
    matrix_products.product_of(np.ones((500, 500)), np.ones((500, 500)))
print(threads.OF_THIS_PROCESS.count(), within == {1} or before == within, blas() == before, len(teamwork._teams))
"""


@pytest.mark.parametrize(("wanted", "count", "teams"), [("", "2", "1"), ("1", "1", "0"), ("many", "2", "1")])
def test_a_process_alone_uses_its_cores_unless_the_user_says_otherwise(wanted, count, teams):
    variables = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    cores = {0, 1} & os.sched_getaffinity(0)
    count, teams = (count, teams) if len(cores) == 2 else ("1", "0")
    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {cores})\n{ALONE}"],
        env={**variables, "OMP_NUM_THREADS": wanted}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [count, "True", "True", teams]
