"""Runs the tests whose outcome could depend on the day, on other days: `python -m tests.another_day [DAY ...] [-- PYTEST]`.

Each day is a run of its own, with the clock of every Python process moved (`clock/sitecustomize.py`). A test that fails
here and passes today compares with a date that has grown old, or formats a time of the machine's zone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

CLOCK = Path(__file__).with_name("clock")
TESTS = ("cli", "access", "adoption", "emulator", "examples", "lifecycle", "reads", "templates")
DAY_SECONDS = 86_400
LEAP_DAY = (2, 29)


def in_days(days: int) -> float:
    """The distance to a day, in seconds."""
    return days * DAY_SECONDS


def next_leap_day() -> float:
    """The distance to half an hour before the end of the next 29 February, in seconds."""
    now = datetime.now(UTC)
    leap_years = (year for year in range(now.year, now.year + 9) if year % 4 == 0)
    nights = (datetime(year, *LEAP_DAY, 23, 30, tzinfo=UTC) for year in leap_years)
    return next((night - now).total_seconds() for night in nights if night > now)


def next_change_of_summer_time() -> float:
    """The distance to five minutes before clocks in Berlin jump from two to three (last Sunday of March), in seconds."""
    now = datetime.now(UTC)
    marches = [datetime(year, 3, day, 0, 55, tzinfo=UTC) for year in (now.year, now.year + 1) for day in range(25, 32)]
    return next((night - now).total_seconds() for night in marches if night.weekday() == 6 and night > now)


DAYS = {
    "in-200-days": (in_days(200), {}),
    "30-days-ago": (in_days(-30), {}),
    "summer-time": (next_change_of_summer_time(), {"TZ": "Europe/Berlin"}),
    "leap-day": (next_leap_day(), {}),
    "kiritimati": (0.0, {"TZ": "Pacific/Kiritimati"}),
}


def main(arguments: list[str]) -> int:
    """Run the tests on each day that is named, or on all of them; return how many days failed."""
    given, _, for_pytest = " ".join(arguments).partition("--")
    failed = 0
    for day in given.split() or DAYS:
        seconds, zone = DAYS[day]
        print(f"{day}: {time.strftime('%F %T', time.gmtime(time.time() + seconds))} UTC {zone or ''}", flush=True)  # noqa: T201  progress of a command
        path = os.pathsep.join(filter(None, [str(CLOCK), os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "pytest", "-W", "ignore:Module already imported"]
        command += for_pytest.split() or [f"tests/{folder}" for folder in TESTS]
        environment = {**os.environ, **zone, "PYTHONPATH": path, "MOVED_CLOCK_SECONDS": str(seconds)}
        failed += subprocess.run(command, env=environment, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
