"""What distnet asks of compiled code: the one seam between mathematics and loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from distnet.kernels.late_sum import LateSum
from distnet.kernels.readying import Call
from distnet.kernels.sweeps import Sweep
from distnet.kernels.windows import Windows
from distnet.types import Array, DType

Formula: TypeAlias = Callable[..., tuple[Array, ...]]
"""An elementwise rule ``(w, g, *slots, *scalars) -> (w, *slots)``; see ``distnet.optimizers.formulas``."""

Vectorwise: TypeAlias = Callable[..., Any]
"""A function of whole arrays in double precision; see ``Kernels.vectorwise``."""

Passed: TypeAlias = tuple[Array, Array]
"""The scale and the shift of a map of channels, (G, C) each, behind which there was a ReLU."""

FUSED_ACTIVATIONS = ("linear", "relu")
"""The activations that a kernel set fuses with what comes before them."""

MAX_SLOTS = 3
"""The most slots that a formula may have."""


class Draw(NamedTuple):
    """Where random bits come from; see ``distnet.addresses.random_bits``."""

    key: int
    step: int
    first_row: int


class Memory(Protocol):
    """Who gives memory for intermediate results."""

    def workspace(self, name: str, shape: tuple[int, ...], dtype: DType) -> Array:
        """An array with arbitrary content."""


class Cells(Protocol):
    """All time steps of a run in one call, of cells whose gates are sigmoids and whose activation is tanh.

    Arrays are those of ``distnet.layers.recurrent.time_steps.TimeSteps``, whose steps one by one are the reference;
    float32 or float64, contiguous, with at least one row. ``fed`` is ``h`` less its last entry where there are no
    factors; ``dy`` has the gradients of the outputs of all steps, (N, T, U) in their order; the functions called
    back overwrite the gradients ``d`` of the last states with those of the first.
    """

    def lstm(
        self, z: Array, bias: Array | None, kernel: Array, h: Array, c: Array, squashed: Array, factors: Array | None,
        fed: Array, skipped: Array | None, memory: Memory,
    ) -> None:  # fmt: skip
        """Overwrite ``z``, the inputs' part of the gates less their bias, with the gates, and write the states."""

    def lstm_back(
        self, y: Array, dy: Array | None, kernel: Array, c: Array, squashed: Array, factors: Array | None,
        skipped: Array | None, d: list[Array], dz: Array, memory: Memory,
    ) -> None:  # fmt: skip
        """Write ``dz`` for the gates ``y``."""

    def gru(
        self, z: Array, bias: Array | None, inner_bias: Array | None, kernel: Array, h: Array, inner: Array,
        factors: Array | None, fed: Array, skipped: Array | None, memory: Memory,
    ) -> None:  # fmt: skip
        """Like ``lstm``, of a GRU whose reset gate acts on the product; of ``inner`` only the candidate's part."""

    def gru_back(
        self, y: Array, dy: Array | None, kernel: Array, h: Array, inner: Array, factors: Array | None,
        skipped: Array | None, d: list[Array], dz: Array, dinner: Array, memory: Memory,
    ) -> None:  # fmt: skip
        """Write ``dz``, and ``dinner``, the gradient of the product."""

    def simple(
        self, z: Array, bias: Array | None, kernel: Array, h: Array, factors: Array | None, fed: Array,
        skipped: Array | None, memory: Memory,
    ) -> None:  # fmt: skip
        """Like ``lstm``, of a cell without gates."""

    def simple_back(
        self, y: Array, dy: Array | None, kernel: Array, factors: Array | None, skipped: Array | None, d: list[Array],
        dz: Array, memory: Memory,
    ) -> None:  # fmt: skip
        """Write ``dz``."""


