"""Cases of convolving, pooling, padding, cropping and upsampling layers, for the contract.

Class, row, dynamic row, options.
"""

RANDOM = "random_normal"

CASES = [
    ("Conv1D", (6, 3), (None, 3), {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}),
    ("Conv1D", (6, 4), (None, 4), {"filters": 6, "kernel_size": 2, "groups": 2, "strides": 2, "activation": "tanh"}),
    ("Conv2D", (5, 6, 2), (None, None, 2), {"filters": 3, "kernel_size": 3, "bias_initializer": RANDOM}),
    ("Conv2D", (6, 5, 4), (None, 5, 4), {"filters": 4, "kernel_size": (2, 3), "groups": 2, "padding": "same"}),
    ("Conv2D", (4, 4, 3), (4, None, 3), {"filters": 2, "kernel_size": 1, "activation": "swish", "use_bias": False}),
    ("Conv2D", (7, 7, 1), (None, 7, 1), {"filters": 2, "kernel_size": 3, "strides": 2, "kernel_regularizer": "l2"}),
    ("Conv1DTranspose", (4, 3), (None, 3), {"filters": 2, "kernel_size": 3, "strides": 2, "activation": "tanh"}),
    ("Conv2DTranspose", (3, 4, 2), (None, None, 2), {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}),
    ("Conv2DTranspose", (3, 2, 2), (None, 2, 2), {"filters": 2, "kernel_size": 2, "strides": 3, "output_padding": 1}),
    ("DepthwiseConv1D", (6, 3), (None, 3), {"kernel_size": 3, "depth_multiplier": 2, "bias_initializer": RANDOM}),
    ("DepthwiseConv2D", (5, 4, 3), (None, 4, 3), {"kernel_size": 3, "padding": "same", "activation": "tanh"}),
    ("DepthwiseConv2D", (5, 5, 2), (None, None, 2), {"kernel_size": 2, "depth_multiplier": 3, "strides": 2}),
    ("SeparableConv1D", (6, 3), (None, 3), {"filters": 4, "kernel_size": 2, "depth_multiplier": 2}),
    ("SeparableConv2D", (5, 4, 2), (None, None, 2), {"filters": 3, "kernel_size": 3, "padding": "same"}),
    ("ZeroPadding1D", (4, 2), (None, 2), {"padding": (2, 1)}),
    ("ZeroPadding2D", (3, 4, 2), (None, None, 2), {"padding": ((1, 0), (2, 3))}),
    ("Cropping1D", (6, 2), (None, 2), {"cropping": (2, 1)}),
    ("Cropping2D", (5, 6, 2), (None, None, 2), {"cropping": ((1, 0), (2, 1))}),
    ("UpSampling1D", (3, 2), (None, 2), {"size": 3}),
    ("UpSampling2D", (3, 2, 2), (None, None, 2), {"size": (2, 3)}),
    ("UpSampling2D", (3, 2, 2), (None, None, 2), {"size": 2, "interpolation": "bilinear"}),
    ("MaxPooling1D", (7, 2), (None, 2), {"pool_size": 3, "strides": 2}),
    ("MaxPooling2D", (6, 5, 2), (None, None, 2), {}),
    ("MaxPooling2D", (6, 5, 2), (None, 5, 2), {"pool_size": (3, 2), "strides": 2, "padding": "same"}),
    ("AveragePooling1D", (7, 2), (None, 2), {"pool_size": 3, "padding": "same"}),
    ("AveragePooling2D", (6, 5, 2), (None, None, 2), {"pool_size": 3, "strides": 2, "padding": "same"}),
    ("GlobalMaxPooling1D", (5, 3), (None, 3), {}),
    ("GlobalMaxPooling2D", (4, 3, 2), (None, None, 2), {"keepdims": True}),
    ("GlobalAveragePooling1D", (5, 3), (None, 3), {"keepdims": True}),
    ("GlobalAveragePooling2D", (4, 3, 2), (None, None, 2), {}),
]
