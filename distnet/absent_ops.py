"""Keras's operations that distnet lacks, and what to use instead."""

from __future__ import annotations

from distnet.absent import because

_COMPUTED = (
    "it is not among distnet's operations. Use NumPy on arrays; within a model use a layer, or write one with forward "
    "and backward."
)
_CONTROL = (
    "it is for graphs and their gradients. Use Python's if and for on arrays, and a layer with forward and backward."
)

ABSENT_OPS = {
    **because(
        _COMPUTED,
        """
        adaptive_average_pool adaptive_max_pool allclose angle append argpartition array_split average_pool
        bartlett batch_normalization bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or
        bitwise_right_shift bitwise_xor blackman cbrt cdist cholesky cholesky_inverse conj conjugate conv
        conv_transpose corrcoef correlate ctc_decode deg2rad depth_to_space depthwise_conv det diagflat
        dot_product_attention dsplit dstack dtype eig eigh empty empty_like erf erfc erfinv extract_sequences
        fabs fft fft2 fliplr flipud fmax fmin fmod fold gcd geomspace get_item hamming hanning heaviside
        histogram hsplit hypot i0 ifft2 imag in_top_k inner inv irfft is_tensor isin isneginf isposinf isreal
        istft kaiser kron layer_normalization lcm ldexp left_shift logaddexp2 logdet logspace lstsq lu_factor
        matrix_rank max_pool moments multi_hot nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian
        nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar nextafter normalize percentile pinv polar
        psnr ptp qr rad2deg ravel real rearrange rfft right_shift rms_normalization rot90 saturate_cast scatter
        scatter_update searchsorted segment_max segment_min segment_prod segment_sum select separable_conv
        signbit sinc slice slice_update slogdet solve solve_triangular space_to_depth stft svd top_k trapezoid
        trunc unfold unique unravel_index unstack vander vectorize view view_as_complex view_as_real vsplit
    """,
    ),
    **because(
        _CONTROL,
        "associative_scan cond custom_gradient fori_loop jvp map scan stop_gradient switch vectorized_map while_loop",
    ),
    **because(
        "use the function of this name, or ctc, of keras.losses.",
        "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy ctc_loss",
    ),
    **because("distnet's operations have no submodules: look in keras.ops.", "image linalg nn numpy"),
}
"""Name -> why it is missing."""