class Tiles(Protocol):
    """Convolutions and products in register blocks, made ready to be called any number of times on the same arrays.

    Each output is one sum in a fixed order, wherever it lies in the batch; where many numbers of the batch are zero,
    these may be left out of it, which differs in rounding alone.
    """

    def correlate(self, x: Array, w: Array, sweep: Sweep, out: Array, memory: Memory) -> Call:
        """Overwrite ``out`` with what a sweep reads of ``x`` times the weights.

        Shapes:
            x (N, D, H, W, C), w (taps, C / groups, O) -> out (N, D', H', W', O); all contiguous.
        """

    def correlate_gradient(self, x: Array, dz: Array, sweep: Sweep, total: Array, memory: Memory) -> Call:
        """Overwrite ``total`` with the gradient of the weights.

        Shapes:
            x (N, D, H, W, C), dz (N, D', H', W', O) -> total (taps, C / groups, O); all contiguous.
        """

    def transpose_taps(self, kernel: Array, taps: Array, groups: int, w: Array) -> Call:
        """Overwrite ``w`` with the weights by which a convolution's gradient goes back to its input.

        Shapes:
            kernel (taps, C / groups, O) -> w (T, O / groups, C), of the T taps that are numbered; contiguous.
        """

    def multiply(self, a: Array, b: Array, out: Array) -> Call:
        """``out = a b``.

        Shapes:
            a (M, K), b (K, N) -> out (M, N), contiguous; a and b, or their transposes, too.
        """

    def skip_zeros(self, a: Array, b: Array, out: Array, otherwise: Call) -> Call:
        """``out = a b`` without multiplying by zeros, where they are many; else ``otherwise``, which does the same.

        What is done depends on the numbers of the whole batch each time; it differs in rounding alone.
        """


