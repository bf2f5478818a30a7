from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from intake import Intake, running


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def intake(spool: Path) -> Iterator[Intake]:
    with running(spool) as intake:
        yield intake
