"""`list_deployment_org_tokens_output` on the real engine: Inputs in, an Output out, and the program goes on meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any, assert_type

import pulumi

from astro_emulator import Emulator
from astro_provider import (
    DeploymentOrgToken,
    DeploymentOrgTokenBinding,
    list_deployment_org_tokens_output,
)
from tests.support.made import Made
from tests.support.processes import calls_to
from tests.support.stack import Stack


def _shown(rows: list[DeploymentOrgToken]) -> list[str]:
    return [f"{row.name}: {row.deployment_role}" for row in rows]


def test_an_output_of_another_resource_is_waited_for(
    stack: Stack, astro: Emulator, deployment_id: str, token_id: str
) -> None:
    later = astro.store.add_token("audit")

    def program() -> None:
        made = DeploymentOrgTokenBinding(
            "audit", org_token_id=later, deployment_id=deployment_id, role="Release Engineer"
        )
        tokens = list_deployment_org_tokens_output(made.deployment_id)
        assert_type(tokens, pulumi.Output[list[DeploymentOrgToken]])
        pulumi.export("tokens", tokens.apply(_shown))

    stack.program = program
    up = stack.up()

    assert not up.failed, up.text
    assert token_id
    assert stack.outputs() == {"tokens": ["audit: Release Engineer", "nightly-loads: DEPLOYMENT_ADMIN"]}


def test_what_a_preview_does_not_know_is_not_asked_for(
    stack: Stack, astro: Emulator, deployment_id: str, token_id: str
) -> None:
    def program() -> None:
        tokens = list_deployment_org_tokens_output(Made("deployment", deployment_id).made_id)
        pulumi.export("tokens", tokens.apply(_shown))

    stack.program = program
    astro.clear_calls()
    preview = stack.preview()
    in_preview = calls_to(astro)
    up = stack.up()

    assert not preview.failed, preview.text
    assert in_preview == {}
    assert not up.failed, up.text
    assert token_id
    assert stack.outputs() == {"tokens": ["nightly-loads: DEPLOYMENT_ADMIN"]}


def test_a_known_deployment_is_read_in_the_preview_too(
    stack: Stack, astro: Emulator, deployment_id: str, token_id: str
) -> None:
    seen: list[str] = []
    stack.program = lambda: pulumi.export(
        "tokens", list_deployment_org_tokens_output(deployment_id).apply(lambda rows: seen.extend(_shown(rows)))
    )

    preview = stack.preview()

    assert not preview.failed, preview.text
    assert token_id
    assert seen == ["nightly-loads: DEPLOYMENT_ADMIN"]
    assert calls_to(astro) == {"ListDeployments": 1, "ListApiTokens": 1}


def test_a_slow_service_blocks_neither_the_programs_event_loop_nor_another_list(
    stack: Stack, astro: Emulator, deployment_id: str, token_id: str
) -> None:
    other = astro.store.add_deployment("ledger")
    astro.store.bind(token_id, other, "DEPLOYMENT_ACCESSOR")
    astro.settings(latency_ms=1000)
    ticks = 0

    async def count_until(done: list[pulumi.Output[Any]]) -> int:
        nonlocal ticks
        waiting = asyncio.gather(*(output.future() for output in done))
        while not waiting.done():
            ticks += 1
            await asyncio.sleep(0.01)
        await waiting
        return ticks

    def program() -> None:
        lists = [list_deployment_org_tokens_output(each) for each in (deployment_id, other)]
        pulumi.export("tokens", pulumi.Output.all(*lists).apply(lambda both: [_shown(rows) for rows in both]))
        pulumi.export("ticks", pulumi.Output.from_input(count_until(lists)))

    stack.program = program
    preview = stack.preview()

    assert not preview.failed, preview.text
    # A list takes two calls of a second, one after the other: a blocked loop would tick a few times, a free one some 200.
    assert ticks > 20
    first, second = sorted(call["at"] for call in astro.calls()["log"] if call["operation"] == "ListApiTokens")
    assert second - first < 1.0


def test_a_failed_list_fails_the_program_with_its_reason(stack: Stack, deployment_id: str) -> None:
    stack.program = lambda: pulumi.export("tokens", list_deployment_org_tokens_output(f"{deployment_id}x"))

    preview = stack.preview()

    assert preview.failed
    assert f"There is no deployment with the id {deployment_id}x in organization" in preview.text


def test_a_workspace_is_a_guard_and_may_be_an_output(stack: Stack, deployment_id: str) -> None:
    stack.program = lambda: pulumi.export(
        "tokens", list_deployment_org_tokens_output(deployment_id, workspace_id=pulumi.Output.from_input("clx0other"))
    )

    preview = stack.preview()

    assert preview.failed
    assert "belongs to workspace clk2v6a3e000208mkh9x5c2wd, not to clx0other" in preview.text
