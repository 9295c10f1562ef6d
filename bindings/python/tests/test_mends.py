"""Each fault of uniffi 0.32.2 that the package mends, and that it is mended: what is done here fails without."""

import asyncio
import gc
import threading
from datetime import timedelta
from typing import Any

import pytest
from hosted import Told, fail, online, told_office
from office import office, run_program, until
from seatport import (
    Capabilities,
    CardStatus,
    Content,
    Network,
    NewAccount,
    SeatportError,
    Storage,
    _mended,
)

generated: Any = _mended.generated


async def test_a_call_answers_to_the_running_loop_and_not_to_one_that_was_set() -> None:
    """`_uniffi_get_event_loop` prefers the one that was set: the call raises, or never comes back."""
    async with office() as house:
        other = asyncio.new_event_loop()
        generated.uniffi_set_event_loop(other)
        try:
            assert await asyncio.wait_for(house.mei.cards(), 10) == []
        finally:
            generated.uniffi_set_event_loop(None)
            other.close()


async def test_a_callback_from_a_thread_without_a_loop_is_answered() -> None:
    """`_uniffi_get_event_loop` raises there, in a callback where nobody hears it: the library waits for ever."""
    async with told_office() as (house, told):
        await online(house)
        assert told.dials and told.loops == {asyncio.get_running_loop()}


async def test_a_callback_that_nobody_waits_for_is_cancelled_though_its_loop_sleeps() -> None:
    """`_uniffi_future_dropped_callback` uses `call_soon` from a thread of the library: a loop that sleeps does not wake up."""
    async with told_office(limit=timedelta(hours=1)) as (house, told):
        begun, cancelled = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        told.on_connect = wait
        session = await house.mei.add_and_start(NewAccount(transport="told"))
        await begun.wait()
        # A loop that looks who calls it; and stopped from elsewhere, so that nothing but the cancellation is due here.
        asyncio.get_running_loop().set_debug(True)
        stop = threading.Thread(target=lambda: asyncio.run(house.mei.stop(session)))
        stop.start()
        await asyncio.wait_for(cancelled.wait(), 20)
        stop.join()


WORST = """
import asyncio, datetime
from seatport import *

class Broken(Clock):
    def now(self) -> datetime.datetime:
        raise KeyboardInterrupt

async def main():
    async with await Seatport.open(Options(storage=Storage.Memory(), clock=Broken())) as node:
        await node.put_agent(Agent(id="mei", name="Mei", role=Role.SUPERVISOR))
        print([agent.name for agent in await node.agents()])

asyncio.run(main())
"""


def test_whatever_a_synchronous_callback_raises_is_answered() -> None:
    """Only what is an `Exception` is: the library takes what was there before for the answer, and Python complains."""
    ended = run_program(WORST)
    assert (ended.returncode, ended.stdout) == (0, "['Mei']\n"), ended.stderr
    assert "ctypes callback" not in ended.stderr, ended.stderr


@pytest.mark.parametrize("error", [asyncio.CancelledError(), SystemExit(1), GeneratorExit()], ids=repr)
async def test_whatever_a_callback_raises_is_answered_at_once(error: BaseException) -> None:
    """Only what is an `Exception` is: the library would wait until its limit is over."""
    async with told_office(limit=timedelta(hours=1)) as (house, told):
        told.on_connect = fail(error)
        session = await house.mei.add_and_start(NewAccount(transport="told"))
        await house.reach(session, lambda card: card.attempt > 0)


CLOSED = """
import asyncio
from seatport import *

async def main():
    node = await Seatport.open(Options(storage=Storage.Memory(), insecure_plaintext_vault=True))
    await node.put_agent(Agent(id="mei", name="Mei", role=Role.SUPERVISOR))
    return node, (await node.desk("mei")).events().batch()

loop = asyncio.new_event_loop()
node, wait = loop.run_until_complete(main())
task = loop.create_task(wait)
loop.run_until_complete(asyncio.sleep(0.05))
loop.close()
# The answer comes when there is nobody to give it to.
asyncio.run(node.shutdown())
print("well")
"""


