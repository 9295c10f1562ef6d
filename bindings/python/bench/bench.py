"""What calls from Python cost beside empty ones, how fast lists and events are read, and whether memory grows: `bench.py [--quick]`.

Overhead is a real call without what core itself takes for it, beside an empty function of the same signature in the same library. They
are measured in turns, many times and briefly, with the garbage collector off, and the median of each counts. The best of each is no
measure on a machine that does other things: it tells who caught a quiet moment.
"""

import asyncio
import gc
import importlib
import os
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from seatport import (
    Action,
    Agent,
    Connection,
    Content,
    Desk,
    Edge,
    Messenger,
    Network,
    NewAccount,
    Options,
    OutboundMessage,
    Page,
    ReadMessage,
    Role,
    Seatport,
    SeatportError,
    SessionFilter,
    Storage,
)

QUICK = "--quick" in sys.argv[1:]
BOUND = 1.15
GROWTH = 0.05

# There only in a library that is built to be measured.
native: Any = importlib.import_module("seatport._native")

Call = Callable[[], Awaitable[object]]


def tell(what: str, value: float, unit: str, bound: float | None = None) -> None:
    """Prints a figure, and keeps it where that is wanted: for `cargo xtask bench`, which looks whether bounds are kept."""
    said = "" if bound is None else f"<= {bound:g}"
    missed = bound is not None and value > bound
    print(f"{what:<58} {value:>12,.3f} {unit:<8} {said}{'  MISSED' if missed else ''}", flush=True)
    file = os.environ.get("SEATPORT_FIGURES")
    if file:
        with open(file, "a") as figures:
            figures.write(f"{what}\t{value:.6g}\t{unit}\t{said}\n")


async def timed(call: Call, times: int) -> float:
    """What one call takes, in µs."""
    begun = time.perf_counter()
    for _ in range(times):
        await call()
    return (time.perf_counter() - begun) / times * 1e6


async def beside(what: str, real: Call, empty: Call, in_core: Call | None, times: int) -> None:
    """Measures a call beside an empty one."""
    reals: list[float] = []
    empties: list[float] = []
    cores: list[float] = [0.0] if in_core is None else []
    gc.collect()
    gc.disable()
    try:
        for _ in range(30 if QUICK else 100):
            # In turns, so that a drift weighs on all.
            empties.append(await timed(empty, times))
            reals.append(await timed(real, times))
            if in_core is not None:
                spent: Any = await in_core()
                cores.append(spent.total_seconds() * 1e6)
    finally:
        gc.enable()
    taken, floor, core = (statistics.median(times) for times in (reals, empties, cores))
    tell(f"{what}: a call", taken, "µs")
    tell(f"{what}: an empty one", floor, "µs")
    tell(f"{what}: overhead beside the empty one", (taken - core) / floor, "", BOUND)


class Sink(Connection):
    async def send(self, message: OutboundMessage) -> None:
        pass

    async def mark_read(self, chat: str, messages: list[ReadMessage]) -> None:
        pass

    async def log_out(self) -> None:
        pass

    async def close(self) -> None:
        pass


