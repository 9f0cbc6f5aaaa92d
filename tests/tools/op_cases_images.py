"""Cases of functions of images."""

import numpy as np

from op_cases import call, numbers

X = numbers(2, 5, 4, 3, low=0.1, high=0.9)
FIRST = np.ascontiguousarray(X.transpose(0, 3, 1, 2))
WHOLE = (X * 250).astype(np.uint8)
PLACES = numbers(2, 3, 3, low=-0.8, high=4.7)
TURN = np.array([0.9, 0.13, 0.53, 0.21, 0.87, -0.31, 0.011, 0.013], np.float32)
START = np.array([[0.13, 0.21], [0.2, 3.13], [3.21, 0.3], [3.13, 3.4]], np.float32)
END = np.array([[0.7, 0.3], [0.2, 2.97], [3.31, 1.07], [2.63, 3.11]], np.float32)


def image(name, *args, **options):
    return call(f"image.{name}", *args, **options)


CASES = [
    *(image("resize", X, (7, 3), how) for how in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")),
    image("resize", X, (3, 3), antialias=True),
    image("resize", X, (3, 3), crop_to_aspect_ratio=True),
    image("resize", X, (3, 3), pad_to_aspect_ratio=True, fill_value=0.5),
    image("resize", X[0], (3, 3)),
    image("resize", FIRST, (3, 3), data_format="channels_first"),
    image("resize", WHOLE, (3, 6)),
    image("pad_images", X, 1, 2, target_height=9, target_width=8),
    image("crop_images", X, 1, 1, 1, 2),
    *(image("extract_patches", X, 2, padding=how) for how in ("valid", "same")),
    image("extract_patches", X, (2, 3), 1, padding="same"),
    image("extract_patches", X, 2, 1, 2),
    image("extract_patches_3d", numbers(1, 4, 4, 4, 2), 2),
    image("rgb_to_grayscale", X),
    image("rgb_to_grayscale", WHOLE),
    image("rgb_to_hsv", X),
    image("hsv_to_rgb", X),
    image("gaussian_blur", X, (3, 5), (1.0, 2.0), data_format="channels_last"),
    image("sobel_edges", X),
    image("ssim", X, X[:, ::-1].copy(), filter_size=3),
    *(
        image("map_coordinates", numbers(4, 5), PLACES, order, how)
        for order in (0, 1)
        for how in ("constant", "nearest", "wrap", "mirror", "reflect")
    ),
    *(image("affine_transform", X[0], TURN, how, "reflect") for how in ("nearest", "bilinear")),
    image("affine_transform", X, np.stack([TURN, TURN[::-1] * 0.1]), fill_value=0.5),
    image("perspective_transform", X, np.stack([START, START]), np.stack([END, END * 0.9])),
]
CASES = [case.but(tolerance=1e-3) for case in CASES]
