"""Gradients in 16 bits: how far off they may be, on one rank; ``programs/compressed.py`` trains with them."""

import numpy as np
import pytest

from distnet.comm import LocalCommunicator
from distnet.parallel.compression import CompressedSum, pack, unpack

ROUNDING = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
EXPONENTS = (-126, -100, -30, -5, 0, 5, 20, 100, 127)


@pytest.mark.parametrize("kind", ROUNDING)
def test_a_number_is_off_by_at_most_half_a_unit_in_the_last_place(kind):
    rng = np.random.default_rng(0)
    rows = np.array([rng.uniform(-1.9, 1.9, 400) * 2.0**e for e in EXPONENTS], np.float32)
    rows = np.concatenate([rows, rows * rng.choice([1, 2.0**-20], rows.shape).astype(np.float32)])
    restored = unpack(pack(rows, kind), kind)
    assert restored.dtype == np.float32
    smallest = np.abs(rows).max(axis=1, keepdims=True) * 2.0**-39 if kind == "float16" else 2.0**-133
    assert (np.abs(restored - rows.astype(np.float64)) <= np.abs(rows) * ROUNDING[kind] + smallest).all()


@pytest.mark.parametrize("kind", ROUNDING)
def test_what_is_not_finite_stays_so_and_nothing_else_becomes_so(kind):
    rows = np.array([[np.inf, 1, -2], [np.nan, 1, -2], [-np.inf, np.nan, 0], [3e38, -1e38, 0], [0, 0, 0]], np.float32)
    np.testing.assert_allclose(unpack(pack(rows, kind), kind), rows, rtol=ROUNDING[kind])


def test_a_nan_of_any_bits_stays_one():
    bits = np.array([[0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF, 0xFF800001]], np.uint32)
    assert np.isnan(unpack(pack(bits.view(np.float32), "bfloat16"), "bfloat16")).all()


@pytest.mark.parametrize("kind", ROUNDING)
def test_ties_go_to_the_even_neighbour(kind):
    digits = {"float16": 10, "bfloat16": 7}[kind]
    tie = np.array([[1 + 2.0 ** -(digits + 1), 1 + 3 * 2.0 ** -(digits + 1)]], np.float32)
    assert unpack(pack(tie, kind), kind).tolist() == [[1, 1 + 2 * 2.0**-digits]]


@pytest.mark.parametrize("size", [0, 1, 5])
def test_one_rank_alone_sends_itself_all(size):
    buffer = np.arange(size, dtype=np.float32)
    request = CompressedSum(LocalCommunicator(), buffer, "float16", False)
    request.test()
    request.wait()
    assert buffer.tolist() == list(range(size))
