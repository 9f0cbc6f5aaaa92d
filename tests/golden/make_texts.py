"""Runs text_cases.py with tf_keras and writes texts.json beside this file.

python tests/golden/make_texts.py
"""

import json
from pathlib import Path

import tf_keras

import text_cases


def main():
    found = {"tf_keras": tf_keras.__version__, "results": text_cases.results(tf_keras.preprocessing.text)}
    Path(__file__).with_name("texts.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
