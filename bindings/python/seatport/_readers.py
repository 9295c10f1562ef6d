"""What is read bit by bit: as asynchronous iterators, which read batches underneath."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Mapping
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from ._native import Consumer as NativeConsumer
from ._native import Event, EventBatch, View
from ._native import EventFeed as NativeFeed
from ._native import Export as NativeExport
from ._native import Watch as NativeWatch

# How many items are read at once.
_BATCH = 256


class _Source(Protocol):
    def end(self) -> None: ...


_S = TypeVar("_S", bound=_Source)
_R = TypeVar("_R", bound="_Reader[Any]")


class _Reader(Generic[_S]):
    """Opens at its first use, or when it is awaited. For one task at a time."""

    def __init__(self, open: Callable[[], Awaitable[_S]]) -> None:
        self._open = open
        self._source: _S | None = None
        self._ended = False
        self._seen = 0
        self._turn = asyncio.Lock()

    async def _opened(self) -> _S:
        if self._source is None:
            self._source = await self._open()
            if self._ended:
                self._source.end()
        return self._source

    async def _ready(self: _R) -> _R:
        async with self._turn:
            await self._opened()
        return self

    def __await__(self: _R) -> Generator[Any, None, _R]:
        return self._ready().__await__()

    async def __aenter__(self: _R) -> _R:
        return await self._ready()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def __aiter__(self: _R) -> _R:
        return self

    def end(self) -> None:
        """Ends it: a wait under way raises `SeatportError.Closed`, and so does every later one."""
        self._ended = True
        if self._source is not None:
            self._source.end()


class _EventReader(_Reader[_S]):
    """Hands out events one by one or in batches."""

    def __init__(self, open: Callable[[], Awaitable[_S]]) -> None:
        super().__init__(open)
        self._buffer: deque[Event] = deque()

    async def _fetch(self, source: _S, limit: int) -> EventBatch:
        raise NotImplementedError

    async def _fill(self, limit: int) -> None:
        """Reads a batch, if there is nothing in the buffer."""
        async with self._turn:
            if self._ended:
                self._buffer.clear()
            if not self._buffer:
                batch = await self._fetch(await self._opened(), limit)
                # From here on nothing waits: a call that is given up before leaves the batch to be answered again.
                self._seen = batch.number
                self._buffer.extend(batch.events)

    async def __anext__(self) -> Event:
        await self._fill(_BATCH)
        return self._taken(self._buffer.popleft())

    async def batch(self, limit: int = _BATCH) -> list[Event]:
        """The next events, at least one and at most `limit`, once there is one: for a program that handles many at once."""
        if limit < 1:
            raise ValueError("a batch has a limit of at least 1")
        await self._fill(limit)
        count = min(limit, len(self._buffer))
        return [self._taken(self._buffer.popleft()) for _ in range(count)]

    def _taken(self, event: Event) -> Event:
        return event


class EventFeed(_EventReader[NativeFeed]):
    """Follows the events of all sessions that the agent sees: `async for event in desk.events()`.

    Raises `SeatportError.EventsTrimmed` when the next events of a session are not kept any more; iterating again goes on behind them.
    Raises `SeatportError.Denied` once the agent may not read them. A wait that is cancelled loses nothing.
    """

    async def _fetch(self, source: NativeFeed, limit: int) -> EventBatch:
        return await source.next(self._seen, limit)

    async def cursors(self) -> dict[str, int]:
        """How far the events that were handed out go, by session: to be kept, and passed to `Desk.events` the next time."""
        async with self._turn:
            cursors = await (await self._opened()).cursors(self._seen)
            for event in reversed(self._buffer):
                cursors[event.session] = event.seq - 1
            return cursors


class Consumer(_EventReader[NativeConsumer]):
    """Reads the event feed under a name, and says what it has handled: each event comes at least once, in the order of its session,
    and none is missed, however often the process dies in between. So handle first and acknowledge then:

        async with desk.consume("crm") as consumer:
            async for event in consumer:
                await handle(event)
                await consumer.acknowledge()

    Raises `SeatportError.Denied` once the agent does not see all sessions any more. A wait that is cancelled loses nothing.
    """

    def __init__(self, name: str, open: Callable[[], Awaitable[NativeConsumer]]) -> None:
        super().__init__(open)
        self._name = name
        self._handled: dict[str, int] = {}

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    async def _fetch(self, source: NativeConsumer, limit: int) -> EventBatch:
        return await source.next(self._seen, limit)

    def _taken(self, event: Event) -> Event:
        self._handled[event.session] = event.seq
        return event

    async def acknowledge(self) -> None:
        """Acknowledges every event that was handed out so far: they do not come again.

        Raises `SeatportError.UnknownConsumer` once somebody forgot the consumer.
        """
        async with self._turn:
            handled, self._handled = self._handled, {}
            try:
                source = await self._opened()
                if self._buffer:
                    await source.acknowledge_up_to(handled)
                else:
                    await source.acknowledge(self._seen)
            except BaseException:
                self._handled = handled | self._handled
                raise

    async def acknowledge_up_to(self, handled: Mapping[str, int]) -> None:
        """Acknowledges a part of what was handed out: of each session named, everything up to this number.

        Raises `SeatportError.Invalid` when it names an event that was not handed out.
        """
        async with self._turn:
            await (await self._opened()).acknowledge_up_to(handled)


class Watch(_Reader[NativeWatch]):
    """Follows one session: gives how it looks now, and then each time that changes.

    States that lasted shorter than the follower took are passed over; the event feed passes over nothing. Raises
    `SeatportError.UnknownSession` once the session was deleted, and `SeatportError.Denied` once the agent lost sight of it.
    """

    async def __anext__(self) -> View:
        async with self._turn:
            update = await (await self._opened()).next(self._seen)
            self._seen = update.number
            return update.view

    async def until(self, wanted: Callable[[View], bool]) -> View:
        """Waits until the session looks as `wanted` says; answers that view."""
        while True:
            view = await self.__anext__()
            if wanted(view):
                return view


class Export(_Reader[NativeExport]):
    """Reads a session's conversations as lines of JSON: a header, contacts, chats with their messages, and an end that says how much
    there was. Each line comes without a line end.

    Raises `SeatportError.UnknownSession` once the session was deleted, and `SeatportError.Denied` once the agent lost sight of it.
    """

    def __init__(self, open: Callable[[], Awaitable[NativeExport]]) -> None:
        super().__init__(open)
        self._buffer: deque[str] = deque()

    async def __anext__(self) -> str:
        async with self._turn:
            if self._ended:
                self._buffer.clear()
            if not self._buffer:
                batch = await (await self._opened()).next(self._seen, _BATCH)
                self._seen = batch.number
                self._buffer.extend(batch.lines)
            if not self._buffer:
                raise StopAsyncIteration
            return self._buffer.popleft()
