"""Run the cases of a program, each of which raises an error on every rank: each_caught.py PROGRAM FOLDER CASE..."""

import json
import runpy
import sys
from pathlib import Path

from distnet import distribution
from distnet.errors import DistnetError

if __name__ == "__main__":
    program, folder, *chosen = sys.argv[1:]
    cases = runpy.run_path(program)["CASES"]
    errors = {}
    for case in chosen:
        try:
            cases[case]()
            errors[case] = "none"
        except DistnetError as error:
            errors[case] = f"{type(error).__name__}: {error}"
    Path(folder, f"{distribution.rank()}.json").write_text(json.dumps(errors), encoding="utf-8")
