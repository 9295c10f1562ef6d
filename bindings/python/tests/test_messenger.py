"""Every operation of the simulated messenger."""

from datetime import timedelta

import pytest
from office import office, until
from seatport import CardStatus, Conditions, Content, Environment, NewAccount, ProxyScheme, ReasonKind, parse_proxy, Secret


@pytest.mark.behaviour(
    "operation:Messenger.network",
    "operation:Messenger.phone",
    "operation:Messenger.person",
    "operation:Messenger.dials",
)
async def test_phones_and_people_have_addresses() -> None:
    async with office() as house:
        assert house.messenger.network().name() == "simulated"
        assert house.messenger.dials() == 0
        await house.online()
        # The network wants a new connection after a login.
        assert house.messenger.dials() == 2
        assert house.phone.account().address == house.phone.address()
        assert house.ana.address().startswith("Ana@")


@pytest.mark.behaviour("operation:Messenger.group", "operation:Messenger.channel")
async def test_groups_and_channels_are_chats_of_many() -> None:
    async with office() as house:
        session = await house.online()
        group = house.messenger.group("Friends", [house.phone])
        channel = house.messenger.channel("News", [house.phone])
        house.ana.write(group.address(), "hello all")
        house.ana.write(channel.address(), "read this")

        async def chats() -> set[str]:
            return {chat.address for chat in await house.mei.chats(session)}

        await until(chats, lambda chats: group.address() in chats)
        await house.mei.send_text(session, group.address(), "hello Ana")

        async def heard() -> list[str]:
            return [message.text for message in group.received()]

        assert "hello Ana" in await until(heard, lambda heard: "hello Ana" in heard)


@pytest.mark.behaviour("operation:Messenger.ban", "operation:Messenger.unban", "operation:Messenger.set_conditions")
async def test_networks_fail_and_ban() -> None:
    async with office() as house:
        session = await house.online()
        house.messenger.set_conditions(Conditions(down=True))
        card = await house.reach(session, lambda card: card.status == CardStatus.CONNECTING)
        assert card.reason is not None
        house.messenger.set_conditions(Conditions())
        await house.reach(session, lambda card: card.status == CardStatus.ONLINE)
        house.messenger.ban(house.phone.address())
        card = await house.reach(session, lambda card: card.status == CardStatus.BLOCKED)
        assert card.reason is not None and card.reason.kind == ReasonKind.BANNED
        house.messenger.unban(house.phone.address())
        await house.mei.refresh_login(session)
        await house.reach(session, lambda card: card.status in (CardStatus.ONLINE, CardStatus.AWAITING_LOGIN))


@pytest.mark.behaviour("operation:Messenger.set_proxy_refusing")
async def test_a_proxy_that_refuses_blocks() -> None:
    async with office() as house:
        proxy = parse_proxy(Secret("socks5://user:secret@proxy.example:1080"))
        assert (proxy.scheme, proxy.host, proxy.port) == (ProxyScheme.SOCKS5, "proxy.example", 1080)
        house.messenger.set_proxy_refusing(proxy, True)
        session = await house.mei.add_and_start(NewAccount(transport="simulated", environment=Environment(proxy=proxy)))
        card = await house.reach(session, lambda card: card.status == CardStatus.BLOCKED)
        assert card.reason is not None and card.reason.kind == ReasonKind.PROXY_REFUSED
        house.messenger.set_proxy_refusing(proxy, False)
        await house.mei.refresh_login(session)
        await house.reach(session, lambda card: card.status == CardStatus.AWAITING_LOGIN)


async def test_people_do_what_people_do() -> None:
    async with office() as house:
        session = await house.online()
        to = house.phone.address()
        first = house.ana.write(to, "helo")
        house.ana.edit(to, first, "hello")
        house.ana.react(to, first, "👍")
        second = house.ana.reply(to, first, "again")
        house.ana.delete(to, second)
        house.ana.send(to, Content.Undecryptable())
        house.messenger.set_conditions(Conditions(slow=timedelta(milliseconds=1)))

        async def texts() -> list[Content]:
            return [stored.message.content for stored in await house.mei.messages(session, house.ana.address())]

        wanted = [Content.Undecryptable(), Content.Deleted(), Content.Text("hello")]
        assert await until(texts, lambda texts: texts == wanted) == wanted
