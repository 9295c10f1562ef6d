"""Calls that are given up, from many threads and loops, and at the end of a process."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from office import office, run_program, until
from seatport import (
    Agent,
    CardStatus,
    Messenger,
    NewAccount,
    Options,
    Role,
    Seatport,
    SeatportError,
    Storage,
    WhenFull,
    _mended,
)


@pytest.mark.behaviour("cancellation_drops_the_call", "cancelled_start_leaves_the_queue")
async def test_a_start_that_is_given_up_leaves_the_queue() -> None:
    async with office(ports=1) as house:
        first = await house.mei.add_and_start(NewAccount(transport="simulated"))
        second, third = [await house.mei.add_account(NewAccount(transport="simulated")) for _ in range(2)]
        wait = WhenFull.Wait(timedelta(minutes=5))
        given_up = asyncio.ensure_future(house.mei.start(second, wait))
        await asyncio.sleep(0.05)
        patient = asyncio.ensure_future(house.mei.start(third, wait))
        await asyncio.sleep(0.05)
        with pytest.raises(SeatportError.PoolFull) as full:
            await house.mei.start(second)
        assert full.value.waiting == 2
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up

        async def waiting() -> int:
            try:
                await house.mei.start(second)
            except SeatportError.PoolFull as full:
                return full.waiting
            raise AssertionError("nobody stopped")

        await until(waiting, lambda count: count == 1)
        await house.mei.stop(first)
        # The next in the queue gets it, not the one who left.
        assert (await patient).port == 1
        assert (await house.mei.card(second)).status == CardStatus.NOT_STARTED


@pytest.mark.behaviour("cancellation_drops_the_call", "error:PortWaitTimedOut")
async def test_a_call_that_takes_too_long_is_given_up_and_others_go_on() -> None:
    async with office(ports=1) as house:
        await house.mei.add_and_start(NewAccount(transport="simulated"))
        session = await house.mei.add_account(NewAccount(transport="simulated"))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(house.mei.start(session, WhenFull.Wait(timedelta(minutes=5))), 0.05)
        with pytest.raises(SeatportError.PortWaitTimedOut) as late:
            await house.mei.start(session, WhenFull.Wait(timedelta(milliseconds=50)))
        assert late.value.waited == timedelta(milliseconds=50) and late.value.retry
        calls = [asyncio.ensure_future(house.mei.card(session)) for _ in range(500)]
        for call in calls[::2]:
            call.cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
        assert all(not isinstance(answer, BaseException) for answer in answers[1::2])


@pytest.mark.behaviour("shutdown_twice")
async def test_a_shutdown_ends_the_calls_under_way() -> None:
    async with office(ports=1) as house:
        first = await house.mei.add_and_start(NewAccount(transport="simulated"))
        await house.reach(first, lambda card: card.status == CardStatus.AWAITING_LOGIN)
        session = await house.mei.add_account(NewAccount(transport="simulated"))
        feed = await house.mei.events(await house.mei.cursors())
        under_way = [
            asyncio.ensure_future(house.mei.start(session, WhenFull.Wait(timedelta(minutes=5)))),
            asyncio.ensure_future(feed.batch()),
        ]
        await asyncio.sleep(0.05)
        await asyncio.gather(house.seatport.shutdown(), house.seatport.shutdown())
        for call in under_way:
            with pytest.raises(SeatportError.ShutDown):
                await call


@pytest.mark.behaviour("threads")
def test_eight_threads_with_a_loop_each_share_an_instance() -> None:
    async def begin() -> Seatport:
        node = await Seatport.open(
            Options(storage=Storage.Memory(), networks=[Messenger(1).network()], insecure_plaintext_vault=True)
        )
        await node.put_agent(Agent(id="mei", name="Mei", role=Role.SUPERVISOR))
        return node

    async def work(node: Seatport, found: list[int]) -> None:
        desk = await node.desk("mei")
        session = await desk.add_account(NewAccount(transport="simulated"))
        for number in range(100):
            assert (await desk.set_remark(session, f"{number}")).remark == f"{number}"
        async with desk.events() as feed:
            found.append(len([await feed.__anext__() for _ in range(100)]))
        assert node.node_id()

    node = asyncio.run(begin())
    found: list[int] = []
    threads = [threading.Thread(target=lambda: asyncio.run(work(node, found))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # And one loop after the other.
    for _ in range(3):
        asyncio.run(work(node, found))
    assert found == [100] * 11
    asyncio.run(node.shutdown())


@pytest.mark.behaviour("threads")
async def test_one_instance_is_used_by_two_loops_at_once() -> None:
    async with office() as house:
        session = await house.mei.add_account(NewAccount(transport="simulated"))
        mine = asyncio.ensure_future(house.mei.events(await house.mei.cursors()).batch())

        def other() -> None:
            asyncio.run(house.mei.set_remark(session, "from another loop"))

        await asyncio.get_running_loop().run_in_executor(None, other)
        assert [event.session for event in await mine] == [session]


LEAVING = """
import asyncio, sys, threading, time
from datetime import timedelta
from seatport import *

