"""Every kind of error that a host can provoke, with its fields. Some are provoked beside what else they belong to."""

from datetime import timedelta
from pathlib import Path

import pytest
from hosted import online, told_office
from office import office
from seatport import (
    Action,
    Capabilities,
    CardStatus,
    LoginMethod,
    Media,
    MediaKind,
    MessageStatus,
    Network,
    NewAccount,
    Options,
    Seatport,
    SeatportError,
    Secret,
    SendOptions,
    Storage,
    VaultKey,
    WhenFull,
)

UNKNOWN = "01890000-0000-7000-8000-000000000000"


@pytest.mark.behaviour(
    "error:UnknownSession",
    "error:UnknownAgent",
    "error:UnknownTransport",
    "error:UnknownChat",
    "error:UnknownContact",
    "error:UnknownMessage",
)
async def test_what_is_not_there_is_named() -> None:
    async with office() as house:
        session = await house.online()
        ana = await house.written(session)
        with pytest.raises(SeatportError.UnknownSession) as no_session:
            await house.mei.card(UNKNOWN)
        assert no_session.value.session == UNKNOWN
        with pytest.raises(SeatportError.UnknownAgent) as no_agent:
            await house.seatport.desk("nobody")
        assert no_agent.value.agent == "nobody"
        with pytest.raises(SeatportError.UnknownTransport) as no_network:
            await house.mei.add_account(NewAccount(transport="pigeon"))
        assert no_network.value.name == "pigeon"
        with pytest.raises(SeatportError.UnknownChat) as no_chat:
            await house.mei.chat(session, "nobody@simulated")
        assert no_chat.value.chat == "nobody@simulated"
        with pytest.raises(SeatportError.UnknownContact) as no_contact:
            await house.mei.contact(session, "nobody@simulated")
        assert no_contact.value.address == "nobody@simulated"
        with pytest.raises(SeatportError.UnknownMessage) as no_message:
            await house.mei.mark_read_up_to(session, ana, "nothing")
        assert no_message.value.message_id == "nothing"


@pytest.mark.behaviour("error:Denied", "error:PoolFull", "error:IllegalTransition", "error:AgentBound", "error:NoLoginCode")
async def test_what_is_not_allowed_now_says_why() -> None:
    async with office(ports=1) as house:
        session = await house.mei.add_account(NewAccount(transport="simulated", agent="li"))
        with pytest.raises(SeatportError.Denied) as denied:
            await house.li.assign(session, None)
        assert (denied.value.agent, denied.value.action, denied.value.retry) == ("li", Action.ASSIGN, False)
        with pytest.raises(SeatportError.IllegalTransition):
            await house.mei.restart(session)
        with pytest.raises(SeatportError.NoLoginCode) as no_code:
            await house.mei.login_code(session)
        assert no_code.value.session == session
        with pytest.raises(SeatportError.AgentBound) as bound:
            await house.seatport.remove_agent("li")
        assert (bound.value.agent, bound.value.sessions) == ("li", 1)
        await house.mei.start(session)
        with pytest.raises(SeatportError.PoolFull) as full:
            await house.mei.add_and_start(NewAccount(transport="simulated"))
        error = full.value
        assert (error.capacity, error.occupied, error.waiting, error.retry) == (1, 1, 0, True)
        assert [(holder.port, holder.session) for holder in error.holders] == [(1, session)]
        with pytest.raises(SeatportError.PortWaitTimedOut):
            await house.mei.add_and_start(NewAccount(transport="simulated"), WhenFull.Wait(timedelta(milliseconds=1)))


@pytest.mark.behaviour("error:NotSending", "error:KeyReused", "error:AlreadySent", "error:Unsupported")
async def test_what_cannot_be_sent_says_why() -> None:
    async with office() as house:
        stopped = await house.mei.add_account(NewAccount(transport="simulated"))
        with pytest.raises(SeatportError.NotSending) as not_sending:
            await house.mei.send_text(stopped, "ana@simulated", "hello")
        assert (not_sending.value.session, not_sending.value.status) == (stopped, CardStatus.NOT_STARTED)
        session = await house.online()
        ana = await house.written(session)
        sent = await house.mei.send_text(session, ana, "hello", SendOptions(key="k"))
        with pytest.raises(SeatportError.KeyReused) as reused:
            await house.mei.send_text(session, ana, "something else", SendOptions(key="k"))
        assert (reused.value.key, reused.value.message_id) == ("k", sent)
        async for event in house.mei.events():
            if "SENT" in repr(event.body):
                break
        with pytest.raises(SeatportError.AlreadySent) as too_late:
            await house.mei.cancel_send(session, ana, sent)
        assert too_late.value.message_id == sent
        assert too_late.value.status in (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ)
    async with told_office() as (house, _):
        session = await online(house)
        picture = Media(kind=MediaKind.IMAGE, mime_type="image/png", reference=Secret("file:///a.png"))
        with pytest.raises(SeatportError.Unsupported) as unsupported:
            await house.mei.send_media(session, "ana@told", picture)
        assert unsupported.value.transport == "told"
        with pytest.raises(SeatportError.Unsupported):
            await house.mei.add_account(NewAccount(transport="told", login=LoginMethod.PairingCode("+8613800138000")))


@pytest.mark.behaviour("error:Vault", "error:Storage", "error:NotBuilt")
async def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    file = Storage.Sqlite(str(tmp_path / "sealed.db"))
    async with office(file) as house:
        await house.online()
        with pytest.raises(SeatportError.Storage) as used:
            await Seatport.open(Options(storage=file, vault_key=VaultKey.generate()))
        assert (used.value.kind, used.value.retry) == ("InUse", False)
    with pytest.raises(SeatportError.Vault):
        await Seatport.open(Options(storage=file, vault_key=VaultKey.generate()))
    with pytest.raises(SeatportError.Vault) as no_key:
        await Seatport.open(Options(storage=Storage.Memory(), networks=[house.messenger.network()]))
    assert no_key.value.detail and not no_key.value.retry
    with pytest.raises(SeatportError.NotBuilt) as not_built:
        Network.whatsapp()
    assert not_built.value.feature == "whatsapp" and "--features whatsapp" in not_built.value.detail
    assert not Capabilities().proxy
