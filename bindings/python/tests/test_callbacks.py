"""Whatever an object of the host does, the library goes on."""

import asyncio
import threading
from datetime import datetime, timedelta, timezone

import pytest
from hosted import Deed, Told, fail, hang, nothing, online, told_office
from office import office, until
from seatport import (
    Agent,
    Capabilities,
    CardStatus,
    Clock,
    LogLevel,
    LogRecord,
    LogSink,
    MessageStatus,
    Messenger,
    Network,
    NewAccount,
    Options,
    Reason,
    ReasonKind,
    Role,
    Seatport,
    SeatportError,
    Storage,
    StoredMessage,
    Transport,
    TransportError,
    VaultKeyProvider,
    set_log_sink,
)


class Worst(BaseException):
    """Not even an `Exception`."""


WRONG = {
    "an exception": fail(RuntimeError("out of luck")),
    "lost": fail(TransportError.Lost(Reason(kind=ReasonKind.CONNECTION_LOST, code="no route"))),
    "the worst": fail(Worst("down")),
    "an exit": fail(SystemExit(3)),
    "cancelled": fail(asyncio.CancelledError()),
    "hangs": hang,
}


@pytest.mark.behaviour("host_exception_in_connect", "host_hang_in_connect", "host_fatal_error", "host_cancels_itself")
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_a_transport_that_fails_to_connect_is_tried_again(wrong: Deed) -> None:
    async with told_office() as (house, told):
        told.on_connect = wrong
        session = await house.mei.add_and_start(NewAccount(transport="told"))
        card = await house.reach(session, lambda card: card.attempt > 0)
        assert card.status == CardStatus.CONNECTING and card.reason is not None
        assert card.reason.kind == ReasonKind.CONNECTION_LOST
        told.on_connect = nothing
        await house.reach(session, lambda card: card.status == CardStatus.ONLINE)


async def test_a_transport_that_is_rejected_waits_for_a_person() -> None:
    async with told_office() as (house, told):
        banned_until = datetime(2100, 1, 1, tzinfo=timezone.utc)
        told.on_connect = fail(
            TransportError.Rejected(Reason(kind=ReasonKind.BANNED, code="spam", until=banned_until))
        )
        session = await house.mei.add_and_start(NewAccount(transport="told"))
        card = await house.reach(session, lambda card: card.status == CardStatus.BLOCKED)
        assert card.reason == Reason(kind=ReasonKind.BANNED, code="spam", until=banned_until)


@pytest.mark.behaviour("host_exception_in_send", "host_fatal_error", "host_cancels_itself")
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_a_message_that_could_not_be_sent_is_tried_again(wrong: Deed) -> None:
    async with told_office() as (house, told):
        session = await online(house)
        told.on_send = wrong
        sent = await house.mei.send_text(session, "ana@told", "hello")

        async def looked() -> StoredMessage | None:
            return await house.mei.message(session, "ana@told", sent)

        await asyncio.sleep(0.1)
        pending = await looked()
        assert pending is not None and pending.message.status == MessageStatus.PENDING
        told.on_send = nothing
        await until(looked, lambda stored: stored is not None and stored.message.status == MessageStatus.SENT)
        # Under the same id, whatever became of the first.
        assert {message.id for message in told.sent} == {sent}


async def test_a_message_that_the_network_refuses_is_not_tried_again() -> None:
    async with told_office() as (house, told):
        session = await online(house)
        told.on_send = fail(TransportError.Refused("no such person"))
        sent = await house.mei.send_text(session, "ana@told", "hello")

        async def looked() -> StoredMessage | None:
            return await house.mei.message(session, "ana@told", sent)

        refused = await until(looked, lambda stored: stored is not None and stored.message.status == MessageStatus.FAILED)
        assert refused is not None and "no such person" in repr(refused.failure)


@pytest.mark.behaviour("host_hang_in_close")
async def test_a_stop_answers_though_the_close_hangs() -> None:
    async with told_office() as (house, told):
        session = await online(house)
        told.on_close = hang
        card = await house.mei.stop(session)
        assert card.status == CardStatus.OFFLINE and told.closed == 1

        async def cancelled() -> int:
            return told.cancelled

        # Nobody waits for it any more, and it hears of that though its loop has nothing else to do.
        await until(cancelled, lambda count: count == 1)


@pytest.mark.behaviour("callback_without_a_loop")
async def test_a_transport_made_before_any_loop_runs_on_that_of_its_instance() -> None:
    told = Told()
    made: list[Network] = []
    thread = threading.Thread(target=lambda: made.append(Network.hosted("told", Capabilities(), told)))
    thread.start()
    thread.join()
    async with office(networks=made) as house:
        await online(house)
        assert told.loops == {asyncio.get_running_loop()}


@pytest.mark.behaviour("callback_without_a_loop")
def test_a_transport_whose_loop_is_closed_goes_on() -> None:
    told = Told()
    options = Options(
        storage=Storage.Memory(), networks=[Network.hosted("told", Capabilities(), told)], insecure_plaintext_vault=True
    )

    async def begin() -> Seatport:
        node = await Seatport.open(options)
        await node.put_agent(Agent(id="mei", name="Mei", role=Role.SUPERVISOR))
        return node

    async def go_on(node: Seatport) -> None:
        desk = await node.desk("mei")
        session = await desk.add_and_start(NewAccount(transport="told"))
        await desk.watch(session).until(lambda view: view.card.status == CardStatus.ONLINE)
        await desk.send_text(session, "ana@told", "hello")

        async def sent() -> int:
            return len(told.sent)

        await until(sent, lambda count: count == 1)
        assert asyncio.get_running_loop() not in told.loops
        await node.shutdown()

    node = asyncio.run(begin())
    asyncio.run(go_on(node))


