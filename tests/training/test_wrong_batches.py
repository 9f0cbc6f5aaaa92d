"""Wrong rows and batches are named: which batch of a generator or sequence, which row of the data."""

import numpy as np
import pytest

from distnet import Input, Sequential, layers, utils
from distnet.errors import DataError, ShapeError

RNG = np.random.default_rng(0)
X, Y = RNG.random((40, 4)), RNG.random((40, 1))
GOOD = (X[:4], Y[:4])


def model(loss="mse", units=1, activation=None):
    made = Sequential([Input((4,)), layers.Dense(units, activation=activation)])
    made.compile("sgd", loss)
    return made


class Batches(utils.Sequence):
    def __init__(self, *items):
        super().__init__()
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


BAD = [
    ((X[:4, :3], Y[:4]), ShapeError, r"expected rows of shape \(4,\), received \(3,\)"),
    ((X[:4], Y[:3]), ShapeError, "expected equally many rows everywhere, but x has 4, y has 3"),
    ((X[:4], Y[:4], Y[:3, 0]), ShapeError, "sample_weight: expected 4 rows"),
    ((X[:4] * np.nan, Y[:4]), DataError, "x: row 0 holds nan"),
    ((X[:4] * 1e300, Y[:4]), DataError, "x: row 0 holds .*, which is infinite in float32"),
    ((X[:4], ["a"] * 4), DataError, "y: expected an array of numbers, received dtype <U1"),
    ((X[:0], Y[:0]), DataError, "x: expected at least one row"),
    (None, DataError, r"expected \(x, y\) or \(x, y, sample_weight\), received NoneType"),
    ("ab", DataError, "received str"),
    (X[:4], DataError, "received ndarray"),
    ((X[:4], Y[:4], None, 3), DataError, "received 4 parts"),
]


@pytest.mark.parametrize(("item", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_a_wrong_batch_is_numbered(item, error, message):
    with pytest.raises(error, match=f"batch 2 of the generator: .*{message}"):
        model().fit(iter([GOOD, GOOD, item]), steps_per_epoch=3, verbose=0)
    with pytest.raises(error, match=f"batch 2 of the sequence: .*{message}"):
        model().fit(Batches(GOOD, GOOD, item), shuffle=False, verbose=0)
    with pytest.raises(error, match=f"batch 2 of the sequence: .*{message}"):
        model().evaluate(Batches(GOOD, GOOD, item), verbose=0)


def test_a_list_is_a_batch_as_a_tuple_is():
    assert len(model().fit(iter([list(GOOD)]), steps_per_epoch=1, verbose=0).history["loss"]) == 1


def test_a_generator_function_that_was_not_called_is_told_from_data():
    def batches():
        yield GOOD

    with pytest.raises(DataError, match="received batches itself"):
        model().fit(batches, steps_per_epoch=1, verbose=0)


def test_a_validation_that_runs_dry_is_no_loss_of_0():
    once = iter([GOOD])
    with pytest.warns(UserWarning, match="The validation data ran out: epoch 2 is not validated"):
        history = model().fit(X, Y, validation_data=once, validation_steps=1, epochs=2, verbose=0).history
    assert [len(history["loss"]), len(history["val_loss"])] == [2, 1]


def test_an_evaluation_of_fewer_batches_than_asked_for_says_so():
    with pytest.warns(UserWarning, match="ran out after 1 of 3 steps"):
        model().evaluate(iter([GOOD]), steps=3, verbose=0)


@pytest.mark.parametrize("what", ["x", "y", "sample_weight"])
@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_what_is_infinite_in_the_models_dtype_is_refused_by_row(call, what):
    data = {"x": X.copy(), "y": Y.copy(), "sample_weight": np.ones(40)}
    data[what][37] = 1e300
    silent = {} if call.endswith("batch") else {"verbose": 0}
    with pytest.raises(DataError, match=f"{what}: row 37 holds 1e\\+300, which is infinite in float32"):
        getattr(model(), call)(**data, **silent)


def test_sample_weights_of_another_shape_are_told_with_the_users_shape():
    with pytest.raises(ShapeError, match=r"expected sample weights of shape \(40,\), received \(40, 3\)"):
        model().fit(X, Y, sample_weight=np.ones((40, 3)), verbose=0)


@pytest.mark.parametrize(("call", "shuffle"), [("fit", True), ("fit", False), ("predict", None)])
def test_an_index_out_of_range_is_named_by_its_row_of_the_data(call, shuffle):
    words = np.ones((40, 3), int)
    words[37, 1] = 10
    made = Sequential([Input((3,)), layers.Embedding(10, 2, name="words"), layers.Flatten(), layers.Dense(1)])
    made.compile("sgd", "mse")
    arguments = {"y": Y, "shuffle": shuffle} if call == "fit" else {}
    with pytest.raises(DataError, match="words: expected indices from 0 to 9.*It is row 37 of the data"):
        getattr(made, call)(words, batch_size=16, verbose=0, **arguments)


def test_a_label_out_of_range_in_a_later_batch_is_named():
    labels = [np.zeros(4, int), np.array([0, 1, 3, 0])]
    batches = iter([(X[:4], y) for y in labels])
    with pytest.raises(DataError, match="received 3 in row 2.*It is row 2 of the global batch"):
        model("sparse_categorical_crossentropy", 3, "softmax").fit(batches, steps_per_epoch=2, verbose=0)
