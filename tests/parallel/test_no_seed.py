"""Programs that set no seed: whatever they import or call first, the ranks agree on one before the first draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

UNSEEDED = Path(__file__).parent / "programs" / "unseeded.py"

FIRST = {
    "functional model": """
from distnet import layers, Model
inputs = layers.Input((4,))
drawn = Model(inputs, layers.Dense(3)(inputs)).get_weights()
""",
    "layer": "from distnet.layers import Dense\ndrawn = [Dense(3)(np.ones((2, 4)))]",
    "dropout": "from distnet.layers import Dropout\ndrawn = [Dropout(0.5)(np.ones((9, 4)), training=True)]",
    "initializer": "from distnet.initializers import GlorotUniform\ndrawn = [GlorotUniform()((3, 4))]",
    "random": "from distnet import random\ndrawn = [np.array(random.job_seed())]",
    "images": """
from distnet.preprocessing.image import ImageDataGenerator
drawn = [ImageDataGenerator(rotation_range=90).random_transform(np.arange(48.0).reshape(4, 4, 3))]
""",
    "model alone": """
import distnet as keras
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
drawn = [model(np.ones((2, 4))), *model.get_weights()]
""",
}

AGREED = """
from distnet import comm, random
ranks = comm.world()
assert ranks.size == 3
assert all(len(set(ranks.allgather_object(a.tobytes()))) == 1 for a in drawn), "the ranks drew different numbers"
assert len(set(ranks.allgather_object(random.job_seed()))) == 1
"""

DRAWS_DATA_FIRST = """
import {drawn}
x, y = {x}, {y}
import distnet as keras
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.{call}
"""


@pytest.mark.parametrize("first", FIRST)
def test_ranks_agree_on_a_seed_before_the_first_draw(ranks, first):
    ranks(3).run("import numpy as np\n" + FIRST[first] + AGREED).succeeded()


def test_a_program_alone_that_sets_no_seed_draws_without_mpi(alone):
    program = "".join(f"\nimport numpy as np\n{text}" for text in FIRST.values())
    alone.run(program + "\nimport sys\nassert 'mpi4py' not in sys.modules").succeeded()


def test_two_programs_draw_different_numbers(alone):
    program = "from distnet.initializers import GlorotUniform\nprint(GlorotUniform()((3, 4)))"
    assert alone.run(program).succeeded().stdout != alone.run(program).succeeded().stdout


def test_every_kind_of_program_trains_what_one_rank_trains_from_the_seed_agreed_on(ranks, tmp_path):
    ranks(3).run(UNSEEDED, tmp_path / "3.npz").succeeded()
    with np.load(tmp_path / "3.npz") as agreed:
        found = dict(agreed)
    ranks(1).run(UNSEEDED, tmp_path / "1.npz", found["seed"]).succeeded()
    with np.load(tmp_path / "1.npz") as expected:
        assert sorted(expected) == sorted(found)
        apart = {key: float(np.max(np.abs(found[key] - expected[key]), initial=0)) for key in expected}
    assert not {key: by for key, by in apart.items() if not by <= 1e-10}


@pytest.mark.parametrize("call", ["fit(x, y)", "predict(x)", "train_on_batch(x, y)", "test_on_batch(x, y)"])
def test_data_drawn_without_a_seed_end_the_job_with_what_to_do(ranks, call):
    program = DRAWS_DATA_FIRST.format(
        drawn="numpy as np", x="np.random.random((90, 4))", y="np.random.random((90, 1))", call=call
    )
    ranks(3).run(program).failed("ReplicaError", "np.random.seed", "started without mpirun")


def test_data_drawn_after_a_seed_train(ranks):
    program = DRAWS_DATA_FIRST.format(
        drawn="numpy as np; np.random.seed(0)",
        x="np.random.random((90, 4))",
        y="np.random.random((90, 1))",
        call="fit(x, y, verbose=0)",
    )
    ranks(3).run(program).succeeded()
