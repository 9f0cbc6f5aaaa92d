"""``keras.random``: random numbers that are the same on any number of ranks.

Within a layer's ``call``, a loss or a training step the numbers depend on the seed, the step, the place in the code and
the row of the batch; each rank draws those of its rows. Elsewhere they depend on the seed and the number of the draw.
"""

from distnet.addresses import generator as generator
from distnet.addresses import job_seed as job_seed
from distnet.addresses import key as key
from distnet.addresses import next_build_index as next_build_index
from distnet.addresses import next_call_index as next_call_index
from distnet.addresses import row_bits as row_bits
from distnet.addresses import set_job_seed as set_job_seed
from distnet.addresses import set_random_seed as set_random_seed
from distnet.random.choosing import categorical as categorical
from distnet.random.choosing import dropout as dropout
from distnet.random.choosing import shuffle as shuffle
from distnet.random.continuous import beta as beta
from distnet.random.continuous import gamma as gamma
from distnet.random.continuous import normal as normal
from distnet.random.continuous import truncated_normal as truncated_normal
from distnet.random.continuous import uniform as uniform
from distnet.random.counted import binomial as binomial
from distnet.random.counted import randint as randint
from distnet.random.seed_generator import SeedGenerator as SeedGenerator
