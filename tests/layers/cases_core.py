"""Cases of normalizing, merging, noise, embedding and activation layers, for the contract.

Class, row, dynamic row, options; lists of rows for layers of several inputs.
"""

RANDOM = "random_normal"
AFFINE = {"beta_initializer": RANDOM, "gamma_initializer": RANDOM}
IMAGE, ANY_IMAGE = (3, 2, 4), (None, None, 4)

CASES = [
    ("BatchNormalization", (3,), (3,), {**AFFINE, "momentum": 0.6}),
    ("BatchNormalization", IMAGE, ANY_IMAGE, {**AFFINE, "gamma_regularizer": "l2"}),
    ("BatchNormalization", IMAGE, (3, None, None), {"axis": 1, "center": False, "gamma_initializer": RANDOM}),
    ("BatchNormalization", (3, 4), (None, 4), {**AFFINE, "is_masked": True}),
    ("BatchNormalization", IMAGE, ANY_IMAGE, {"momentum": 0.6, "as_in_keras_2": True}),
    ("LayerNormalization", (3,), (3,), AFFINE),
    ("LayerNormalization", IMAGE, (None, 2, 4), {**AFFINE, "axis": [-1, -2]}),
    ("LayerNormalization", IMAGE, (3, None, 4), {**AFFINE, "axis": [1, 3]}),
    ("LayerNormalization", IMAGE, ANY_IMAGE, {**AFFINE, "rms_scaling": True}),
    ("GroupNormalization", IMAGE, ANY_IMAGE, {**AFFINE, "groups": 2}),
    ("GroupNormalization", (6,), (6,), {**AFFINE, "groups": 3}),
    ("GroupNormalization", IMAGE, (3, None, None), {**AFFINE, "groups": -1, "axis": 1}),
    ("UnitNormalization", IMAGE, ANY_IMAGE, {"axis": [1, 3]}),
    ("ReLU", IMAGE, ANY_IMAGE, {"negative_slope": 0.1, "max_value": 1.5, "threshold": 0.1}),
    ("LeakyReLU", IMAGE, ANY_IMAGE, {"negative_slope": 0.2}),
    ("ELU", IMAGE, ANY_IMAGE, {"alpha": 0.7}),
    ("PReLU", (4, 3), (4, 3), {"alpha_initializer": RANDOM}),
    ("PReLU", IMAGE, ANY_IMAGE, {"alpha_initializer": RANDOM, "shared_axes": [1, 2]}),
    ("Softmax", IMAGE, ANY_IMAGE, {}),
    ("Softmax", IMAGE, ANY_IMAGE, {"axis": [1, 2]}),
    ("GaussianNoise", (4, 3), (None, 3), {"stddev": 0.5}),
    ("GaussianDropout", (4, 3), (None, 3), {"rate": 0.4, "seed": 3}),
    ("AlphaDropout", (4, 3), (None, 3), {"rate": 0.4}),
    ("AlphaDropout", (4, 3), (None, 3), {"rate": 0.4, "noise_shape": (None, 1, None)}),
    ("SpatialDropout1D", (4, 3), (None, 3), {"rate": 0.4}),
    ("SpatialDropout2D", IMAGE, ANY_IMAGE, {"rate": 0.4, "seed": 3}),
    ("ActivityRegularization", (4, 3), (None, 3), {"l1": 0.1, "l2": 0.2}),
    ("Embedding", (4,), (None,), {"input_dim": 5, "output_dim": 3}),
    ("Embedding", (2, 3), (None, 3), {"input_dim": 4, "output_dim": 2, "mask_zero": True}),
    ("Masking", (4, 3), (None, 3), {"mask_value": 0.25}),
    ("Permute", IMAGE, ANY_IMAGE, {"dims": (3, 1, 2)}),
    ("RepeatVector", (3,), (3,), {"n": 4}),
    ("Rescaling", IMAGE, ANY_IMAGE, {"scale": 0.5, "offset": 2.0}),
    ("Rescaling", (4, 3), (None, 3), {"scale": [1.0, 2.0, 3.0]}),
    ("Add", [IMAGE, IMAGE, IMAGE], [ANY_IMAGE, ANY_IMAGE, ANY_IMAGE], {}),
    ("Add", [(3,), (4, 3)], [(3,), (None, 3)], {}),
    ("Add", [IMAGE, IMAGE], [ANY_IMAGE, ANY_IMAGE], {"as_in_keras_2": True}),
    ("Subtract", [(4, 3), (1, 3)], [(None, 3), (1, 3)], {}),
    ("Multiply", [IMAGE, IMAGE, IMAGE], [ANY_IMAGE, ANY_IMAGE, ANY_IMAGE], {}),
    ("Multiply", [IMAGE, (1, 1, 4)], [ANY_IMAGE, (1, 1, 4)], {}),
    ("Average", [(4, 3), (4, 3)], [(None, 3), (None, 3)], {}),
    ("Maximum", [(4, 3), (4, 3), (3,)], [(None, 3), (None, 3), (3,)], {}),
    ("Minimum", [(4, 3), (4, 1)], [(None, 3), (None, 1)], {}),
    ("Concatenate", [IMAGE, (3, 2, 2)], [(None, 2, 4), (None, 2, 2)], {}),
    ("Concatenate", [(4, 3), (2, 3), (1, 3)], [(None, 3), (2, 3), (1, 3)], {"axis": 1}),
    ("Dot", [(4, 3), (2, 3)], [(None, 3), (None, 3)], {"axes": -1}),
    ("Dot", [(5,), (5,)], [(5,), (5,)], {"axes": 1, "normalize": True}),
    ("Dot", [(4, 3), (3, 2, 4)], [(4, None), (3, 2, 4)], {"axes": (1, 3), "normalize": True}),
]
