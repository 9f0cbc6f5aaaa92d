"""Milliseconds that ResNet50 takes to predict an image: distnet on some ranks beside PyTorch and Keras.

python benchmarks/resnet50.py --ranks 1 2 --peer torch keras-jax
"""

from __future__ import annotations

import sys

import measuring
from contestants import PEERS, RUN, add_peers, chosen_peers, machine
from measuring import HERE, Contestant


def main() -> None:
    """Print the table."""
    parser = measuring.options(__doc__)
    add_peers(parser, ["torch", "keras-jax", "keras-tensorflow", "keras-torch"])
    parser.add_argument("--ranks", type=int, nargs="+", default=[1], help="of distnet, several for a row each")
    parser.add_argument("--batch", type=int, default=32, help="images in a batch over all ranks")
    options = measuring.read(parser)
    count = 2 if options.quick else 2 * options.batch
    images = ["--images", str(count), "--batch", str(options.batch)]
    program, entrants = str(HERE / "predicting.py"), []
    for ranks in options.ranks:
        start = [sys.executable] if ranks == 1 else [str(RUN), "-n", str(ranks)]
        command = [*start, program, "--framework", "distnet", *images]
        name = f"distnet, {ranks} rank{'s' if ranks > 1 else ''}"
        entrants.append(Contestant(name, command, {"PYTHON": sys.executable}, ranks))
    for name in chosen_peers(options):
        backend = PEERS[name].backend
        framework = "keras" if backend else name
        command = [options.peer_python, program, "--framework", framework, *images]
        entrants.append(Contestant(name, command, {"KERAS_BACKEND": backend} if backend else {}))
    measuring.compete(entrants, options.rounds)
    rows = [[each.name, *(f"{value:.1f}" for value in measuring.spread(each.values["ms"]))] for each in entrants]
    print(f"ResNet50, 224 x 224, batch {options.batch}, float32, {machine(options.rounds)}\n")
    print(measuring.table(["ms/image", "median", "least", "most"], rows))
    if options.plot:
        measuring.plot(options.plot, "ms/image", {"ResNet50": {each.name: each.values["ms"] for each in entrants}})


if __name__ == "__main__":
    main()
