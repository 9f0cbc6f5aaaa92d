"""What Keras users import from ``keras.utils.bounding_boxes``."""

from distnet.layers.image.box_deltas import decode_deltas_to_boxes as decode_deltas_to_boxes
from distnet.layers.image.box_deltas import encode_box_to_deltas as encode_box_to_deltas
from distnet.layers.image.box_formats import clip_to_image_size as clip_to_image_size
from distnet.layers.image.box_formats import convert_format as convert_format
from distnet.layers.image.box_moves import affine_transform as affine_transform
from distnet.layers.image.box_moves import crop as crop
from distnet.layers.image.box_moves import pad as pad
from distnet.layers.image.box_overlaps import compute_ciou as compute_ciou
from distnet.layers.image.box_overlaps import compute_iou as compute_iou
