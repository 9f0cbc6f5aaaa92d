"""Elementary functions of placeholders, which become nodes of the graph."""

from distnet.layers.operations.operation import Operation as Operation
from distnet.layers.operations.operation import activated as activated
from distnet.layers.operations.operation import applied as applied
from distnet.layers.operations.operation import options_of as options_of
from distnet.layers.operations.python_operation import PythonOperation as PythonOperation
