"""Cases of functions of matrices, of Fourier transforms, and of windows."""

import numpy as np

from op_cases import call, numbers

A, TALL = numbers(3, 3), numbers(4, 3, seed=1)
POSITIVE = A @ A.T + 2 * np.eye(3, dtype=np.float32)
BATCH = np.stack([POSITIVE, POSITIVE[::-1, ::-1] + np.diag(np.arange(3, dtype=np.float32))])
LOWER = np.linalg.cholesky(POSITIVE)
B, VECTOR = numbers(3, 2, seed=2), numbers(3, seed=3)
MATRICES = [
    *(call("cholesky", x, upper=upper) for x in (POSITIVE, BATCH) for upper in (False, True)),
    call("cholesky_inverse", LOWER),
    call("cholesky_inverse", LOWER.T.copy(), upper=True),
    *(call(name, x) for name in ("inv", "det", "slogdet", "logdet", "eigh") for x in (POSITIVE, BATCH)),
    *(call("solve", POSITIVE, b) for b in (B, VECTOR)),
    call("solve", BATCH, numbers(2, 3, 2)),
    *(call("solve_triangular", POSITIVE, b, lower=lower) for b in (B, VECTOR) for lower in (False, True)),
    call("eig", A).but(in_keras=False, smooth=False, spread=False),  # signs of eigenvectors are anyone's choice
    *(call("svd", x, full_matrices=False).but(in_keras=False) for x in (A, TALL, TALL.T.copy())),
    call("svd", TALL, compute_uv=False),
    *(call("pinv", x) for x in (TALL, TALL.T.copy())),
    *(call("lstsq", TALL, b) for b in (numbers(4, 2), numbers(4))),
    call("qr", TALL),
    call("lu_factor", A),
    call("lu_factor", BATCH),
    call("matrix_rank", TALL),
    call("matrix_rank", np.diag(np.array([1.0, 0.1, 0.0], np.float32))),
]
SIGNALS = numbers(3, 12)
PAIR = numbers(2, 4, 3), numbers(2, 4, 3, seed=1)
SPECTRA = [
    *(call(name, PAIR) for name in ("fft", "fft2", "ifft2")),
    *(call("rfft", SIGNALS, fft_length=length) for length in (None, 6, 15)),
    *(call("irfft", PAIR, fft_length=length) for length in (None, 3, 8)),
    call("extract_sequences", SIGNALS, 4, 3),
    call("stft", SIGNALS, 6, 3, 8),
    call("stft", SIGNALS[0], 6, 3, 6, window="hamming", center=False),
    call("istft", (numbers(2, 4, 5), numbers(2, 4, 5, seed=1)), 6, 3, 8),
    call("istft", (numbers(4, 5), numbers(4, 5, seed=1)), 8, 4, 8, length=12, window=None),
]
IMAGES = numbers(2, 2, 4, 3)
WINDOWS = [
    call("unfold", IMAGES, 2),
    call("unfold", IMAGES, (2, 3), stride=(2, 1), padding=1),
    call("unfold", IMAGES, 2, dilation=2),
    call("fold", numbers(2, 8, 6), (4, 3), 2),
    call("fold", numbers(2, 8, 6), (4, 3), 2, stride=2, padding=1),
    *(
        call(name, numbers(2, 4, 4, 4), 2, data_format=order)
        for name in ("depth_to_space", "space_to_depth")
        for order in ("channels_last", "channels_first")
    ),
]
CASES = [case.but(twice=case.smooth, tolerance=1e-3) for case in MATRICES]
CASES += [case.but(tolerance=1e-4) for case in (*SPECTRA, *WINDOWS)]