def resident() -> float:
    """Resident memory in MB."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def grows(what: str, call: Call) -> None:
    """Looks whether memory grows with the number of calls."""
    few, many = (10_000, 30_000) if QUICK else (10_000, 100_000)
    for _ in range(few):
        await call()
    gc.collect()
    before = resident()
    for _ in range(many - few):
        await call()
    gc.collect()
    after = resident()
    tell(f"{what}: resident after {few:,} calls", before, "MB")
    tell(f"{what}: growth until {many:,} calls", max(0.0, after / before - 1), "", GROWTH)


async def read_cards(desk: Desk) -> int:
    count = 0
    edge: Edge = Edge.First()
    while True:
        cards = await desk.cards(SessionFilter(), Page(edge=edge, limit=1000))
        if not cards:
            return count
        count += len(cards)
        edge = Edge.After(cards[-1].session)


@asynccontextmanager
async def desk_of_mei(*networks: Network) -> AsyncGenerator[tuple[Seatport, Desk], None]:
    options = Options(storage=Storage.Memory(), networks=list(networks), insecure_plaintext_vault=True)
    async with await Seatport.open(options) as node:
        await node.put_agent(Agent(id="mei", name="Mei", role=Role.SUPERVISOR))
        yield node, await node.desk("mei")


async def growth() -> None:
    """Each kind of call many times. Comes first: what large lists have left free would hide what is lost."""
    async with desk_of_mei(Messenger(1).network()) as (node, desk):
        session = await desk.add_account(NewAccount(transport="simulated"))
        probe: Any = await native.Probe.of(desk, session)
        sink, message = Sink(), OutboundMessage(chat="a@b", id="1", content=Content.Text("hello"), quoted=None)

        async def node_id() -> None:
            node.node_id()

        async def refused() -> None:
            try:
                await desk.card("nonsense")
            except SeatportError.Invalid:
                return
            raise AssertionError

        async def cancelled() -> None:
            call = asyncio.ensure_future(desk.card(session))
            await asyncio.sleep(0)
            call.cancel()
            await asyncio.wait([call])

        calls: list[tuple[str, Call]] = [
            ("node_id", node_id),
            ("may", lambda: desk.may(Action.VIEW)),
            ("card", lambda: desk.card(session)),
            ("cards", lambda: desk.cards()),
            ("next", lambda: probe.next(0, 1)),
            ("send, called by the library", lambda: probe.send_limited(sink, message)),
            ("an error", refused),
            ("a cancelled call", cancelled),
        ]
        for what, call in calls:
            await grows(what, call)


async def calls_and_lists(cards: int) -> None:
    """One call after the other, on a node with this many sessions."""
    async with desk_of_mei(Messenger(1).network()) as (node, desk):
        sessions = [await desk.add_account(NewAccount(transport="simulated", remark="remark")) for _ in range(cards)]
        session = sessions[0]
        probe: Any = await native.Probe.of(desk, session)
        kinds: Any = native.ProbedCall
        page = Page(edge=Edge.First(), limit=1000)
        sink, message = Sink(), OutboundMessage(chat="a@b", id="1", content=Content.Text("hello"), quoted=None)

        def in_core(kind: Any, times: int) -> Call:
            return lambda: probe.spent_in_core(kind, times)

        async def node_id() -> object:
            return node.node_id()

        async def empty_id() -> object:
            return probe.node_id()

        for what, real, empty, core, times in (
            ("node_id, synchronous", node_id, empty_id, None, 500),
            (
                "may, asynchronous",
                lambda: desk.may(Action.VIEW),
                lambda: probe.may(Action.VIEW),
                in_core(kinds.MAY, 500),
                200,
            ),
            ("card, a record", lambda: desk.card(session), lambda: probe.card(session), in_core(kinds.CARD, 500), 200),
            (
                "cards, a list of 1,000",
                lambda: desk.cards(SessionFilter(), page),
                lambda: probe.cards(SessionFilter(), page),
                in_core(kinds.CARDS, 5),
                1,
            ),
            (
                "send, called by the library",
                lambda: probe.send_limited(sink, message),
                lambda: probe.send(sink, message),
                None,
                200,
            ),
        ):
            await beside(what, real, empty, core, times)

        begun = time.perf_counter()
        count = await read_cards(desk)
        tell(f"{count:,} cards listed, in pages of 1,000", (time.perf_counter() - begun) * 1e3, "ms")


async def feeds(events: int) -> None:
    """Events, on a node with a few sessions that many happened in."""
    async with desk_of_mei(Messenger(1).network()) as (_, desk):
        sessions = [await desk.add_account(NewAccount(transport="simulated")) for _ in range(10)]
        for number in range(events - len(sessions)):
            await desk.set_remark(sessions[number % len(sessions)], f"remark {number}")
        probe: Any = await native.Probe.of(desk, sessions[0])
        feed: Any = None
        size = len(await desk.events().batch(1000))
        left = 0

        async def real() -> object:
            nonlocal feed, left
            if left < 2 * size:
                feed, left = desk.events(), events
            batch = await feed.batch(1000)
            left -= len(batch)
            return batch

        times = 8
        in_core: Call = lambda: probe.spent_in_core(native.ProbedCall.NEXT, times)  # noqa: E731
        await beside(f"next, a batch of {size}", real, lambda: probe.next(0, 1000), in_core, times)

        for how in ("batch", "one"):
            begun, count = time.perf_counter(), 0
            async with desk.events() as stream:
                while count < events:
                    count += len(await stream.batch(1000)) if how == "batch" else bool(await stream.__anext__())
            what = f"{events:,} events read, {'in batches' if how == 'batch' else 'one by one'}"
            tell(what, count / (time.perf_counter() - begun), "/s")


async def main() -> None:
    cards, events = (2_000, 20_000) if QUICK else (10_000, 100_000)
    await growth()
    await calls_and_lists(cards)
    await feeds(events)


if __name__ == "__main__":
    asyncio.run(main())