def test_an_answer_to_a_loop_that_was_closed_is_no_trouble() -> None:
    """`_uniffi_continuation_callback` raises there, in a callback where nobody can catch it."""
    ended = run_program(CLOSED)
    assert (ended.returncode, ended.stdout) == (0, "well\n"), ended.stderr
    assert "ctypes callback" not in ended.stderr, ended.stderr


def test_the_checksums_are_checked() -> None:
    """The call of `_uniffi_check_api_checksums` stands in a comment."""
    from seatport import _version

    class Mismatch(Exception):
        pass

    class Changed:
        InternalError = Mismatch
        _UniffiLib = None

        @staticmethod
        def library_version() -> str:
            return "1"

        @staticmethod
        def _uniffi_check_api_checksums(_: object) -> None:
            raise Mismatch

    with pytest.raises(ImportError, match="is not the one that was built with it"):
        _version.check(Changed, "1")


def test_a_panic_is_an_error_of_the_package() -> None:
    """It is an `InternalError` of the generated code, which no host knows."""
    assert issubclass(type(generated.InternalError("boom")), SeatportError.Internal)


def test_a_value_is_compared_with_anything() -> None:
    """The generated `__eq__` of a record looks for its fields in whatever it is given."""
    record: object = Capabilities()
    variant: object = Content.Text("a")
    for other in (None, 7, "x", Storage.Memory(), variant):
        assert record != other
    assert variant not in [None, 1, record, Storage.Memory()]


def test_a_value_shows_its_fields_in_a_list() -> None:
    """The generated `repr` shows none."""
    assert repr([Content.Text("a")]) == "[Content.Text(text='a')]"


async def test_what_the_host_handed_in_is_let_go() -> None:
    """Nothing of ours may keep what the library has given back."""
    handles = [
        getattr(generated, f"_UniffiFfiConverterType{trait}")._handle_map for trait in ("Transport", "Connection")
    ]
    gc.collect()
    before = [len(map) for map in handles]
    async with told_office() as (house, _):
        for _ in range(3):
            session = await online(house)
            await house.mei.stop(session)
        assert len(handles[0]) > before[0]
    del house

    async def held() -> list[int]:
        gc.collect()
        return [len(map) for map in handles]

    await until(held, lambda held: held == before)


async def test_callbacks_of_two_instances_stay_on_their_own_loops() -> None:
    told, done = Told(), threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def elsewhere() -> None:
        loops.append(asyncio.get_running_loop())
        async with office(networks=[Network.hosted("told", Capabilities(), told)]) as house:
            session = await house.mei.add_and_start(NewAccount(transport="told"))
            await house.reach(session, lambda card: card.status == CardStatus.ONLINE)
        done.set()

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    async with told_office() as (house, mine):
        thread.start()
        await online(house)
        await asyncio.get_running_loop().run_in_executor(None, done.wait)
        assert mine.loops == {asyncio.get_running_loop()}
    thread.join()
    assert told.loops == set(loops)


def test_what_the_library_gives_back_waits_for_nobody() -> None:
    """The generated maps have a lock; a thread that tidies up while it has it, and so gives something back, waits for itself."""
    maps: list[object] = [generated._UniffiContinuationHandleMap, generated._UniffiFfiConverterTypeTransport._handle_map]
    for map in maps:
        assert not any("lock" in name for name in vars(map))
    numbers = [generated._UniffiFfiConverterTypeTransport._handle_map.insert(Told()) for _ in range(2)]
    # By this the library tells the objects of a host from its own.
    assert all(number % 2 for number in numbers)
    for number in numbers:
        assert isinstance(generated._UniffiFfiConverterTypeTransport._handle_map.remove(number), Told)
