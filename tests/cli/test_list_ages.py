from __future__ import annotations

from datetime import UTC, datetime

import pytest

from astro_provider.commands.cli.list import age

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("created_at", "shown"),
    [
        ("2026-11-24T01:59:59.999Z", "today"),
        ("2026-11-23T02:00:01Z", "today"),
        ("2026-11-23T02:00:00Z", "1 day ago"),
        ("2026-11-22T01:00:00Z", "2 days ago"),
        ("2026-01-03T02:00:00+00:00", "325 days ago"),
        ("2023-01-01T00:00:00Z", "1423 days ago"),
        ("2026-11-23T01:30:00+01:00", "1 day ago"),
        ("2026-11-23T02:00:00", "1 day ago"),
        ("2026-11-24T09:00:00Z", "today"),
        ("soon", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_created_counts_whole_days_and_is_today_under_one(created_at: str | None, shown: str) -> None:
    assert shown == age(created_at, NOW)
