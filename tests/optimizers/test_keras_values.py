"""The numbers in Keras's own tests: ten ones, a step with 0.01 everywhere, then four with 0.1, 0.2 ... 1.0."""

import numpy as np
import pytest

from distnet.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Ftrl, Lion, Nadam, RMSprop

FTRL = Ftrl(
    learning_rate=0.05,
    learning_rate_power=-0.2,
    initial_accumulator_value=0.4,
    l1_regularization_strength=0.05,
    l2_regularization_strength=0.15,
    l2_shrinkage_regularization_strength=0.01,
    beta=0.3,
)
FIRST_AND_LAST_ENTRY = [
    (SGD(nesterov=True), [0.9999, 0.9989, 0.9979, 0.9969, 0.9959], [0.9999, 0.9899, 0.9799, 0.9699, 0.9599]),
    (Adam(amsgrad=True), [0.999, 0.9982, 0.9974, 0.9965, 0.9955], None),
    (
        AdamW(learning_rate=1.0, weight_decay=0.5, epsilon=2),
        [0.4998, 0.2486, 0.1223, 0.0586, 0.0263],
        [0.4998, 0.2382, 0.1003, 0.0258, -0.0159],
    ),
    (RMSprop(centered=True), [0.9967, 0.9933, 0.9908, 0.9885, 0.9864], None),
    (Adadelta(learning_rate=1.0, rho=0.8, epsilon=1e-6), [0.9978, 0.9947, 0.9915, 0.9882, 0.9849], None),
    (
        Adagrad(learning_rate=0.2, initial_accumulator_value=0.3, epsilon=1e-6),
        [0.9963, 0.9604, 0.9251, 0.8903, 0.856],
        [0.9963, 0.8209, 0.6891, 0.579, 0.4825],
    ),
    (
        Adamax(learning_rate=0.2, beta_1=0.85, beta_2=0.95, epsilon=1e-6),
        [0.8, 0.6827, 0.5333, 0.368, 0.1933],
        [0.8, 0.691, 0.5466, 0.3848, 0.2126],
    ),
    (
        Nadam(learning_rate=0.5, beta_1=0.5, beta_2=0.67, epsilon=1e-5),
        [0.4281, -0.1738, -0.7115, -1.2335, -1.7492],
        [0.4281, -0.1717, -0.7084, -1.2299, -1.7454],
    ),
    (FTRL, [0, -0.0034, -0.0078, -0.0121, -0.0164], [0, -0.0354, -0.0685, -0.0999, -0.1299]),
    (Lion(), [0.999, 0.998, 0.997, 0.996, 0.995], None),
]


@pytest.mark.parametrize(("optimizer", "first", "last"), FIRST_AND_LAST_ENTRY, ids=lambda v: getattr(v, "name", ""))
def test_five_steps(optimizer, first, last, ones_store, step):
    entries = []
    for gradient in [np.full(10, 0.01)] + [np.arange(0.1, 1.1, 0.1)] * 4:
        step(optimizer, ones_store, gradient)
        entries.append(ones_store.weights[[0, 9]])
    np.testing.assert_allclose(np.transpose(entries), [first, last or first], rtol=5e-4, atol=5e-4)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [(SGD(0.5), [0.5, -1.0, -0.5, 3.0]), (Ftrl(0.5), [0.2218, 1.3954, 2.3651, 2.8814])],
    ids=["sgd", "ftrl"],
)
def test_one_step(optimizer, expected, make_store, step, values):
    store = make_store({"kernel": (4,)}, [1.0, 2.0, 3.0, 4.0])
    step(optimizer, store, [1.0, 6.0, 7.0, 2.0])
    np.testing.assert_allclose(values(store.weights, store), expected, rtol=5e-4)


def test_weight_decay_over_three_steps(make_store, step, values):
    store = make_store({"kernel": (1,)}, [2.0])
    for optimizer in (SGD(1.0, weight_decay=0.004), AdamW(1.0), Adagrad(1.0, weight_decay=0.004)):
        step(optimizer, store, [0.0])
    np.testing.assert_allclose(values(store.weights, store), [1.9760959], rtol=1e-7)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"clipnorm": 1.0}, [-(0.5**0.5)] * 2),
        ({"global_clipnorm": 1}, [-(0.5**0.5)] * 2),
        ({"clipvalue": 1.0}, [-1, -1]),
    ],
)
def test_clipping_of_a_large_gradient(option, expected, make_store, step, values):
    store = make_store({"kernel": (2,)})
    step(SGD(1.0, **option), store, [100.0, 100.0])
    np.testing.assert_allclose(values(store.weights, store), expected, rtol=1e-7)
