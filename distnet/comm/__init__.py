"""Who the other ranks are."""

from __future__ import annotations

from distnet.comm.base import Communicator as Communicator
from distnet.comm.base import Request as Request
from distnet.comm.local import LocalCommunicator as LocalCommunicator
