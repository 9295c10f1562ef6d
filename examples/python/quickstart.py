"""The story of a customer-service team, at desks in Python: `python quickstart.py`. The phones and the customers are simulated."""

import asyncio
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from seatport import (
    Action,
    Agent,
    Attribution,
    CardStatus,
    Content,
    EventBody,
    LeadDimension,
    LeadQuery,
    Messenger,
    Network,
    NewAccount,
    Options,
    PortRange,
    Role,
    Seatport,
    SeatportError,
    SearchQuery,
    Storage,
    VaultKey,
    View,
)


def open_for_business(file: Path, network: Network, key: VaultKey) -> Options:
    return Options(
        storage=Storage.Sqlite(str(file)), networks=[network], vault_key=key, ports=PortRange(first=1, capacity=1)
    )


def is_online(view: View) -> bool:
    return view.card.status == CardStatus.ONLINE


async def tell(file: Path) -> None:
    messenger, key = Messenger(7), VaultKey.generate()
    phone, ana = messenger.phone("+8613800138000"), messenger.person("Ana")

    print("# The office opens")
    async with await Seatport.open(open_for_business(file, messenger.network(), key)) as seatport:
        await seatport.put_agent(Agent(id="mei", name="Mei Lin", role=Role.SUPERVISOR))
        await seatport.put_agent(Agent(id="li", name="Li Wei", role=Role.AGENT))
        mei, li = await seatport.desk("mei"), await seatport.desk("li")

        print("# Mei adds the hotline's account, and somebody scans the code")
        hotline = await mei.add_and_start(NewAccount(transport="simulated", remark="Hotline", agent="li"))
        async with mei.watch(hotline) as watch:
            view = await watch.until(lambda view: view.challenge is not None)
            phone.scan((await mei.login_code(hotline)).code)
            view = await watch.until(is_online)
        print(f"{view.card.remark} is online on port {view.card.port}")

        print("# A customer writes, and Li answers")
        ana.write(phone.address(), "Is my parcel there?")
        async with li.events(await li.cursors()) as feed:
            await li.watch(hotline).until(lambda view: view.card.unread == 1)
            (chat,) = await li.chats(hotline)
            (asked,) = await li.messages(hotline, chat.address)
            assert isinstance(asked.message.content, Content.Text)
            print(f"{chat.name}: {asked.message.content.text}")
            await li.mark_read(hotline, chat.address)
            await li.send_text(hotline, chat.address, "It is.")
            async for event in feed:
                if isinstance(event.body, EventBody.MessageStatusChanged):
                    print(f"the answer is {event.body.status.name.lower()}")
                    break
        assert [message.text for message in ana.received()] == ["It is."]

        print("# There is one port, and the data centre is Mei's")
        try:
            await li.add_and_start(NewAccount(transport="simulated"))
        except SeatportError.PoolFull as full:
            print(full)
        try:
            await li.rebuild_leads()
        except SeatportError.Denied as denied:
            print(denied)
            assert denied.action == Action.VIEW_DATA_CENTRE

    print("# The office closes, and opens again")
    async with await Seatport.open(open_for_business(file, messenger.network(), key)) as seatport:
        mei = await seatport.desk("mei")
        await mei.watch(hotline).until(is_online)
        print("Hotline is online again, and nobody had to scan")
        (hit,) = await mei.search_messages(SearchQuery(text="parcel"))
        print(f"found: {hit.message.message.content}")
        today = datetime.now(timezone.utc).date().isoformat()
        report = await mei.leads(LeadQuery(from_day=today, days=1, zone="UTC", by=[LeadDimension.AGENT]))
        for row in report.current.rows:
            who = row.agent.agent if isinstance(row.agent, Attribution.Agent) else "nobody"
            print(f"leads of {who}: {row.figures.new} new")

        print("# Mei says goodbye to the account")
        await mei.stop(hotline)
        with open(file.with_suffix(".jsonl"), "w") as export:
            async for line in mei.export_session(hotline):
                export.write(line + "\n")
        await mei.delete(hotline)
        head = await mei.verify_audit()
        print(f"the audit trail is whole: {head.lines} lines")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(tell(Path(folder, "seatport.db")))
