"""Every operation of the data centre and of the audit trail."""

from datetime import datetime, timezone

import pytest
from office import office
from seatport import AuditHead, CsvOptions, LeadDimension, LeadQuery, Outcome, SeatportError


def today() -> LeadQuery:
    return LeadQuery(from_day=datetime.now(timezone.utc).date().isoformat(), days=2, zone="UTC", by=[LeadDimension.SESSION])


@pytest.mark.behaviour(
    "operation:Desk.leads",
    "operation:Desk.export_leads",
    "operation:Desk.lead_adjustments",
    "operation:Desk.rebuild_leads",
)
async def test_leads_are_counted() -> None:
    async with office() as house:
        session = await house.online()
        await house.written(session)
        report = await house.mei.leads(today())
        assert [(row.session, row.figures.new) for row in report.current.rows] == [(session, 1)]
        await house.mei.rebuild_leads()
        assert await house.mei.leads(today()) == report
        table = (await house.mei.export_leads(today(), CsvOptions(bom=False, sessions={session: "Hotline"}))).decode()
        assert "Hotline" in table
        assert await house.mei.export_leads(today()) != b""
        assert await house.mei.lead_adjustments(today()) == []


@pytest.mark.behaviour("operation:Desk.audit", "operation:Desk.verify_audit", "error:AuditBroken")
async def test_the_audit_trail_tells_and_is_whole() -> None:
    async with office() as house:
        session = await house.online()
        with pytest.raises(SeatportError.Denied):
            await house.li.assign(session, "li")
        lines = await house.mei.audit(0, 100)
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
        assert (lines[-1].entry.agent, lines[-1].entry.outcome) == ("li", Outcome.DENIED)
        head = await house.mei.verify_audit()
        assert head.lines == len(lines) and head.hash == lines[-1].hash
        assert await house.mei.verify_audit(head) == head
        with pytest.raises(SeatportError.AuditBroken) as broken:
            await house.mei.verify_audit(AuditHead(lines=head.lines, hash="0" * 64))
        assert broken.value.number == head.lines