async def test_a_connection_is_closed_and_its_vault_and_signals_say_so() -> None:
    async with told_office() as (house, told):
        session = await online(house)
        (dial,) = told.dials
        assert (dial.session, dial.port) == (session, 1)
        await dial.vault.write({"key": b"\0\xff", "other": b""})
        assert await dial.vault.get("key") == b"\0\xff"
        assert await dial.vault.list("") == {"key": b"\0\xff", "other": b""}
        await dial.vault.remove("key")
        assert await dial.vault.get("key") is None
        await house.mei.stop(session)
        assert told.closed == 1
        with pytest.raises(TransportError.Ended) as ended:
            await dial.signals.alive()
        assert "over" in str(ended.value)
        with pytest.raises(TransportError.Ended):
            await dial.vault.put("key", b"late")


class Fixed(Clock):
    def __init__(self) -> None:
        self.time = datetime(2031, 5, 17, 12, tzinfo=timezone.utc)
        self.wrong: BaseException | None = None
        self.held = threading.Event()
        self.held.set()

    def now(self) -> datetime:
        self.held.wait()
        if self.wrong is not None:
            raise self.wrong
        return self.time


@pytest.mark.behaviour("host_clock")
async def test_a_clock_of_the_host_tells_the_time_and_stops_nothing() -> None:
    clock = Fixed()
    options = Options(
        storage=Storage.Memory(),
        networks=[Messenger(1).network()],
        insecure_plaintext_vault=True,
        clock=clock,
        callback_timeout=timedelta(milliseconds=100),
    )
    async with await Seatport.open(options) as node:
        await node.put_agent(Agent(id="mei", name="Mei", role=Role.SUPERVISOR))
        desk = await node.desk("mei")

        async def added_at() -> datetime:
            session = await desk.add_account(NewAccount(transport="simulated"))
            return (await desk.card(session)).created_at

        assert await added_at() == clock.time
        # Time goes on from the last answer.
        for wrong in (RuntimeError("no battery"), Worst("no clock")):
            clock.wrong = wrong
            assert clock.time <= await added_at() < clock.time + timedelta(minutes=1)
        clock.wrong = None
        clock.held.clear()
        assert clock.time <= await added_at() < clock.time + timedelta(minutes=1)
        clock.held.set()


class Keys(VaultKeyProvider):
    def __init__(self, current: Deed = nothing, key: bytes = bytes(32)) -> None:
        self._current = current
        self._key = key

    async def current(self) -> bytes:
        await self._current()
        return self._key

    async def previous(self) -> list[bytes]:
        return [bytes([1] * 32)]


@pytest.mark.behaviour("host_key_store", "error:Host", "error:Vault")
async def test_the_key_store_of_the_host_is_asked() -> None:
    async with await Seatport.open(Options(storage=Storage.Memory(), vault_key_provider=Keys())) as node:
        assert await node.rotate_vault() == 0
    limit = timedelta(milliseconds=100)
    for wrong in WRONG.values():
        with pytest.raises(SeatportError.Host) as failed:
            await Seatport.open(
                Options(storage=Storage.Memory(), vault_key_provider=Keys(wrong), callback_timeout=limit)
            )
        assert failed.value.detail
    # What it says itself goes through as it is.
    sealed = SeatportError.Vault("the key store is sealed")
    with pytest.raises(SeatportError.Vault, match="the key store is sealed"):
        await Seatport.open(Options(storage=Storage.Memory(), vault_key_provider=Keys(fail(sealed))))
    with pytest.raises(SeatportError.Invalid):
        await Seatport.open(Options(storage=Storage.Memory(), vault_key_provider=Keys(key=b"short")))


class Kept(LogSink):
    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.wrong: BaseException | None = None

    def write(self, records: list[LogRecord]) -> None:
        if self.wrong is not None:
            raise self.wrong
        self.records.extend(records)


@pytest.mark.behaviour("host_log")
async def test_the_log_is_handed_over_until_the_sink_is_removed() -> None:
    kept = Kept()
    set_log_sink(kept, LogLevel.TRACE)
    try:
        async with office() as house:
            await house.online()

            async def count() -> int:
                return len(kept.records)

            await until(count, lambda count: count > 0)
            kept.wrong = Worst("no paper")
            await house.online(house.messenger.phone("+8613800138001"))
            kept.wrong = None
            await house.online(house.messenger.phone("+8613800138002"))
    finally:
        set_log_sink(None, LogLevel.INFO)
    assert all(record.at.tzinfo is not None and record.target.startswith("seatport") for record in kept.records)
    before = len(kept.records)
    async with office() as house:
        await house.online()
    assert len(kept.records) == before


async def test_what_is_no_transport_is_refused() -> None:
    class NotOne:
        pass

    with pytest.raises(TypeError, match="Transport"):
        Network.hosted("told", Capabilities(), NotOne())  # type: ignore[arg-type]

    class Half(Transport):
        pass

    async with office(networks=[Network.hosted("half", Capabilities(), Half())]) as house:
        session = await house.mei.add_and_start(NewAccount(transport="half"))
        assert (await house.reach(session, lambda card: card.attempt > 0)).reason is not None
