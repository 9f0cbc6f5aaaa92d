"""FeatureSpaces drawn at random, in distnet and in Keras on TensorFlow, and each one's files in the other.

python tests/tools/compare_feature_spaces.py [--python PYTHON] [--seed 0] [--count 100]

PYTHON has Keras and TensorFlow. What Keras refuses is counted, what only distnet refuses is a difference.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

NEAR = {"rtol": 1e-5, "atol": 1e-5}


def parts(value):
    """Path -> what is compared, or an error."""
    if isinstance(value, dict) and not value.keys() & {"values", "error"}:
        return {f"{key}/{rest}": part for key, own in value.items() for rest, part in parts(own).items()}
    return {"": value}


def differ(what, ours, theirs):
    """What differs, in words; None where nothing does."""
    if ours.keys() != theirs.keys():
        return f"{sorted(ours)} and {sorted(theirs)}"
    for key, own in ours.items():
        difference = _differs(what, own, theirs[key])
        if difference:
            return f"{key}: {difference}"
    return None


def _differs(what, own, other):
    if isinstance(own, list) or "error" in own:
        return None if own == other else f"{str(own)[:300]} and {str(other)[:300]}"
    shapes = [np.shape(part["values"]) for part in (own, other)]
    if what == "rows" and shapes[1] == (1, *shapes[0]):  # where Keras's graph does not know the number of rows
        shapes[1] = shapes[1][1:]
    if shapes[0] != shapes[1]:
        return f"shapes {shapes[0]} and {shapes[1]}"
    if own["dtype"] != other["dtype"] and what != "model":  # counts are integers there, and their placeholders real
        return f"{own['dtype']} and {other['dtype']}"
    return None if np.allclose(own["values"], other["values"], **NEAR) else f"{own['values']} and {other['values']}"


def ask(python, script, backend, folder, seeds):
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [python, str(Path(__file__).with_name(script)), folder, *map(str, seeds)]
    subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)


def compare(folder, seeds):
    """Counts of what was compared; prints what differs."""
    counts = collections.Counter()
    for seed in seeds:
        ours, theirs = (
            json.loads(Path(folder, f"{seed}.{name}.json").read_text(encoding="utf-8")) for name in ("distnet", "keras")
        )
        for what, expected in theirs.items():
            wanted = parts(expected)
            if any("error" in part for part in wanted.values() if isinstance(part, dict)):
                counts["refused by Keras"] += 1
                continue
            difference = differ(what, parts(ours.get(what, ours.get("whole"))), wanted)
            counts["different" if difference else "equal"] += 1
            if difference:
                print(seed, what, difference[:600], flush=True)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--folder", help="where files stay")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.count)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or temporary
        Path(folder).mkdir(exist_ok=True)
        for part in ("write", "read"):  # each reads what the other wrote
            ask(options.python, "feature_spaces_of.py", "tensorflow", folder, ["keras", part, *seeds])
            ask(sys.executable, "feature_spaces_of.py", "jax", folder, ["distnet", part, *seeds])
        counts = compare(folder, seeds)
    print(dict(counts))
    raise SystemExit(1 if counts["different"] else 0)


if __name__ == "__main__":
    main()
