"""Every kernel set against naive loops."""

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

from distnet import kernels
from distnet.errors import ArgumentError
from distnet.kernels.base import MAX_SLOTS, Draw
from distnet.kernels.numpy_kernels import _CHUNK_BYTES
from distnet.optimizers import formulas
from kernel_sets import KERNEL_SETS, NEEDS_NUMBA

pytestmark = pytest.mark.slow

FORMULAS = [f for _, f in inspect.getmembers(formulas, inspect.isfunction) if f.__module__ == formulas.__name__]
ULPS = {"ftrl": 64, "ftrl_square_root": 64}
"""Ftrl divides a difference of powers, which every library rounds in its own way, by the learning rate."""
SIZES = (0, 1, 37, _CHUNK_BYTES // 4 + 3)


@pytest.fixture(params=KERNEL_SETS)
def kernel(request):
    return kernels.load(request.param)


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request):
    return np.dtype(request.param)


def arguments(formula, size, dtype):
    """Arrays for w, g and slots, and a number for each scalar."""
    result_names = formula.__code__.co_varnames[: formula.__code__.co_argcount]
    rng = np.random.default_rng(size)
    slots = returned_slots(formula)
    arrays = [rng.standard_normal(size).astype(dtype) for _ in range(2)]
    arrays += [(0.3 + 0.2 * rng.random(size)).astype(dtype) for _ in range(slots)]
    return arrays, [0.1 + 0.07 * i for i in range(len(result_names) - 2 - slots)]


def returned_slots(formula):
    count = formula.__code__.co_argcount
    for slots in range(MAX_SLOTS + 1):
        one = [np.float64(0.4)] * count
        if len(formula(*one)) == slots + 1:
            return slots
    raise AssertionError(formula)


def ulps(actual, expected):
    return np.max(np.abs(actual - expected) / np.spacing(np.maximum(np.abs(expected), 1)), initial=0)


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.__name__)
def test_an_update_is_its_formula_for_each_weight(kernel, dtype, formula):
    arrays, scalars = arguments(formula, 37, dtype)
    rows = zip(*arrays, strict=True)
    expected = np.array([formula(*row, *map(dtype.type, scalars)) for row in rows]).T
    w, g, *slots = arrays
    gradient = g.copy()
    kernel.update(formula, w, g, slots, scalars)
    assert all(result.dtype == dtype for result in expected)
    for actual, naive in zip((w, *slots), expected, strict=True):
        assert ulps(actual, naive) <= ULPS.get(formula.__name__, 2)
    np.testing.assert_array_equal(g, gradient)


def test_an_update_that_is_ready_makes_the_same_updates_again_and_again(kernel, dtype):
    formula = formulas.adam
    (w, g, *slots), scalars = arguments(formula, 37, dtype)
    (twin, _, *twins), _ = arguments(formula, 37, dtype)
    update = kernel.ready_update(formula, w, g, slots, len(scalars))
    for step in range(3):
        g += step
        rate, *others = scalars
        update((rate * step, *others))
        kernel.update(formula, twin, g, twins, (rate * step, *others))
        np.testing.assert_array_equal([w, *slots], [twin, *twins])


@NEEDS_NUMBA
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.__name__)
def test_kernel_sets_agree_to_rounding_at_any_size(dtype, formula, size):
    results = []
    for name in ("numpy", "numba"):
        (w, g, *slots), scalars = arguments(formula, size, dtype)
        kernels.load(name).update(formula, w, g, slots, scalars)
        results.append((w, *slots))
    for of_numpy, of_numba in zip(*results, strict=True):
        assert ulps(of_numba, of_numpy) <= ULPS.get(formula.__name__, 2)


def test_divergence_is_silent(kernel):
    w = np.ones(3, np.float32)
    kernel.update(formulas.rmsprop, w, np.zeros(3, np.float32), [np.zeros(3, np.float32)], (1.0, 0.9, 0.1, 0.0, 0.0))
    assert np.isnan(w).all()


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (5, 7), (2, 3, 4)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", kernels.FUSED_ACTIVATIONS)
def test_bias_activation_works_in_place(kernel, dtype, shape, bias, activation):
    rng = np.random.default_rng(1)
    z = rng.standard_normal(shape).astype(dtype)
    b = rng.standard_normal(shape[-1]).astype(dtype) if bias else None
    expected = z + (b if bias else 0)
    if activation == "relu":
        expected = np.where(expected > 0, expected, 0)
    other = np.full_like(z, 9)
    assert kernel.bias_activation(z, b, activation, other) is other
    assert kernel.bias_activation(z, b, activation) is z
    np.testing.assert_array_equal(z, expected)
    np.testing.assert_array_equal(other, expected)


