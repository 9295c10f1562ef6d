"""Every operation of what is read bit by bit, and what a host that gives up may not lose."""

import asyncio
from datetime import timedelta

import pytest
from office import is_message, office
from seatport import (
    Agent,
    CardStatus,
    Desk,
    Event,
    EventBody,
    Messenger,
    NewAccount,
    Options,
    Retention,
    Role,
    Seatport,
    SeatportError,
    Storage,
    Timing,
)


async def remarked(desk: Desk, session: str, count: int) -> None:
    for number in range(count):
        await desk.set_remark(session, f"remark {number}")


@pytest.mark.behaviour(
    "operation:Desk.events", "operation:Desk.cursors", "operation:EventFeed.next", "operation:EventFeed.cursors"
)
async def test_a_feed_goes_on_from_its_cursors() -> None:
    async with office() as house:
        session = await house.mei.add_account(NewAccount(transport="simulated"))
        await remarked(house.mei, session, 10)
        seen: list[Event] = []
        async with house.mei.events() as feed:
            async for event in feed:
                seen.append(event)
                # The rest of what was read is in a buffer: it was not handed out.
                assert await feed.cursors() == {session: event.seq}
                if len(seen) == 4:
                    break
            cursors = await feed.cursors()
        assert [event.seq for event in seen] == [1, 2, 3, 4]
        assert seen[0].body == EventBody.Added() and seen[1].body == EventBody.RemarkChanged()
        again = await house.mei.events(cursors)
        assert [event.seq for event in await again.batch(3)] == [5, 6, 7]
        assert [event.seq for event in await again.batch()] == [8, 9, 10, 11]
        assert await house.mei.cursors() == await again.cursors() == {session: 11}


@pytest.mark.behaviour(
    "operation:Desk.consume",
    "operation:Desk.consumers",
    "operation:Desk.forget_consumer",
    "operation:Consumer.next",
    "operation:Consumer.name",
    "operation:Consumer.acknowledge",
    "operation:Consumer.acknowledge_up_to",
    "operation:Consumer.end",
    "error:UnknownConsumer",
)
async def test_a_consumer_gets_again_what_it_did_not_acknowledge() -> None:
    async with office() as house:
        session = await house.mei.add_account(NewAccount(transport="simulated"))
        await remarked(house.mei, session, 9)
        consumer = await house.mei.consume("crm")
        assert consumer.name == "crm"
        async for event in consumer:
            if event.seq == 3:
                # The other seven are in the buffer.
                await consumer.acknowledge()
                break
        consumer.end()
        (state,) = await house.mei.consumers()
        assert (state.name, state.behind) == ("crm", 7)

        consumer = await house.mei.consume("crm")
        assert [event.seq for event in await consumer.batch(100)] == [4, 5, 6, 7, 8, 9, 10]
        await consumer.acknowledge_up_to({session: 6})
        assert (await house.mei.consumers())[0].behind == 4
        with pytest.raises(SeatportError.Invalid):
            await consumer.acknowledge_up_to({session: 99})
        await consumer.acknowledge()
        assert (await house.mei.consumers())[0].behind == 0
        await house.mei.forget_consumer("crm")
        assert await house.mei.consumers() == []
        with pytest.raises(SeatportError.UnknownConsumer) as unknown:
            await house.mei.forget_consumer("crm")
        assert unknown.value.name == "crm"


@pytest.mark.behaviour("use_after_close", "error:Closed", "operation:EventFeed.end", "operation:Watch.end")
async def test_a_reader_that_was_ended_says_so_and_so_does_the_wait_under_way() -> None:
    async with office() as house:
        session = await house.mei.add_account(NewAccount(transport="simulated"))
        feed, consumer, watch = house.mei.events(), house.mei.consume("crm"), house.mei.watch(session)
        await feed.batch()
        await consumer.batch()
        await watch.__anext__()
        waits = [asyncio.ensure_future(wait) for wait in (feed.batch(), consumer.batch(), watch.__anext__())]
        await asyncio.sleep(0.05)
        for reader in (feed, consumer, watch):
            reader.end()
            reader.end()
        for wait in waits:
            with pytest.raises(SeatportError.Closed):
                await wait
        for later in (feed.batch(), feed.cursors(), consumer.acknowledge(), watch.__anext__()):
            with pytest.raises(SeatportError.Closed):
                await later
        # One that was never used is ended all the same.
        unused = house.mei.events()
        unused.end()
        with pytest.raises(SeatportError.Closed):
            await unused.batch()


@pytest.mark.behaviour("cancelled_reader_loses_no_event")
async def test_two_hundred_cancelled_waits_lose_no_event() -> None:
    async with office() as house:
        session = await house.mei.add_account(NewAccount(transport="simulated"))
        feed = house.mei.events()
        seen = [event.seq for event in await feed.batch()]
        for number in range(200):
            waiting = asyncio.ensure_future(feed.batch())
            change = asyncio.ensure_future(house.mei.set_remark(session, f"remark {number}"))
            # Now before, now after the event has come.
            for _ in range(number % 7):
                await asyncio.sleep(0)
            if number % 3:
                await change
            waiting.cancel()
            try:
                seen.extend(event.seq for event in await waiting)
            except asyncio.CancelledError:
                pass
            await change
        while len(seen) < 201:
            seen.extend(event.seq for event in await feed.batch())
        assert seen == list(range(1, 202))


@pytest.mark.behaviour("ten_thousand_events")
async def test_ten_thousand_events_arrive_once_and_in_order() -> None:
    async with office() as house:
        sessions = [await house.mei.add_account(NewAccount(transport="simulated")) for _ in range(10)]
        await asyncio.gather(*(remarked(house.mei, session, 999) for session in sessions))
        seen: dict[str, list[int]] = {session: [] for session in sessions}
        async with house.mei.events() as feed:
            for _ in range(10_000):
                event = await feed.__anext__()
                seen[event.session].append(event.seq)
        assert all(numbers == list(range(1, 1001)) for numbers in seen.values())


@pytest.mark.behaviour("error:EventsTrimmed")
async def test_a_feed_goes_on_behind_what_was_trimmed() -> None:
    options = Options(
        storage=Storage.Memory(),
        networks=[Messenger(1).network()],
        insecure_plaintext_vault=True,
        retention=Retention(count=2),
        timing=Timing(trim=timedelta(milliseconds=20)),
    )
    async with await Seatport.open(options) as node:
        await node.put_agent(Agent(id="mei", name="Mei", role=Role.SUPERVISOR))
        desk = await node.desk("mei")
        session = await desk.add_account(NewAccount(transport="simulated"))
        await remarked(desk, session, 9)
        while True:
            feed = desk.events({session: 1})
            try:
                await feed.batch()
            except SeatportError.EventsTrimmed as trimmed:
                assert (trimmed.session, trimmed.after, trimmed.retry) == (session, 1, True)
                if trimmed.kept_from == 9:
                    break
            await asyncio.sleep(0.02)
        assert [event.seq for event in await feed.batch()] == [9, 10]


async def test_events_come_while_they_are_waited_for() -> None:
    async with office() as house:
        session = await house.online()
        feed = await house.mei.events(await house.mei.cursors())
        house.ana.write(house.phone.address(), "hello")
        while not is_message(await feed.__anext__()):
            pass
        view = await house.mei.watch(session).until(lambda view: view.card.unread == 1)
        assert view.card.status == CardStatus.ONLINE
