"""``keras.random``: the distributions, the seeds, and the same numbers on any number of ranks."""

import numpy as np
import pytest

import distnet as keras
from distnet import GradientTape, ops, random
from distnet.errors import ArgumentError
from distnet.ops.present import running
from distnet.ops.tensor import Rows, Tensor

N = 20_000

DISTRIBUTIONS = {
    "normal": (lambda **o: random.normal((N,), 2.0, 3.0, **o), 2.0, 3.0),
    "truncated_normal": (lambda **o: random.truncated_normal((N,), 1.0, 2.0, **o), 1.0, 2 * 0.8796),
    "uniform": (lambda **o: random.uniform((N,), -1.0, 3.0, **o), 1.0, 4 / 12**0.5),
    "randint": (lambda **o: random.randint((N,), 3, 9, **o), 5.5, (35 / 12) ** 0.5),
    "gamma": (lambda **o: random.gamma((N,), 2.5, **o), 2.5, 2.5**0.5),
    "beta": (lambda **o: random.beta((N,), 2.0, 3.0, **o), 0.4, 0.2),
    "binomial": (lambda **o: random.binomial((N,), 10, 0.3, **o), 3.0, 2.1**0.5),
    "categorical": (lambda **o: random.categorical(np.log([[0.2, 0.3, 0.5]]), N, **o), 1.3, 0.61**0.5),
    "dropout": (lambda **o: random.dropout(np.ones(N, "float32"), 0.25, **o), 1.0, 1 / 3**0.5),
    "shuffle": (lambda **o: random.shuffle(np.arange(N), **o), (N - 1) / 2, N / 12**0.5),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_moments_are_those_of_the_distribution(name):
    draw, mean, deviation = DISTRIBUTIONS[name]
    numbers = np.asarray(draw(seed=7), float)
    assert abs(numbers.mean() - mean) < 4 * deviation / N**0.5 + 1e-9
    assert abs(numbers.std() - deviation) < 0.03 * deviation


def test_ranges_and_dtypes():
    numbers = random.truncated_normal((N,), seed=1)
    assert np.abs(numbers).max() <= 2
    assert numbers.dtype == "float32"
    numbers = random.uniform((N,), seed=1)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert set(random.randint((N,), -1, 3, seed=1).tolist()) == {-1, 0, 1, 2}
    assert random.randint((), 0, 3).dtype == "int32"
    assert random.normal((2, 3), dtype="float64").dtype == "float64"
    assert random.categorical(np.zeros((4, 3)), 5).shape == (4, 5)


def test_an_integer_gives_the_same_numbers_each_time_and_a_generator_others():
    np.testing.assert_array_equal(random.normal((3,), seed=4), random.normal((3,), seed=4))
    assert (random.normal((3,)) != random.normal((3,))).all()
    first, second = random.SeedGenerator(4), random.SeedGenerator(4)
    a, b = random.normal((3,), seed=first), random.normal((3,), seed=first)
    assert (a != b).all()
    np.testing.assert_array_equal(a, random.normal((3,), seed=second))
    np.testing.assert_array_equal(first.state.numpy(), [4, 2])
    again = random.SeedGenerator.from_config(first.get_config())
    again.state.assign(second.state.value)
    np.testing.assert_array_equal(b, random.normal((3,), seed=again))


def test_set_random_seed_repeats_all():
    keras.utils.set_random_seed(3)
    first = random.normal((3,)), random.SeedGenerator().get_config()
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(random.normal((3,)), first[0])
    assert random.SeedGenerator().get_config() == first[1]


DRAWS = {
    **{
        name: lambda x, draw=draw: draw((6, 2))
        for name, draw in (("normal", random.normal), ("uniform", random.uniform))
    },
    "truncated_normal": lambda x: random.truncated_normal((6, 2), seed=3),
    "randint": lambda x: random.randint((6, 2), 0, 1000),
    "gamma": lambda x: random.gamma((6, 2), x + 1.0),
    "beta": lambda x: random.beta((6,), 1.0, np.arange(1.0, 7.0)),
    "binomial": lambda x: random.binomial((6, 2), 100, 0.5),
    "categorical": lambda x: random.categorical(x, 9),
    "dropout": lambda x: random.dropout(x, 0.5),
    "noise for all rows": lambda x: random.dropout(x, 0.5, noise_shape=(1, 2)),
    "other shape": lambda x: random.normal((4, 3)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_each_rank_draws_its_rows_of_what_one_rank_draws(name):
    whole_x = np.arange(1.0, 13.0).reshape(6, 2)
    with running(None, 5, lambda: (1, "here")):
        whole = DRAWS[name](ops.convert_to_tensor(whole_x)).numpy()
    parts = []
    for first, count in ((0, 2), (2, 0), (2, 4)):
        rows = Rows(6, first, count)
        with running(rows, 5, lambda: (1, "here")):
            x = Tensor(whole_x[first : first + count], rows=rows)
            part = DRAWS[name](x)
        assert part.shape == whole.shape
        parts.append(part.value if part.rows is not None else part.value[first : first + count])
    if name == "other shape":
        np.testing.assert_array_equal(part.value, whole)
    else:
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_steps_and_draws_of_a_step_differ():
    def drawn(step):
        with running(None, step, lambda: (1, "here")):
            return random.normal((3,)).numpy(), random.normal((3,)).numpy()

    assert (drawn(1)[0] != drawn(1)[1]).all()
    assert (drawn(1)[0] != drawn(2)[0]).all()
    np.testing.assert_array_equal(drawn(1), drawn(1))


def test_gradients_flow_through_mean_deviation_and_what_is_kept():
    mean, deviation, x = (ops.convert_to_tensor(np.full(3, v)) for v in (1.0, 2.0, 3.0))
    with GradientTape() as tape:
        for tensor in (mean, deviation, x):
            tape.watch(tensor)
        y = ops.sum(random.normal((3,), mean, deviation, dtype="float64", seed=1)) + ops.sum(
            random.dropout(x, 0.5, seed=2)
        )
    by_mean, by_deviation, by_x = tape.gradient(y, [mean, deviation, x])
    np.testing.assert_array_equal(by_mean, 1)
    np.testing.assert_allclose(by_deviation, random.normal((3,), dtype="float64", seed=1))
    np.testing.assert_array_equal(by_x, random.dropout(np.ones(3), 0.5, seed=2))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: random.normal((2,), seed="a"),
        lambda: random.SeedGenerator(-1),
        lambda: random.normal(keras.Input((3,)).shape),
        lambda: random.dropout(np.ones(3), 1.1),
        lambda: random.randint((2,), 0, 3, dtype="float32"),
        lambda: random.randint((2,), 3, 3),
        lambda: random.normal((2,), dtype="int32"),
        lambda: random.uniform((2,), 0, 10, dtype="int32"),
        lambda: random.normal((2, -1)),
        lambda: random.normal((2.5,)),
        lambda: random.gamma((2,), -1.0),
        lambda: random.binomial((2,), 5, 2.0),
        lambda: random.shuffle(np.arange(3), axis=1),
        lambda: random.shuffle(3),
        lambda: random.categorical(np.zeros(3), 2),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ArgumentError):
        wrong()


def test_all_entries_are_dropped_at_a_rate_of_1():
    np.testing.assert_array_equal(random.dropout(np.ones((2, 3)), 1.0), np.zeros((2, 3)))