def test_relu_does_not_hide_nan(kernel):
    z = np.array([[np.nan, -1.0, 2.0]])
    np.testing.assert_array_equal(kernel.bias_activation(z.copy(), np.zeros(3), "relu"), [[np.nan, 0, 2]])
    np.testing.assert_array_equal(kernel.bias_activation(z.copy(), None, "relu"), [[np.nan, 0, 2]])


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("shape", [(0,), (3, 5)])
@pytest.mark.parametrize("activation", kernels.FUSED_ACTIVATIONS)
def test_activation_gradient_passes_where_the_output_is_positive(kernel, dtype, shape, activation, in_place):
    rng = np.random.default_rng(2)
    dy = rng.standard_normal(shape).astype(dtype)
    y = np.maximum(rng.standard_normal(shape), 0).astype(dtype)
    expected = np.where(y > 0, dy, 0) if activation == "relu" else dy.copy()
    out = dy if in_place else np.full_like(dy, 9)
    assert kernel.activation_gradient(dy, y, activation, out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("threshold", [0, 2**31, 2**32])
@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (6, 11)])
def test_dropout_keeps_and_scales_entries_below_the_threshold(kernel, dtype, shape, threshold):
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape).astype(dtype)
    bits = rng.integers(0, 2**32, (shape[0], 16), dtype=np.uint32)[:, : shape[1]]
    bits[:, ::5] = 2**32 - 1
    expected = np.where(bits.astype(np.uint64) < threshold, x * dtype.type(1.6), 0)
    out = np.full_like(x, 9)
    assert kernel.dropout(x, bits, threshold, 1.6, out) is out
    np.testing.assert_array_equal(out, expected)
    kernel.dropout(x, bits, threshold, 1.6, out=x)
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("threshold", [0, 1, 2**31, 2**32])
@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (6, 11), (300, 24)])
@pytest.mark.parametrize("channels", [None, 1, 0])
def test_bias_relu_and_dropout_in_one_pass_are_the_three(kernel, dtype, shape, threshold, channels):
    rng, draw = np.random.default_rng(3), Draw(key=3 << 70, step=4, first_row=5)
    z = rng.standard_normal(shape).astype(dtype)
    z[1:2, :1], z[2:3, :1] = np.nan, np.inf
    bias = None if channels is None else rng.standard_normal(channels or shape[1]).astype(dtype)
    expected = z.copy().reshape(-1, 1) if channels == 1 else z.copy()
    kernel.bias_activation(expected, bias, "relu")
    expected = expected.reshape(shape)
    bits = kernel.random_bits(*draw, np.empty(shape, np.uint32))
    kernel.dropout(expected, bits, threshold, 1.6, expected)
    given, other = z.copy(), np.empty_like(z)
    kernel.relu_dropout(z, bias, draw, threshold, 1.6)
    np.testing.assert_array_equal(z, expected)
    again = kernel.ready_relu_dropout(other, bias, draw.key, threshold, 1.6)
    for step, first_row in ((9, 0), (draw.step, draw.first_row)):
        other[...] = given
        again(step, first_row)
    np.testing.assert_array_equal(other, expected)


def test_an_activation_that_is_not_fused_is_refused(kernel):
    with pytest.raises(ArgumentError, match="'softmax'"):
        kernel.bias_activation(np.zeros((1, 1)), None, "softmax")
    with pytest.raises(ArgumentError, match="'softmax'"):
        kernel.activation_gradient(np.zeros(1), np.zeros(1), "softmax", np.zeros(1))


@NEEDS_NUMBA
def test_numba_refuses_what_it_would_have_to_copy():
    with pytest.raises(ArgumentError, match="contiguous"):
        kernels.load("numba").bias_activation(np.zeros((4, 4))[:, ::2], np.zeros(2), "relu")


@NEEDS_NUMBA
def test_numba_refuses_more_slots_than_it_has_loops_for():
    with pytest.raises(ArgumentError, match="at most 3 slots"):
        kernels.load("numba").update(formulas.sgd, np.zeros(1), np.zeros(1), [np.zeros(1)] * 4, (1.0,))


