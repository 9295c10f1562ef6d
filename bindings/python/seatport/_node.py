"""One node."""

from datetime import timedelta
from types import TracebackType
from typing import TypeVar

from ._desk import Desk
from ._mended import settle
from ._native import Options
from ._native import Seatport as NativeSeatport

_T = TypeVar("_T")


def _as(cls: type[_T], made: object) -> _T:
    """What the library made, with the methods that the package adds."""
    made.__class__ = cls
    assert isinstance(made, cls)
    return made


class Seatport(NativeSeatport):
    """One node: runs the sessions, and hands out the desks that people work at. It has threads of its own.

        async with await Seatport.open(Options(storage=Storage.Sqlite("seatport.db"))) as seatport:
            ...

    Left, it shuts down. Let go of without, it ends as a crash would: nothing that was acknowledged is lost, and the next start takes
    everything up again. May be used from any event loop and any thread.
    """

    @classmethod
    async def open(cls, options: Options) -> "Seatport":
        settle(options.networks)
        return _as(cls, await super().open(options))

    async def desk(self, agent: str) -> Desk:
        return _as(Desk, await super().desk(agent))

    async def shutdown(self, deadline: timedelta = timedelta(seconds=10)) -> None:
        await super().shutdown(deadline)

    async def __aenter__(self) -> "Seatport":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shutdown()
