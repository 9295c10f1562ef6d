"""The story of the quickstart, told at a desk in Python."""

import pytest
from office import NUMBER, office
from seatport import (
    Action,
    CardStatus,
    Content,
    Direction,
    EventBody,
    MessageStatus,
    NewAccount,
    SeatportError,
    WhenFull,
)


@pytest.mark.behaviour("story")
async def test_a_team_works_from_the_first_account_to_the_last_goodbye() -> None:
    async with office(ports=1) as house:
        mei, li = house.mei, house.li
        assert (await mei.agent()).name == "Mei"
        assert await mei.may(Action.VIEW_DATA_CENTRE) and not await li.may(Action.VIEW_DATA_CENTRE)

        session = await mei.add_and_start(NewAccount(transport="simulated", agent="li", remark="Hotline"))
        watch = mei.watch(session)
        view = await watch.until(lambda view: view.challenge is not None)
        assert (view.card.status, view.card.port, view.card.agent) == (CardStatus.AWAITING_LOGIN, 1, "li")
        house.phone.scan((await mei.login_code(session)).code)
        card = (await watch.until(lambda view: view.card.status == CardStatus.ONLINE)).card
        assert card.account is not None and card.account.phone == NUMBER.removeprefix("+")
        watch.end()

        # The only port is taken, until the session is stopped.
        with pytest.raises(SeatportError.PoolFull) as full:
            await li.add_and_start(NewAccount(transport="simulated"), WhenFull.Fail())
        assert (full.value.capacity, full.value.occupied) == (1, 1)

        ana = await house.written(session, "Is my parcel there?")
        assert (await li.card(session)).unread == 1
        (chat,) = await li.chats(session)
        assert (chat.address, chat.name, chat.unread) == (ana, "Ana", 1)
        await li.mark_read(session, ana)
        assert (await li.card(session)).unread == 0
        answer = await li.send_text(session, ana, "It is.")
        sent = (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ)
        async for event in mei.events():
            if isinstance(event.body, EventBody.MessageStatusChanged) and event.body.status in sent:
                break
        assert [received.text for received in house.ana.received()] == ["It is."]
        newest, oldest = await li.messages(session, ana)
        assert (newest.message.id, newest.message.direction) == (answer, Direction.OUTBOUND)
        assert oldest.message.content == Content.Text("Is my parcel there?")

        assert (await li.stop(session)).status == CardStatus.OFFLINE
        assert (await mei.card(session)).port is None
        # What was said stays readable.
        assert len(await li.messages(session, ana)) == 2
        lines = [line async for line in mei.export_session(session)]
        assert len(lines) == 6 and "Is my parcel there?" in "".join(lines)
        await mei.delete(session)
        with pytest.raises(SeatportError.UnknownSession):
            await mei.card(session)
        assert await mei.cards() == []