@NEEDS_NUMBA
def test_the_environment_chooses_the_kernels(monkeypatch):
    monkeypatch.delenv("DISTNET_KERNELS", raising=False)
    assert kernels.current().name == "numba"
    monkeypatch.setenv("DISTNET_KERNELS", "numpy")
    assert kernels.current().name == "numpy"
    monkeypatch.setenv("DISTNET_KERNELS", "fortran")
    with pytest.raises(ArgumentError, match="'fortran'"):
        kernels.current()


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None
from distnet import kernels
from distnet.errors import ArgumentError
print(kernels.current().name)
try:
    kernels.load("numba")
except ArgumentError as error:
    print(error)
"""


def run(code, **environment):
    environment = {k: v for k, v in os.environ.items() if k != "DISTNET_KERNELS"} | environment
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_numba_numpy_kernels_are_used_and_numba_cannot_be_forced():
    chosen, refusal = run(WITHOUT_NUMBA).splitlines()
    assert chosen == "numpy"
    assert "distnet[fast]" in refusal


def test_numba_is_imported_on_first_use_only():
    code = "import sys, distnet, distnet.kernels, distnet.optimizers; print('numba' in sys.modules)"
    assert run(code).strip() == "False"


USE_FORMULA = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np, formula
from distnet.kernels.numba_kernels import NumbaKernels
from distnet.kernels.update_loops import update_loop
w = np.ones(3)
NumbaKernels().update(formula.step, w, w.copy(), [], (2.0,))
compiles = "numba.cpython.setobj" in sys.modules  # what numba then imports, with much else
print(w[0], sum(update_loop(formula.step, 0, 1).stats.cache_hits.values()), compiles)
"""


@NEEDS_NUMBA
@pytest.mark.slow
def test_a_formula_is_compiled_once_per_machine_and_anew_when_edited(tmp_path):
    source = tmp_path / "formula.py"
    use = USE_FORMULA.format(folder=str(tmp_path))
    source.write_text("def step(w, g, lr):\n    return (w - lr * g,)\n")
    assert run(use, NUMBA_CACHE_DIR=str(tmp_path)) == "-1.0 0 True\n"
    assert run(use, NUMBA_CACHE_DIR=str(tmp_path)) == "-1.0 1 False\n"
    source.write_text("def step(w, g, lr):\n    return (w + lr * g,)  # edited\n")
    assert run(use, NUMBA_CACHE_DIR=str(tmp_path)) == "3.0 0 True\n"


@NEEDS_NUMBA
@pytest.mark.slow
def test_the_formulas_of_distnet_are_cached():
    code = """
import numpy as np
from distnet.optimizers import formulas
from distnet.kernels.numba_kernels import NumbaKernels
from distnet.kernels.update_loops import update_loop
NumbaKernels().update(formulas.sgd, np.ones(3), np.ones(3), [], (2.0,))
print(sum(update_loop(formulas.sgd, 0, 1).stats.cache_hits.values()))
"""
    run(code)
    assert run(code) == "1\n"


@NEEDS_NUMBA
def test_a_formula_without_a_source_file_is_compiled_too():
    namespace = {}
    exec(compile("def step(w, g, lr):\n    return (w - lr * g,)\n", "<prompt>", "exec"), namespace)  # noqa: S102
    w = np.ones(2)
    kernels.load("numba").update(namespace["step"], w, np.ones(2), [], (3.0,))
    np.testing.assert_array_equal(w, [-2, -2])


def test_formulas_hold_no_literals():
    """A literal is an int64 or a float64 to numba and would take a float32 loop with it."""
    for formula in FORMULAS:
        constants = [c for c in formula.__code__.co_consts if isinstance(c, int | float)]
        assert constants == [], formula.__name__


USE_BIAS = """
import numpy as np
from distnet.kernels import entry_loops, numba_kernels
for dtype in ("float32", "float64"):
    z = numba_kernels.NumbaKernels().bias_activation(np.ones((2, 3), dtype), np.ones(3, dtype), "linear")
    print(z.sum(), end=" ")
print(sum(entry_loops.bias.stats.cache_hits.values()))
"""


