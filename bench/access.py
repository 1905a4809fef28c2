"""What people wait for in front of `astro-provider review` and `audit`, and the most memory that each holds.

The digest of a big review is a real one of a role that changes and was changed by hand, with the two steps of this one
binding repeated under other names and ids: a real preview of so many bindings takes the engine minutes.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from rich.table import Table

from astro_emulator import Emulator
from astro_provider.astro.api.pace import CALLS_PER_SECOND
from tests.support.digests import RECOMMENDED, digest
from tests.support.programs import bindings
from tests.support.shell import COMMAND, environment
from tests.support.stack import Stack
from tools.engine.install import find_engine

REVIEWED = (50, 20)  # tokens, deployments; each token in each deployment
AUDITED = (5_000, 300)  # tokens, deployments; each token in three of them
REVIEW_SECONDS = 2.0
AUDIT_SECONDS = 2.0  # beside the pace of the service
ACCESSOR, ADMIN = "DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN"
RULES = 'production = ["*-production"]\n[roles]\n"*-production" = ["DEPLOYMENT_ACCESSOR"]\n[admin]\nmost = 2\n'
# A small process between, because a process begins with the most memory of the one that starts it.
MEASURE = """
import resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
BYTES = 1 if sys.platform == "darwin" else 1024  # in which the most memory is told


@dataclass(frozen=True)
class Wait:
    """What one command took: seconds beside what they may be, megabytes at most, and its calls of the service."""

    command: str
    seconds: float
    bound: float
    megabytes: float
    calls: int

    def to_json(self) -> dict[str, Any]:
        """The figures as they go into a file."""
        return asdict(self)


def waits() -> Iterator[Wait]:
    """Review, and audit, in each way that they may be written."""
    with tempfile.TemporaryDirectory() as directory:
        rules = Path(directory) / "access.toml"
        rules.write_text(RULES)
        yield from _reviews(Path(directory), rules)
        yield from _audits(rules)


def show(found: list[Wait]) -> Table:
    """The figures as a table."""
    table = Table(title="review of 1,000 bindings, audit of 5,000 tokens and 300 deployments")
    for heading in ("command", "seconds", "bound", "MB", "calls"):
        table.add_column(heading, justify="left" if heading == "command" else "right")
    for one in found:
        table.add_row(one.command, f"{one.seconds:.2f}", f"{one.bound:.1f}", f"{one.megabytes:.0f}", f"{one.calls}")
    return table


def _reviews(directory: Path, rules: Path) -> Iterator[Wait]:
    with Emulator.running() as astro:
        token, deployment = astro.store.add_token("token"), astro.store.add_deployment("deployment-production")
        step = {"deployment_id": deployment, "org_token_id": token, "role": ADMIN}
        service = {"ASTRO_API_HOST": astro.url, "ASTRO_API_TOKEN": astro.credential, "ASTRO_SETTLE_SECONDS": "0"}
        root = str(Path(__file__).parents[1])
        environment = {**service, "PYTHONPATH": root}
        stack = Stack(find_engine(), directory / "stack", environment, bindings(one=step), as_a_user=True)
        stack.up()
        astro.store.bind(token, deployment, ACCESSOR)
        document = json.loads(digest(stack, "preview", *RECOMMENDED).text)
        ours = json.dumps([one for one in document["steps"] if one["urn"].endswith("::one")])
        document["steps"] = [one for one in document["steps"] if not one["urn"].endswith("::one")]
        tokens = [astro.store.add_token(f"token-{number}") for number in range(REVIEWED[0])]
        deployments = [astro.store.add_deployment(f"{number}-production") for number in range(REVIEWED[1])]
        for number, (its_token, its_deployment) in enumerate(product(tokens, deployments)):
            astro.store.bind(its_token, its_deployment, ACCESSOR)
            names = ours.replace(token, its_token).replace(deployment, its_deployment).replace("::one", f"::{number}")
            document["steps"] += json.loads(names)
        document["changeSummary"]["update"] = REVIEWED[0] * REVIEWED[1]
        file = directory / "digest.json"
        file.write_text(json.dumps(document, indent=4))  # as the engine writes it
        size = f"{file.stat().st_size / 1e6:.0f} MB"
        for output in ("markdown", "html", "json", "text"):
            arguments = ["review", str(file), "--rules", str(rules), "--output", output]
            yield _wait(f"review --output {output} ({size})", arguments, astro, lambda _calls: REVIEW_SECONDS)


def _audits(rules: Path) -> Iterator[Wait]:
    chosen = random.Random(1)  # noqa: S311  no secret
    with Emulator.running() as astro:
        names = (f"{number}{'-production' if number % 10 == 0 else ''}" for number in range(AUDITED[1]))
        deployments = [astro.store.add_deployment(name) for name in names]
        for number in range(AUDITED[0]):
            token = astro.store.add_token(f"token-{number}")
            for deployment in chosen.sample(deployments, 3):
                astro.store.bind(token, deployment, chosen.choice([ADMIN, ACCESSOR]))
        pace = CALLS_PER_SECOND["GET"]
        for output in ("table", "html", "json"):
            arguments = ["audit", "--rules", str(rules), "--output", output]
            yield _wait(f"audit --output {output}", arguments, astro, lambda calls: calls / pace + AUDIT_SECONDS)


def _wait(name: str, arguments: list[str], astro: Emulator, bound: Callable[[int], float]) -> Wait:
    astro.clear_calls()
    measured = [sys.executable, "-c", MEASURE, str(COMMAND), *arguments]
    done = subprocess.run(measured, env=environment(astro), capture_output=True, text=True, check=True)  # noqa: S603  ours
    seconds, most = map(float, done.stdout.split())
    calls = sum(astro.calls()["by_verb"].values())
    return Wait(name, round(seconds, 2), round(bound(calls), 1), round(most * BYTES / 1e6, 1), calls)
