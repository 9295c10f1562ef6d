"""Every operation of a node."""

from datetime import timedelta
from pathlib import Path

import pytest
from office import office
from seatport import Agent, CardStatus, NewAccount, Options, PortRange, Role, Seatport, SeatportError, Storage, VaultKey


@pytest.mark.behaviour("operation:Seatport.open", "operation:Seatport.node_id", "operation:Seatport.nodes")
async def test_a_node_opens_and_knows_itself() -> None:
    async with await Seatport.open(Options(storage=Storage.Memory(), node_labels={"egress": "de"}, max_sessions=7)) as node:
        assert type(node) is Seatport
        (known,) = await node.nodes()
        assert (known.id, known.labels, known.capacity, known.sessions) == (node.node_id(), {"egress": "de"}, 7, 0)
        assert known.accepting


@pytest.mark.behaviour(
    "operation:Seatport.put_agent",
    "operation:Seatport.agent",
    "operation:Seatport.agents",
    "operation:Seatport.remove_agent",
    "operation:Seatport.desk",
)
async def test_agents_come_and_go() -> None:
    async with await Seatport.open(Options(storage=Storage.Memory())) as node:
        bo = Agent(id="bo", name="Bo", role=Role.AGENT)
        await node.put_agent(bo)
        assert await node.agent("bo") == bo
        assert await node.agent("nobody") is None
        await node.put_agent(Agent(id="ann", name="Ann", role=Role.SUPERVISOR))
        assert [agent.id for agent in await node.agents()] == ["ann", "bo"]
        desk = await node.desk("bo")
        assert await desk.agent() == bo
        await node.remove_agent("bo")
        with pytest.raises(SeatportError.UnknownAgent) as unknown:
            await desk.agent()
        assert unknown.value.agent == "bo"


@pytest.mark.behaviour(
    "operation:Seatport.port_usage", "operation:Seatport.resize_ports", "operation:Seatport.set_port_range"
)
async def test_ports_are_counted_and_resized() -> None:
    async with office(ports=2) as house:
        node = house.seatport
        session = await house.mei.add_and_start(NewAccount(transport="simulated"))
        usage = await node.port_usage()
        assert (usage.range, usage.free) == (PortRange(first=1, capacity=2), 1)
        assert [(held.port, held.session) for held in usage.occupied] == [(1, session)]
        await node.resize_ports(5)
        assert (await node.port_usage()).free == 4
        await node.set_port_range(PortRange(first=100, capacity=3))
        second = await house.mei.add_and_start(NewAccount(transport="simulated"))
        assert (await house.mei.card(second)).port == 100
        with pytest.raises(SeatportError.Invalid):
            await node.resize_ports(0)


@pytest.mark.behaviour("operation:Seatport.drain")
async def test_a_drain_tells_what_nobody_else_took() -> None:
    async with office() as house:
        session = await house.online()
        drained = await house.seatport.drain(timedelta(milliseconds=100))
        assert (drained.moved, drained.left) == (0, [session])


@pytest.mark.behaviour("operation:Seatport.rotate_vault")
async def test_the_vault_is_sealed_anew(tmp_path: Path) -> None:
    async with office(Storage.Sqlite(str(tmp_path / "seatport.db"))) as house:
        await house.online()
        old = house.messenger
        assert await house.seatport.rotate_vault() == 0
    options = Options(
        storage=Storage.Sqlite(str(tmp_path / "seatport.db")),
        networks=[old.network()],
        vault_key=VaultKey.generate(),
        previous_vault_keys=[VaultKey.from_bytes(bytes(32))],
    )
    async with await Seatport.open(options) as node:
        assert await node.rotate_vault() > 0


@pytest.mark.behaviour("operation:Seatport.shutdown", "use_after_shutdown", "shutdown_twice", "error:ShutDown")
async def test_after_a_shutdown_every_call_says_so() -> None:
    async with office() as house:
        session = await house.online()
        feed = await house.mei.events()
        await house.seatport.shutdown()
        await house.seatport.shutdown(timedelta(seconds=1))
        for call in (
            house.mei.card(session),
            house.mei.cards(),
            house.seatport.agents(),
            house.seatport.desk("mei"),
            feed.batch(),
            house.mei.events().batch(),
        ):
            with pytest.raises(SeatportError.ShutDown) as ended:
                await call
            assert ended.value.detail and not ended.value.retry


@pytest.mark.behaviour("two_instances")
async def test_two_instances_do_not_see_each_other(tmp_path: Path) -> None:
    file = Storage.Sqlite(str(tmp_path / "one.db"))
    async with office() as here, office(file) as there:
        session = await here.online()
        assert await there.mei.cards() == []
        assert [card.session for card in await here.mei.cards()] == [session]
        with pytest.raises(SeatportError.Storage) as used:
            await Seatport.open(Options(storage=file, vault_key=VaultKey.generate()))
        assert used.value.kind == "InUse"


@pytest.mark.behaviour("reopened")
async def test_what_was_kept_in_a_file_is_there_again(tmp_path: Path) -> None:
    file = Storage.Sqlite(str(tmp_path / "kept.db"))
    async with office(file) as house:
        session = await house.online()
        await house.mei.set_remark(session, "Hotline")
        ana = await house.written(session)
        messenger = house.messenger
    options = Options(storage=file, networks=[messenger.network()], vault_key=VaultKey.from_bytes(bytes(32)))
    async with await Seatport.open(options) as node:
        desk = await node.desk("mei")
        # It was started, so it comes online again, without a scan.
        card = (await desk.watch(session).until(lambda view: view.card.status == CardStatus.ONLINE)).card
        assert (card.remark, card.unread) == ("Hotline", 1)
        assert len(await desk.messages(session, ana)) == 1
