"""``keras.ops.image``: functions of images (N, H, W, C), or of one (H, W, C)."""

from distnet.ops.image.colours import hsv_to_rgb as hsv_to_rgb
from distnet.ops.image.colours import rgb_to_grayscale as rgb_to_grayscale
from distnet.ops.image.colours import rgb_to_hsv as rgb_to_hsv
from distnet.ops.image.coordinates import affine_transform as affine_transform
from distnet.ops.image.coordinates import elastic_transform as elastic_transform
from distnet.ops.image.coordinates import map_coordinates as map_coordinates
from distnet.ops.image.coordinates import perspective_transform as perspective_transform
from distnet.ops.image.filters import gaussian_blur as gaussian_blur
from distnet.ops.image.filters import sobel_edges as sobel_edges
from distnet.ops.image.filters import ssim as ssim
from distnet.ops.image.sizes import crop_images as crop_images
from distnet.ops.image.sizes import extract_patches as extract_patches
from distnet.ops.image.sizes import extract_patches_3d as extract_patches_3d
from distnet.ops.image.sizes import pad_images as pad_images
from distnet.ops.image.sizes import resize as resize
from distnet.ops.image.sizes import scale_and_translate as scale_and_translate
