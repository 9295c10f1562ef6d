"""A network of a host that does as it is told: for tests of what a host may do wrong."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from office import Office, office
from seatport import (
    Account,
    Capabilities,
    CardStatus,
    Connection,
    Dial,
    Network,
    NewAccount,
    OutboundMessage,
    ReadMessage,
    Timing,
    Transport,
)

Deed = Callable[[], Awaitable[None]]

QUICK = Timing(retry_first=timedelta(milliseconds=50), retry_most=timedelta(milliseconds=50), reconnects_per_second=100.0)
LIMIT = timedelta(milliseconds=300)


async def nothing() -> None:
    """Does well."""


async def hang() -> None:
    """Never answers."""
    await asyncio.Event().wait()


def fail(error: BaseException) -> Deed:
    """Raises."""

    async def raising() -> None:
        raise error

    return raising


class Told(Transport):
    """What it does before it answers is set from outside."""

    def __init__(self) -> None:
        self.on_connect: Deed = nothing
        self.on_send: Deed = nothing
        self.on_close: Deed = nothing
        self.dials: list[Dial] = []
        self.sent: list[OutboundMessage] = []
        self.closed = 0
        self.cancelled = 0
        self.loops: set[asyncio.AbstractEventLoop] = set()

    async def do(self, deed: Deed) -> None:
        self.loops.add(asyncio.get_running_loop())
        try:
            await deed()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def connect(self, dial: Dial) -> Connection:
        self.dials.append(dial)
        await self.do(self.on_connect)
        return ToldConnection(self, dial)


class ToldConnection(Connection):
    def __init__(self, told: Told, dial: Dial) -> None:
        self._told = told
        self._ready = asyncio.create_task(dial.signals.ready(Account(address="me@told")))

    async def send(self, message: OutboundMessage) -> None:
        await self._told.do(self._told.on_send)
        self._told.sent.append(message)

    async def mark_read(self, chat: str, messages: list[ReadMessage]) -> None:
        pass

    async def log_out(self) -> None:
        pass

    async def close(self) -> None:
        self._told.closed += 1
        await self._told.do(self._told.on_close)


@asynccontextmanager
async def told_office(limit: timedelta = LIMIT) -> AsyncGenerator[tuple[Office, Told], None]:
    """An office with such a network, which gives the host this long for each call."""
    told = Told()
    network = Network.hosted("told", Capabilities(), told)
    async with office(networks=[network], callback_timeout=limit, timing=QUICK) as house:
        yield house, told


async def online(house: Office) -> str:
    """Adds an account on the network that is told; answers its session, once it is online."""
    session = await house.mei.add_and_start(NewAccount(transport="told"))
    await house.reach(session, lambda card: card.status == CardStatus.ONLINE)
    return session
