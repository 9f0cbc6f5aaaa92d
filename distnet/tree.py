"""Keras's functions of nested structures, which are absent: using one says so."""

from __future__ import annotations

from distnet.absent import because, names_elsewhere

__getattr__ = names_elsewhere(
    __name__,
    absent=because(
        "distnet nests inputs and outputs by itself. Use the package optree, where these functions come from.",
        """
        MAP_TO_NONE assert_same_paths assert_same_structure flatten flatten_with_path is_nested lists_to_tuples
        map_shape_structure map_structure map_structure_up_to pack_sequence_as traverse
        """,
    ),
)
