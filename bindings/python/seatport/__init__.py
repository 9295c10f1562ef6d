"""Runs many messenger accounts at once, for teams that work on them together.

Open a node with `Seatport.open`, take the desk of an agent from it, and do there what that person may do. Everything that can be
waited for is a coroutine; what comes bit by bit is an asynchronous iterator. Every error of a call is a `SeatportError`.
"""

from . import _mended as _mended
from . import _native
from ._conformance import check_transport
from ._desk import Desk
from ._native import *  # noqa: F403 - the stub lists what there is
from ._node import Seatport
from ._readers import Consumer, EventFeed, Export, Watch

__all__ = ["Consumer", "Desk", "EventFeed", "Export", "Seatport", "Watch", "check_transport"]
__all__ += _native.__all__