@NEEDS_NUMBA
@pytest.mark.slow
def test_code_that_lies_in_the_cache_under_another_dtype_is_compiled_anew(tmp_path):
    assert run(USE_BIAS, NUMBA_CACHE_DIR=str(tmp_path)) == "12.0 12.0 0\n"
    assert run(USE_BIAS, NUMBA_CACHE_DIR=str(tmp_path)) == "12.0 12.0 2\n"
    first, second = sorted(tmp_path.rglob("*.bias-*.nbc"))
    first.write_bytes(second.read_bytes())  # as two processes leave it that compile at once
    assert run(USE_BIAS, NUMBA_CACHE_DIR=str(tmp_path)) == "12.0 12.0 1\n"
    assert run(USE_BIAS, NUMBA_CACHE_DIR=str(tmp_path)) == "12.0 12.0 2\n"


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 7), (33, 48), (4, 70)])
def test_softmax_crossentropy_is_its_definition(kernel, dtype, shape):
    rng = np.random.default_rng(3)
    z, t = 5 * rng.standard_normal(shape), rng.random(shape)
    values, slopes = np.empty(shape[0], dtype), np.empty(shape, dtype)
    kernel.softmax_crossentropy(z.astype(dtype), t.astype(dtype), values, slopes)
    wide, scaled, factor = np.empty(shape[0]), np.empty(shape, dtype), np.dtype(dtype).type(0.3)
    kernel.softmax_crossentropy(z.astype(dtype), t.astype(dtype), wide, scaled, factor)
    np.testing.assert_array_equal(wide, values.astype(np.float64))
    np.testing.assert_array_equal(scaled, slopes * factor)
    shares = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(values, -(t * np.log(shares)).sum(axis=1), **tolerance)
    np.testing.assert_allclose(slopes, shares * t.sum(axis=1, keepdims=True) - t, **tolerance)


def test_equal_peaks_are_those_of_argmax(kernel, dtype):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, (2, 300, 4)).astype(dtype)
    a[::7, 1], b[::5, 2], a[::11, 3] = np.nan, np.nan, np.inf
    assert kernel.equal_peaks(a, b) == (a.argmax(axis=1) == b.argmax(axis=1)).sum()


def test_softmax_crossentropy_does_not_overflow_or_hide_nan(kernel, dtype):
    z = np.array([[1e4, 0, -1e4], [0, np.nan, 0]], dtype)
    values, slopes = np.empty(2, dtype), np.empty((2, 3), dtype)
    kernel.softmax_crossentropy(z, np.array([[0, 0, 1], [1, 0, 0]], dtype), values, slopes)
    assert values[0] == 2e4
    np.testing.assert_array_equal(slopes[0], [1, 0, -1])
    assert np.isnan(values[1])
    assert np.isnan(slopes[1]).all()


GRADIENTS = {
    "activation_gradient": lambda k, dy, y, out: k.activation_gradient(dy, y, "relu", out),
    "bias_gradient": lambda k, dy, y, out: k.bias_gradient(dy, y, "relu", out),
    "column_gradient": lambda k, dy, y, out: k.column_gradient(
        *(a[None] for a in (dy, y)), *np.ones((4, 1, 7)), out[None]
    ),
    "dropout": lambda k, dy, y, out: k.dropout(dy, (y > 0).view(np.uint8).astype(np.uint32) * 2**31, 2**31, 2.0, out),
    "normalize_rows_gradient": lambda k, dy, y, out: k.normalize_rows_gradient(
        dy, y, k.normalize_rows(y, None, None, 1e-3, True, np.empty_like(y)), None, True, out
    ),
    "softmax": lambda k, dy, y, out: k.softmax(dy, out),
    "softmax_gradient": lambda k, dy, y, out: k.softmax_gradient(dy, y, out),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_what_is_overwritten_becomes_what_is_written_apart_from_read_only_numbers(kernel, dtype, name):
    dy, y = np.random.default_rng(5).standard_normal((2, 70, 7)).astype(dtype)
    apart, overwritten = np.full_like(dy, 9), dy.copy()
    dy.flags.writeable = False
    GRADIENTS[name](kernel, dy, y, apart)
    GRADIENTS[name](kernel, overwritten, y, overwritten)
    np.testing.assert_allclose(overwritten, apart, rtol=1e-5 if dtype == np.float32 else 1e-13, atol=1e-7)