class Hanging(Transport):
    async def connect(self, dial):
        while True:
            await asyncio.sleep(0)

class Clocked(Clock):
    def now(self):
        import datetime
        return datetime.datetime.now(datetime.timezone.utc)

class Sink(LogSink):
    def write(self, records):
        time.sleep(0.001)

async def main(how):
    set_log_sink(Sink(), LogLevel.TRACE)
    messenger = Messenger(1)
    networks = [messenger.network(), Network.hosted("hanging", Capabilities(), Hanging())]
    options = Options(storage=Storage.Memory(), networks=networks, insecure_plaintext_vault=True, clock=Clocked(),
        ports=PortRange(first=1, capacity=40))
    node = await Seatport.open(options)
    await node.put_agent(Agent(id="mei", name="Mei", role=Role.SUPERVISOR))
    desk = await node.desk("mei")
    for transport in ["simulated", "hanging"] * 10:
        await desk.add_and_start(NewAccount(transport=transport))
    feed = await desk.events(await desk.cursors())
    globals().update(node=node, desk=desk, feed=feed)
    calls = [asyncio.ensure_future(feed.batch()), asyncio.ensure_future(desk.cards())]
    await asyncio.sleep(0.1)
    print("leaving", flush=True)
    if how == "exit":
        sys.exit(0)

how = sys.argv[1]
if how == "thread":
    # A loop that still runs when the interpreter is taken down.
    thread = threading.Thread(target=lambda: asyncio.run(asyncio.wait([asyncio.ensure_future(main(how))])), daemon=True)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    asyncio.run_coroutine_threadsafe(main(how), loop).result()
else:
    asyncio.run(main(how))
"""


@pytest.mark.behaviour("exit_without_close")
@pytest.mark.parametrize("how", ["return", "exit", "thread"])
def test_a_process_that_closes_nothing_ends_by_itself(how: str) -> None:
    for _ in range(3):
        ended = run_program(LEAVING, how)
        assert (ended.returncode, ended.stdout) == (0, "leaving\n"), ended.stderr
        assert "Traceback" not in ended.stderr and "Exception ignored" not in ended.stderr, ended.stderr


VERSION = """
import importlib.metadata, sys
original = importlib.metadata.version
importlib.metadata.version = lambda name: "0.0.1" if name == "seatport" else original(name)
import seatport
"""

CHECKSUM = """
import ctypes
original = ctypes.CDLL.__getattr__
def patched(self, name):
    function = original(self, name)
    if name == "uniffi_seatport_ffi_checksum_method_desk_card":
        function = lambda: -1
        setattr(self, name, function)
    return function
ctypes.CDLL.__getattr__ = patched
import seatport
"""


@pytest.mark.behaviour("version_check")
def test_a_library_of_another_version_or_build_is_refused() -> None:
    other = run_program(VERSION)
    assert other.returncode == 1 and "ImportError" in other.stderr and "of version" in other.stderr, other.stderr
    build = run_program(CHECKSUM)
    assert build.returncode == 1 and "is not the one that was built with it" in build.stderr, build.stderr
    for refused in (other, build):
        assert "pip install --force-reinstall seatport" in refused.stderr


@pytest.mark.behaviour("panic")
async def test_a_panic_is_an_error_and_the_instance_goes_on() -> None:
    """No call of the library panics, so that the answer to one is made by hand: as the generated code reads it."""
    generated: Any = _mended.generated
    async with office() as house:
        status = generated._UniffiRustCallStatus(
            code=generated._UniffiRustCallStatus.CALL_UNEXPECTED_ERROR,
            error_buf=generated._UniffiFfiConverterString.lower("index out of bounds"),
        )
        with pytest.raises(SeatportError.Internal, match="index out of bounds; please report it"):
            generated._uniffi_check_call_status(None, status)
        assert await house.mei.cards() == []
