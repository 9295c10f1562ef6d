"""The story is told to its end."""

import asyncio
from pathlib import Path

import pytest
from quickstart import tell


def test_the_story_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(tell(tmp_path / "seatport.db"))
    told = capsys.readouterr().out
    for said in (
        "Hotline is online on port 1",
        "Ana: Is my parcel there?",
        "no free port",
        "Hotline is online again",
        "leads of li: 1 new",
        "the audit trail is whole",
    ):
        assert said in told
    assert len((tmp_path / "seatport.jsonl").read_text().splitlines()) == 6
