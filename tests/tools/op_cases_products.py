"""Cases of products of tensors along axes, and of reductions of segments."""

import numpy as np

from op_cases import call, integers, numbers

A, B, C = numbers(3, 2), numbers(3, 4, 2, seed=1), numbers(3, 2, 4, seed=2)
SQUARE = numbers(3, 3)
VECTORS = numbers(3, 3), numbers(3, 3, seed=1)
PAIRS = [(A[0], A[1]), (A, A[0]), (A, C[0]), (B, C[0]), (B, C)]
SEGMENTS = np.array([0, 2, 0, -1, 2, 7], np.int32)
FULL = np.array([0, 2, 0, -1, 2, 1], np.int32)
ROWS = numbers(6, 2, low=0.5)
CASES = [
    *(call("matmul", *pair) for pair in PAIRS),
    call("matmul", A[0], C),
    call("matmul", B, A[0]),
    call("matmul", np.asarray(numbers(0, 2)), C[0]),
    *(call("dot", *pair) for pair in PAIRS),
    call("dot", A, np.asarray(numbers())),
    call("inner", A, numbers(4, 2)),
    call("inner", A[0], A[1]),
    call("vdot", A, A[::-1].copy()),
    call("outer", A[0], A),
    call("kron", A, numbers(2, 2)),
    call("kron", A[0], A),
    *(call("tensordot", SQUARE, SQUARE.T.copy(), axes=axes) for axes in (0, 1, 2, ([1], [0]), [[0, 1], [1, 0]])),
    call("cross", *VECTORS),
    call("cross", *VECTORS, axis=0),
    call("cross", VECTORS[0][:, :2].copy(), VECTORS[1]),
    call("cross", VECTORS[0], VECTORS[1][:, :2].copy()),
    call("cross", VECTORS[0][:, :2].copy(), VECTORS[1][:, :2].copy()),
    call("einsum", "bij,bjk->bik", B, C),
    call("einsum", "bij,bjk->ik", B, C),
    call("einsum", "bij,bjk", B, C),
    call("einsum", "...ij,...jk->...ik", B, C),
    call("einsum", "...ij,...jk", B, C[0]),
    call("einsum", "bij->jb", B),
    call("einsum", "b...->...", B),
    call("einsum", "bi->", A),
    call("einsum", "bi,ij->bj", A, C[0]),
    call("einsum", "bi,ij,bk->bjk", A, C[0], A),
    call("einsum", "ii->i", SQUARE),
    call("einsum", "ii", SQUARE),
    call("einsum", "iij->j", numbers(3, 3, 2)),
    call("einsum", "ij,j->i", integers(2, 3), numbers(3)),
    call("einsum", "bij,bij->bi", B, B[:, :, :1].copy()),
    call("segment_sum", ROWS, SEGMENTS, num_segments=4),
    call("segment_sum", ROWS[:, 0], SEGMENTS, num_segments=3),
    *(call(f"segment_{name}", ROWS, FULL, num_segments=3) for name in ("max", "min")),
    call("segment_max", ROWS, SEGMENTS, num_segments=3).but(smooth=False),  # a segment without rows
    call("segment_prod", ROWS, SEGMENTS, num_segments=3).but(in_keras=False),  # JAX has no gradient of it
    call("segment_prod", integers(6), SEGMENTS, num_segments=3),
]
CASES = [case.but(twice=case.smooth) for case in CASES]
