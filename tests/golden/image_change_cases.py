"""Layers that change images, their options, and what of a batch they change: cases of ``image_changes.npz``."""

FIRST = "channels_first"
ALONE, ALL = ("images",), ("images", "labels", "segmentation_masks")

CASES = [
    ("AutoContrast", {}, ALL),
    ("Solarization", {"addition_factor": 0.4, "threshold_factor": (0.1, 0.6)}, ALL),
    ("RandomPosterization", {"factor": (2, 7)}, ALL),
    ("RandomPosterization", {"factor": (3, 3)}, ALL),
    ("RandomColorDegeneration", {"factor": 0.8}, ALL),
    ("RandomHue", {"factor": 0.9}, ALL),
    ("RandomSaturation", {"factor": (0.1, 0.5)}, ALL),
    ("RandomGrayscale", {"factor": 0.5}, ALONE),
    ("RandomInvert", {"factor": 0.9}, ALL),
    ("RandomGaussianBlur", {"factor": (0.6, 1.0), "kernel_size": (3, 5), "sigma": (0.2, 0.9)}, ALL),
    ("RandomSharpness", {"factor": (0.1, 0.9)}, ALL),
    ("RandomErasing", {"factor": (0.6, 1.0)}, ALL),
    ("RandomErasing", {"fill_value": 100.0, "scale": (0.1, 0.6)}, ALL),
    ("Equalization", {}, ALL),
    ("Equalization", {"bins": 32}, ALL),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (3, 2)}, ALONE),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"clip_limit": 0, "tile_grid_size": (2, 5)}, ALONE),
    ("RandomShear", {"x_factor": 0.5, "y_factor": (0.1, 0.4)}, ALL),
    ("RandomShear", {"x_factor": 0.5, "fill_mode": "constant", "fill_value": 7.0, "interpolation": "nearest"}, ALL),
    ("RandomFlip", {}, ALL),
    ("RandomRotation", {"factor": 0.3}, ALL),
    ("RandomZoom", {"height_factor": 0.3}, ALL),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2, "fill_mode": "wrap"}, ALL),
    ("RandomContrast", {"factor": 0.4}, ALL),
    ("RandomCrop", {"height": 5, "width": 7}, ALL),
    ("CenterCrop", {"height": 5, "width": 7}, ALL),
    ("Resizing", {"height": 5, "width": 7}, ALL),
]
