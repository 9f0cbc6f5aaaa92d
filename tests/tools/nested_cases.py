"""Functions of nested structures, called on structures drawn at random.

Run by a Python that has Keras it prints what ``keras.tree`` gives, as JSON.
"""

import json
import random
from collections import OrderedDict, defaultdict, deque, namedtuple

Point = namedtuple("Point", "x y")
COUNT = 400


def drawn(rng, depth=0):
    """A structure of at most four levels."""
    kind = rng.randrange(10 if depth < 3 else 3)
    if kind < 3:
        return rng.choice([0, 1, 2, 3, None, "s", 1.5])
    children = [drawn(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 5:
        return Point(drawn(rng, depth + 1), drawn(rng, depth + 1))
    entries = list(zip(rng.sample("bacz", len(children)), children, strict=True))
    makers = {3: list, 4: tuple, 9: deque}
    if kind in makers:
        return makers[kind](children)
    return defaultdict(list, entries) if kind == 8 else (dict if kind == 6 else OrderedDict)(entries)


def like(rng, structure):
    """One of the same layout, one that goes on where it ends, or another one."""
    kind = rng.randrange(3)
    if kind == 2:
        return drawn(rng)
    return filled(structure, lambda: rng.randrange(9) if kind else drawn(rng, 2))


def filled(structure, draw):
    if isinstance(structure, dict):
        return type(structure)(
            *([list] if isinstance(structure, defaultdict) else []),
            [(k, filled(v, draw)) for k, v in structure.items()],
        )
    if isinstance(structure, Point):
        return Point(*(filled(v, draw) for v in structure))
    return (
        type(structure)(filled(v, draw) for v in structure) if isinstance(structure, list | tuple | deque) else draw()
    )


def pair(*leaves):
    return tuple(map(repr, leaves))


def calls(tree):
    """Functions with their arguments, by the hundred."""
    rng = random.Random(0)
    for _ in range(COUNT):
        a = drawn(rng)
        b = like(rng, a)
        c = like(rng, b)
        leaves = range(len(tree.flatten(a)))
        yield from ((f, (a,), {}) for f in ("is_nested", "flatten", "flatten_with_path", "lists_to_tuples"))
        yield from (
            ("map_structure", (pair, *s), {"none_is_leaf": n}) for s in ((a,), (a, b), (a, b, c)) for n in (True, False)
        )
        yield from ((f, (a, b), {}) for f in ("assert_same_structure", "assert_same_paths"))
        yield from (("pack_sequence_as", (a, list(some)), {}) for some in (leaves, range(3)))
        yield "map_shape_structure", (repr, a), {}
        if None not in tree.flatten(a):  # Keras's own example with None as a leaf fails in it
            yield from (("map_structure_up_to", (a, pair, *s), {}) for s in ((b,), (b, c)))
        for top_down in (True, False):
            yield "traverse", (lambda part: str(part) if isinstance(part, tuple) else None, a), {"top_down": top_down}
            yield "traverse", (lambda part: tree.MAP_TO_NONE if part == 3 else None, a), {"top_down": top_down}


def answers(tree):
    """What a package's functions give, or that they raise an error, as text."""
    given = []
    for name, args, options in calls(tree):
        try:
            given.append(f"{name}: {getattr(tree, name)(*args, **options)!r}")
        except (ValueError, TypeError):
            given.append(f"{name}: an error")
    return given


def main():
    import keras

    print(json.dumps(answers(keras.tree)))


if __name__ == "__main__":
    main()
