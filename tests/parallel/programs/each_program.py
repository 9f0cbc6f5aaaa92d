"""Run programs in one job: each_program.py FOLDER PROGRAM..., each of which writes FOLDER/PROGRAM.npz."""

import runpy
import sys
from pathlib import Path

import distnet as keras

if __name__ == "__main__":
    folder, *programs = sys.argv[1:]
    for program in programs:
        keras.utils.clear_session()
        keras.config.set_floatx("float32")
        sys.argv[1:] = [str(Path(folder, f"{program}.npz"))]
        runpy.run_path(str(Path(__file__).with_name(f"{program}.py")), run_name="__main__")
