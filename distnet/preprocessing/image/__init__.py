"""Images: read, changed at random, and served in batches."""

from __future__ import annotations

from distnet.preprocessing.image.array_iterator import NumpyArrayIterator as NumpyArrayIterator
from distnet.preprocessing.image.directory import DirectoryIterator as DirectoryIterator
from distnet.preprocessing.image.generator import ImageDataGenerator as ImageDataGenerator
from distnet.preprocessing.image.iterator import Iterator as Iterator
from distnet.preprocessing.image.pictures import array_to_img as array_to_img
from distnet.preprocessing.image.pictures import img_to_array as img_to_array
from distnet.preprocessing.image.pictures import load_img as load_img
from distnet.preprocessing.image.pictures import save_img as save_img
from distnet.preprocessing.image.smart_resizing import smart_resize as smart_resize
from distnet.preprocessing.image.transforms import apply_affine_transform as apply_affine_transform
from distnet.preprocessing.image.transforms import apply_brightness_shift as apply_brightness_shift
from distnet.preprocessing.image.transforms import apply_channel_shift as apply_channel_shift
