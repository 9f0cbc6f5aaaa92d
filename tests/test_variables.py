import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distnet import errors
from distnet.assignments import assignments
from distnet.variables import Variable, VariableStore

SHAPES = st.lists(st.lists(st.integers(0, 5), max_size=3).map(tuple), max_size=6)


def make(shapes, frozen=(), dtype=np.float32):
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    made = [Variable(f"v{i}", f"layer/v{i}", np.array(value)) for i, value in enumerate(values)]
    for i in frozen:
        made[i].frozen = True
    return made, [value.copy() for value in values]


@settings(max_examples=40, deadline=None)
@given(shapes=SHAPES, data=st.data(), dtype=st.sampled_from([np.float32, np.float64]))
def test_values_are_kept_and_become_views_of_flat_buffers(shapes, data, dtype):
    frozen = data.draw(st.sets(st.integers(0, max(len(shapes) - 1, 0)), max_size=len(shapes))) if shapes else set()
    made, values = make(shapes, frozen, dtype)
    store = VariableStore(made, np.dtype(dtype))
    store.move_gradients(np.zeros(store.size + 3, dtype))
    for variable, value in zip(made, values, strict=True):
        np.testing.assert_array_equal(variable.value, value)
        kept = store.weights if variable.is_trained else store.frozen
        assert variable.size == 0 or np.shares_memory(variable.value, kept)
    for i, variable in enumerate(made):
        trained = i not in frozen
        assert variable.size == 0 or np.shares_memory(variable.grad, store.message) == trained
    assert len(store.extra) == 3
    assert sum(span.stop - span.start for span in store.spans) == sum(v.size for v in made if v.is_trained)
    assert not store.gradients.any()


@settings(max_examples=20, deadline=None)
@given(shapes=SHAPES)
def test_spans_begin_on_cache_lines_and_do_not_overlap(shapes):
    store = VariableStore(make(shapes)[0], np.dtype(np.float32))
    end = 0
    for span in store.trainable():
        assert span.start % 16 == 0
        assert span.start >= end
        end = span.stop
        if span.stop > span.start:
            assert span.variable.value.ctypes.data % 64 == span.variable.grad.ctypes.data % 64 == 0
    assert store.size % 16 == 0


def test_a_change_of_the_buffer_is_a_change_of_the_variable_and_back():
    (first, second), _ = make([(2, 3), (4,)])
    store = VariableStore([first, second], np.dtype(np.float32))
    store.weights[...] = 5
    assert (first.value == 5).all()
    second.assign(np.arange(4))
    span = store.spans[1]
    assert store.weights[span.start : span.stop].tolist() == [0, 1, 2, 3]
    first.grad[...] = 2
    assert store.gradients.sum() == 12


def test_frozen_variables_lie_apart_from_the_trained_ones():
    made, _ = make([(2,), (3,), (4,)], frozen=[0])
    store = VariableStore(made, np.dtype(np.float32))
    assert [span.variable.name for span in store.spans] == ["v1", "v2"]
    made[0].assign([7, 7])
    assert 7 not in store.weights
    assert 7 in store.frozen


def test_a_store_can_be_laid_out_again():
    made, values = make([(2,), (3,)])
    old = VariableStore(made, np.dtype(np.float32))
    made[0].frozen = True
    new = VariableStore(made, np.dtype(np.float32))
    assert not old.is_current
    assert new.is_current
    for variable, value in zip(made, values, strict=True):
        np.testing.assert_array_equal(variable.value, value)


def test_gradients_can_move_to_memory_with_room_for_other_sums():
    made, _ = make([(20,), (3, 2)])
    store = VariableStore(made, np.dtype(np.float32))
    message = np.zeros(store.size + 2, np.float32)
    store.move_gradients(message)
    made[1].grad[...] = 7
    assert np.count_nonzero(message == 7) == 6
    assert np.shares_memory(store.gradients, message)
    assert store.extra.shape == (2,)


def test_assigning_checks_the_shape_and_casts():
    variable = Variable("kernel", "dense/kernel", np.zeros((2, 3), np.float32))
    variable.assign(np.ones((2, 3), np.float64))
    assert variable.dtype == np.float32
    with pytest.raises(errors.ShapeError, match=r"dense/kernel: expected a value of shape \(2, 3\), received \(3, 2\)"):
        variable.assign(np.ones((3, 2)))


def test_assignments_are_counted():
    variable = Variable("kernel", "dense/kernel", np.zeros(2))
    before = assignments()
    variable.assign([1, 2])
    assert assignments() == before + 1


def test_numpy_gives_a_copy():
    variable = Variable("kernel", "dense/kernel", np.zeros(2))
    variable.numpy()[...] = 1
    assert not variable.value.any()


def test_a_variable_is_computed_with_as_an_array_and_kept_in_dicts_by_itself():
    (weights, other), _ = make([(2, 3), (2, 3)])
    weights.assign(np.ones((2, 3)))
    weights.assign_add(np.full((2, 3), 2.0))
    weights *= 2
    assert isinstance(weights, Variable)
    assert (weights - 1 == 5).all()
    assert (len(weights), weights[0].tolist()) == (2, [6.0] * 3)
    assert {weights: 1, other: 2}[weights] == 1