class Kernels(Protocol):
    """What NumPy cannot do in one pass over memory. All sets agree to rounding; none allocates its results."""

    name: str
    """``"numpy"`` or ``"numba"``."""

    cells: Cells | None
    """Recurrent cells; None where their time steps are taken one by one."""

    tiles: Tiles | None
    """Register blocks; None where products are BLAS's alone."""

    def update(
        self, formula: Formula, w: Array, g: Array, slots: Sequence[Array], scalars: Sequence[float] = ()
    ) -> None:
        """Overwrite ``w`` and ``slots`` with ``formula(w, g, *slots, *scalars)``.

        Shapes:
            w, g, slots: (P,), contiguous, of one dtype; the scalars are cast to it.

        Args:
            formula: elementwise; see ``distnet.optimizers.formulas`` for what it may contain.
        """

    def ready_update(
        self, formula: Formula, w: Array, g: Array, slots: Sequence[Array], count: int
    ) -> Callable[[Sequence[float]], object]:
        """What updates these arrays again and again, given ``count`` scalars each time."""

    def vectorwise(self, function: Vectorwise) -> Vectorwise:
        """The function, or compiled code that does the same.

        Args:
            function: of arrays and numbers, whole and in double precision; it holds nothing but arithmetic, NumPy
                ufuncs and reductions, and is no closure. It writes its results into arguments, or returns a number.
        """

    def update_by_sum(
        self, formula: Formula, w: Array, g: LateSum, slots: Sequence[Array], scalars: Sequence[float] = ()
    ) -> None:
        """``update`` by a sum of gradients; the sum itself need not be written."""

    def bias_activation(self, z: Array, bias: Array | None, activation: str, out: Array | None = None) -> Array:
        """``out = activation(z + bias)``; returns ``out``, by default ``z``.

        Shapes:
            z, out: (..., O), contiguous; bias: (O,).

        Args:
            activation: one of ``FUSED_ACTIVATIONS``.
        """

    def activation_gradient(self, dy: Array, y: Array, activation: str, out: Array) -> Array:
        """``out = dy * activation'(z)``, the derivative taken from ``y = activation(z)``; returns ``out``.

        Shapes:
            dy, y, out: all equal and contiguous; ``out`` may be ``dy``.

        Args:
            activation: one of ``FUSED_ACTIVATIONS``.
        """

    def bias_gradient(self, dy: Array, y: Array, activation: str, out: Array, scale: float = 1.0) -> Array:
        """``activation_gradient`` times ``scale``; returns the sums of the rows of ``out``, (O,) float64.

        Shapes:
            dy, y, out: (S, O), contiguous; ``out`` may be ``dy``.
        """

    def dropout(self, x: Array, bits: Array, threshold: int, scale: float, out: Array) -> Array:
        """``out = x * scale`` where ``bits < threshold``, else 0; returns ``out``.

        Shapes:
            x, bits, out: (N, F); ``out`` may be ``x``.

        Args:
            bits: uint32, uniform.
            threshold: probability to keep an entry, times 2**32; 0 to 2**32.
            scale: what kept entries are multiplied by.
        """

    def relu_dropout(self, z: Array, bias: Array | None, draw: Draw, threshold: int, scale: float) -> None:
        """``z = relu(z + bias)``, and the ``dropout`` of that with ``draw``'s bits, in one pass.

        Shapes:
            z: (N, F), contiguous; bias: (O,), added to each O entries of a row.
        """

    def ready_relu_dropout(
        self, z: Array, bias: Array | None, key: int, threshold: int, scale: float
    ) -> Callable[[int, int], object]:
        """``relu_dropout`` on these arrays, of the step and the first row that it is called with."""

    def add_rows(self, out: Array, rows: Array, values: Array) -> None:
        """``out[rows[i]] += values[i]`` for each i; rows may occur several times.

        Shapes:
            out: (R, F); rows: (M,) of intp, in [0, R); values: (M, F); all contiguous.
        """

    def softmax_crossentropy(self, z: Array, t: Array, values: Array, slopes: Array, factor: Any = 1.0) -> None:
        """``values = -sum(t log_softmax(z))`` of each row; ``slopes = softmax(z) sum(t) - t``, their derivatives by z.

        Shapes:
            z, t, slopes: (N, C) of one dtype, contiguous; values: (N,), of that dtype or a wider one.

        Args:
            factor: by which the slopes are multiplied; cast to their dtype.
        """

    def equal_peaks(self, a: Array, b: Array) -> int:
        """In how many rows the largest entries lie at the same place; ties go to the first, NaN is the largest.

        Shapes:
            a, b: (N, C), C > 0, contiguous.
        """

    def random_bits(self, key: int, step: int, first_row: int, out: Array) -> Array:
        """Overwrite ``out`` with random bits (see ``distnet.addresses.row_bits``), and return it.

        Shapes:
            out: (rows, width) uint32, contiguous.

        Args:
            key: 128 bits.
        """

    def softmax(self, x: Array, out: Array) -> None:
        """``out = exp(x) / sum(exp(x))`` of each row.

        Shapes:
            x, out: (M, D), contiguous; ``out`` may be ``x``.
        """

    def softmax_gradient(self, dy: Array, y: Array, out: Array) -> None:
        """``out = (dy - sum(dy y)) y`` of each row.

        Shapes:
            dy, y, out: (M, D), contiguous; ``out`` may be ``dy``.
        """

    def normalize_rows(
        self, x: Array, gamma: Array | None, beta: Array | None, epsilon: float, is_centered: bool, out: Array
    ) -> tuple[Array, Array]:
        """``out = gamma (x - mean) / sqrt(variance + epsilon) + beta``; without the mean unless ``is_centered``.

        Shapes:
            x, out: (M, D), contiguous; gamma, beta: (D,); returns the means and the inverse deviations, (M, 1).
        """

    def normalize_rows_gradient(
        self, dy: Array, x: Array, statistics: tuple[Array, Array], gamma: Array | None, is_centered: bool, out: Array
    ) -> tuple[Array, Array]:
        """Write the gradient of x; return those of gamma and beta, (D,) float64.

        Shapes:
            dy, x, out: (M, D), contiguous; statistics: what ``normalize_rows`` returned; gamma: (D,).
        """

    def column_sums(self, x: Array) -> Array:
        """(G, C) float64 sums over the rows.

        Shapes:
            x: (G, S, C), contiguous: S rows of C channels in each of G groups.
        """

    def column_moments(self, x: Array) -> tuple[Array, Array]:
        """(G, C) float64 means over the rows, and sums of the squares about them; 0 where there are no rows.

        Shapes:
            x: (G, S, C), contiguous.
        """

    def column_map(
        self,
        x: Array,
        mean: Array,
        scale: Array,
        shift: Array,
        out: Array,
        activation: str = "linear",
        other: Array | None = None,
    ) -> None:
        """``out = activation((x - mean) scale + shift + other)``.

        Shapes:
            x, other, out: (G, S, C), contiguous; the others (G, C).

        Args:
            activation: one of ``FUSED_ACTIVATIONS``.
        """

    def column_products(self, dy: Array, x: Array, mean: Array, passed: Passed | None = None) -> tuple[Array, Array]:
        """(G, C) float64 sums over the rows of ``dy`` and of ``dy (x - mean)``.

        Shapes:
            dy, x: (G, S, C), contiguous; mean: (G, C).

        Args:
            passed: dy counts as 0 where the ReLU of ``column_map`` with this scale and this shift made 0.
        """

    def relu_products(self, dy: Array, y: Array, x: Array, mean: Array, dz: Array) -> tuple[Array, Array]:
        """``dz = dy`` where ``y > 0``, else 0; returns the ``column_products`` of ``dz``.

        Shapes:
            dy, y, x, dz: (G, S, C), contiguous, ``dz`` may be ``dy``; mean: (G, C).
        """

    def column_gradient(
        self, dy: Array, x: Array, mean: Array, scale: Array, slope: Array, shift: Array, out: Array,
        limit: Array | None = None,
    ) -> None:  # fmt: skip
        """``out = dy scale + (x - mean) slope + shift``.

        Shapes:
            dy, x, out: (G, S, C), contiguous, ``out`` may be ``dy``; the others (G, C).

        Args:
            limit: dy counts as 0 where the ReLU of ``column_map`` with this scale, and this as its shift, made 0.
        """

    def im2col(self, x: Array, windows: Windows, first: int, channel: int, patches: Array) -> None:
        """Copy R rows of windows to ``patches``, from row ``first`` on, with zeros for padding.

        Rows of windows are numbered through all volumes: volume ``n`` has rows from ``n * D' * H'`` on, those of one
            plane
        side by side.

        Shapes:
            x: (N, D, H, W, C); patches: (R, W', KD, KH, KW, P), the channels from ``channel`` on; both contiguous.
        """

    def col2im(self, patches: Array, windows: Windows, first: int, channel: int, out: Array) -> None:
        """The transpose of ``im2col``: add the patches to the entries of ``out`` that they came from.

        Shapes:
            patches: (R, W', KD, KH, KW, P); out: (N, D, H, W, C); both contiguous.
        """

    def max_pool(
        self, x: Array, windows: Windows, out: Array, winners: Array, bias: Array | None = None,
        activation: str = "linear",
    ) -> None:  # fmt: skip
        """The largest entry of each window, and the number of the first tap that holds it.

        With bias and activation, what is pooled is ``activation(x + bias)``; where that is 0, the winner is arbitrary.

        Shapes:
            x: (N, D, H, W, C); out, winners (of integers): (N, D', H', W', C); bias: (C,); all contiguous.

        Args:
            activation: one of ``FUSED_ACTIVATIONS``.
        """

    def max_pool_gradient(self, dy: Array, winners: Array, windows: Windows, out: Array) -> None:
        """Overwrite ``out`` with the gradient of the volume: each window's gradient goes to its winner.

        Shapes:
            dy, winners: (N, D', H', W', C); out: (N, D, H, W, C); all contiguous.
        """
