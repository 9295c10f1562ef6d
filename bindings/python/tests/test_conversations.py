"""Every operation on contacts, chats and messages."""

import pytest
from office import office, until
from seatport import (
    Conditions,
    Content,
    Edge,
    Media,
    MediaKind,
    MessageStatus,
    Page,
    SearchQuery,
    SeatportError,
    Secret,
    SendFailure,
    SendOptions,
    StoredMessage,
    WhenStopped,
)


@pytest.mark.behaviour(
    "operation:Desk.contacts",
    "operation:Desk.contact",
    "operation:Desk.chats",
    "operation:Desk.chat",
    "operation:Desk.messages",
    "operation:Desk.message",
)
async def test_what_was_said_is_read() -> None:
    async with office() as house:
        session = await house.online()
        ana = house.ana.address()
        for number in range(3):
            await house.written(session, f"message {number}")
        (contact,) = await house.mei.contacts(session)
        assert (contact.address, contact.name) == (ana, "Ana")
        assert await house.mei.contact(session, ana) == contact
        (chat,) = await house.mei.chats(session)
        assert chat.unread == 3 and chat.last is not None
        assert await house.mei.chat(session, ana) == chat
        said = await house.mei.messages(session, ana)
        assert [message.message.content for message in said] == [Content.Text(f"message {n}") for n in (2, 1, 0)]
        after = Page(edge=Edge.After(str(said[1].seq)), limit=10)
        assert await house.mei.messages(session, ana, after) == said[2:]
        assert await house.mei.message(session, ana, said[0].message.id) == said[0]
        assert await house.mei.message(session, ana, "nothing") is None
        assert await house.mei.chats(session, Page(edge=Edge.After(chat.cursor), limit=10)) == []
        assert await house.mei.contacts(session, Page(edge=Edge.After(contact.address), limit=10)) == []


@pytest.mark.behaviour("operation:Desk.mark_read", "operation:Desk.mark_read_up_to")
async def test_chats_are_marked_as_read() -> None:
    async with office() as house:
        session = await house.online()
        ana = house.ana.address()
        for number in range(3):
            await house.written(session, f"message {number}")
        second = (await house.mei.messages(session, ana))[1].message.id
        await house.mei.mark_read_up_to(session, ana, second)
        assert (await house.mei.chat(session, ana)).unread == 1
        await house.mei.mark_read(session, ana)
        assert (await house.mei.card(session)).unread == 0


@pytest.mark.behaviour("operation:Desk.send_text", "operation:Desk.send_media", "operation:Desk.cancel_send")
async def test_messages_are_sent_and_taken_back() -> None:
    async with office() as house:
        session = await house.online()
        ana = await house.written(session, "Which colour?")
        asked = (await house.mei.messages(session, ana))[0].message.id
        text = await house.li.send_text(session, ana, "Blue.", SendOptions(key="k1", quoted=asked))
        assert await house.li.send_text(session, ana, "Blue.", SendOptions(key="k1", quoted=asked)) == text
        bytes_at = Secret("file:///blue.png")
        media = Media(kind=MediaKind.IMAGE, mime_type="image/png", caption="This blue", reference=bytes_at)
        picture = await house.li.send_media(session, ana, media)

        async def received() -> list[str | None]:
            return [message.quoted for message in house.ana.received()]

        assert await until(received, lambda quoted: len(quoted) == 2) == [asked, None]
        stored = await house.mei.message(session, ana, picture)
        assert stored is not None and isinstance(stored.message.content, Content.Media)
        assert stored.message.content.media.caption == "This blue"

        # Nothing goes out any more, so that there is something to take back.
        await house.mei.stop(session)
        queued = await house.li.send_text(session, ana, "Or green.", SendOptions(when_stopped=WhenStopped.QUEUE))
        await house.li.cancel_send(session, ana, queued)
        taken_back = await house.mei.message(session, ana, queued)
        assert taken_back is not None and taken_back.message.status == MessageStatus.FAILED
        assert taken_back.failure == SendFailure.Cancelled()
        assert len(house.ana.received()) == 2


async def test_a_message_that_the_network_refuses_says_why() -> None:
    async with office() as house:
        session = await house.online()
        ana = await house.written(session)
        house.messenger.set_conditions(Conditions(refusing="too many links"))
        sent = await house.mei.send_text(session, ana, "look here")

        async def looked() -> StoredMessage | None:
            return await house.mei.message(session, ana, sent)

        stored = await until(looked, lambda stored: stored is not None and stored.message.status == MessageStatus.FAILED)
        assert stored is not None and isinstance(stored.failure, SendFailure.Refused)
        assert "too many links" in repr(stored.failure)


@pytest.mark.behaviour("operation:Desk.search_messages", "operation:Desk.search_contacts")
async def test_messages_and_people_are_found() -> None:
    async with office() as house:
        session = await house.online()
        ana = house.ana.address()
        for text in ("退款什么时候到", "Where is my parcel?", "The parcel is broken"):
            await house.written(session, text)
        first, second = await house.mei.search_messages(SearchQuery(text="PARCEL"))
        assert (first.session, first.message.message.content) == (session, Content.Text("The parcel is broken"))
        assert await house.mei.search_messages(SearchQuery(text="parcel"), 10, first.cursor) == [second]
        (refund,) = await house.mei.search_messages(SearchQuery(text="退款", session=session))
        assert refund.message.message.content == Content.Text("退款什么时候到")
        (person,) = await house.mei.search_contacts(SearchQuery(text="ana"), 10)
        assert person.contact.address == ana
        assert await house.mei.search_contacts(SearchQuery(text="ana"), 10, person.cursor) == []


@pytest.mark.behaviour("operation:Desk.export_session", "operation:Export.next", "operation:Export.end")
async def test_a_session_is_exported_line_by_line() -> None:
    async with office() as house:
        session = await house.online()
        for number in range(300):
            house.ana.write(house.phone.address(), f"message {number}")
        await house.reach(session, lambda card: card.unread == 300)
        lines = [line async for line in house.mei.export_session(session)]
        assert len(lines) == 1 + 1 + 1 + 300 + 1
        assert lines[0].startswith('{"header"') and lines[-1] == '{"end":{"contacts":1,"chats":1,"messages":300}}'
        export = await house.mei.export_session(session)
        assert (await export.__anext__()).startswith("{\"header\"")
        export.end()
        with pytest.raises(SeatportError.Closed):
            await export.__anext__()
