"""``keras.ops.linalg``: functions of matrices, which the last two axes are; others count as a batch of them."""

from distnet.ops.control import jvp as jvp
from distnet.ops.linalg.decompositions import cholesky as cholesky
from distnet.ops.linalg.decompositions import eig as eig
from distnet.ops.linalg.decompositions import eigh as eigh
from distnet.ops.linalg.decompositions import lu_factor as lu_factor
from distnet.ops.linalg.decompositions import qr as qr
from distnet.ops.linalg.decompositions import svd as svd
from distnet.ops.linalg.inverses import cholesky_inverse as cholesky_inverse
from distnet.ops.linalg.inverses import det as det
from distnet.ops.linalg.inverses import inv as inv
from distnet.ops.linalg.inverses import logdet as logdet
from distnet.ops.linalg.inverses import lstsq as lstsq
from distnet.ops.linalg.inverses import matrix_rank as matrix_rank
from distnet.ops.linalg.inverses import pinv as pinv
from distnet.ops.linalg.inverses import slogdet as slogdet
from distnet.ops.linalg.inverses import solve as solve
from distnet.ops.linalg.inverses import solve_triangular as solve_triangular
from distnet.ops.norms import norm as norm
