import random as python_random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distnet import addresses, errors
from distnet.comm import scope

ADDRESS = (7, "dropout", 0, 1)


@pytest.fixture(autouse=True)
def state():
    kept = vars(addresses._state).copy()
    yield
    vars(addresses._state).update(kept)


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(0, 20), width=st.integers(1, 40), first=st.integers(0, 50), step=st.integers(0, 10**6))
def test_a_row_is_the_same_whoever_asks_for_it(rows, width, first, step):
    whole = addresses.row_bits(ADDRESS, step, 0, first + rows, width)
    np.testing.assert_array_equal(addresses.row_bits(ADDRESS, step, first, rows, width), whole[first:])


@pytest.mark.parametrize(
    "other",
    [
        ((8, "dropout", 0, 1), 3),
        ((7, "noise", 0, 1), 3),
        ((7, "dropout", 0, 2), 3),
        ((7, "dropout", 0), 3),
        ((7, "dropout", 1, 0), 3),
        (ADDRESS, 4),
    ],
)
def test_every_word_of_an_address_counts(other):
    here = addresses.row_bits(ADDRESS, 3, 0, 50, 20)
    there = addresses.row_bits(*other, 0, 50, 20)
    assert (here == there).mean() < 0.01


def test_rows_and_entries_of_a_row_are_all_different():
    bits = addresses.row_bits(ADDRESS, 0, 0, 200, 50)
    assert bits.shape == (200, 50)
    assert bits.dtype == np.uint32
    assert len(np.unique(bits)) > 0.999 * bits.size


def test_bits_are_uniform():
    bits = addresses.row_bits(ADDRESS, 0, 0, 1000, 64)
    counts = np.histogram(bits, 64, (0, 2**32))[0]
    expected = bits.size / 64
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < 64 + 5 * np.sqrt(2 * 64)
    each_bit = np.unpackbits(np.ascontiguousarray(bits).view(np.uint8), axis=None).mean()
    assert abs(each_bit - 0.5) < 0.002


def test_words_and_numbers_of_an_address_do_not_run_into_each_other():
    assert addresses.key("a", "b") != addresses.key("ab")
    assert addresses.key(1, 23) != addresses.key(12, 3)
    assert addresses.key(1) != addresses.key("1")


def test_a_key_is_the_same_in_every_process_and_version():
    """Files that are resumed depend on it."""
    assert addresses.key(0, "shuffle", 3) == 306020611380471825553625725222455883321


def test_numpy_integers_are_the_addresses_of_their_values():
    addresses.key.cache_clear()
    of_integers = addresses.key(np.int64(0), "shuffle", np.uint8(3))
    addresses.key.cache_clear()
    assert addresses.key(0, "shuffle", 3) == of_integers


def test_generators_start_afresh_at_their_address():
    assert addresses.generator(1, "a").random() == addresses.generator(1, "a").random()
    assert addresses.generator(1, "a").random() != addresses.generator(2, "a").random()


def test_a_seed_seeds_numpy_and_python_too():
    def draw():
        addresses.set_random_seed(5)
        return addresses.job_seed(), np.random.rand(), python_random.random()

    assert draw() == draw()
    assert draw()[0] == 5


def test_a_seed_counts_layers_and_calls_from_the_beginning():
    addresses.set_random_seed(1)
    assert [addresses.next_build_index(), addresses.next_build_index(), addresses.next_call_index()] == [0, 1, 0]
    addresses.set_random_seed(1)
    assert [addresses.next_build_index(), addresses.next_call_index()] == [0, 0]


def test_what_one_rank_draws_alone_changes_no_shared_count():
    addresses.set_random_seed(1)
    assert [addresses.next_call_index(), addresses.next_build_index()] == [0, 0]
    with scope.alone():
        assert [addresses.next_call_index(), addresses.next_call_index(), addresses.next_build_index()] == [-1, -2, -1]
    assert [addresses.next_call_index(), addresses.next_build_index()] == [1, 1]
    with scope.alone():
        assert addresses.next_call_index() == -3


def test_without_a_seed_one_is_drawn_once():
    addresses._state.seed = None
    assert addresses.job_seed() == addresses.job_seed()
    assert 0 <= addresses.job_seed() < 2**32


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", None, True])
def test_a_seed_is_a_32_bit_number(seed):
    with pytest.raises(errors.ArgumentError, match=r"expected an integer in \[0, 2\*\*32\)"):
        addresses.set_random_seed(seed)


def test_numpy_integers_are_seeds():
    addresses.set_random_seed(np.int64(3))
    assert addresses.job_seed() == 3
