"""What a process of the native provider costs: each preview and each update pays for one or two of them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from astro_emulator import Emulator
from tests.support.native_process import native_process

MOST_MEGABYTES = 80.0
AT_ONCE = 16  # of one token, so that few writes wait for their turn
BINDINGS, DEPLOYMENTS, TOKENS = 300, 60, 90  # beside those that the emulator has: an organization of a hundred tokens


def test_a_process_stays_small_after_three_hundred_bindings(astro: Emulator, environment: dict[str, str]) -> None:
    deployments = [astro.store.add_deployment(f"deployment-{number}") for number in range(DEPLOYMENTS)]
    tokens = [astro.store.add_token(f"token-{number}", description="Loads " * 20) for number in range(TOKENS)]

    with native_process(environment, as_a_user=True) as process:

        def live(number: int) -> None:
            deployment, token = deployments[number % DEPLOYMENTS], tokens[number // AT_ONCE]
            inputs = process.check({"deploymentId": deployment, "orgTokenId": token, "role": "DEPLOYMENT_ADMIN"}).inputs
            state = process.create(inputs)
            process.diff(state.id, state.outputs, inputs)
            process.read(state.id, state.outputs)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(live, range(BINDINGS)))
        resident = process.running.resident_megabytes

    assert resident < MOST_MEGABYTES


def test_a_program_does_not_load_what_only_the_provider_needs() -> None:
    heavy = (
        "httpx",
        "pydantic",
        "stamina",
        "astro_provider.lifecycle.single",
        "astro_provider.engine.plugin",
        "fastapi",
    )
    script = f"import sys, astro_provider.native; print(*(name for name in {heavy} if name in sys.modules))"

    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)

    assert answer.stdout.split() == []
