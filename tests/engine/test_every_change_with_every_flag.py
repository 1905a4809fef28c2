"""Each change of a program with each flag: what the service shows afterwards is what the program asks for.

With `--refresh` the engine reads and diffs everything in the state beforehand, also what the program no longer has, and
that must not be taken for the program's word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding
from tests.support.beginnings import begin_after, begin_with
from tests.support.programs import Declares, bindings
from tests.support.stack import Stack

ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"
TOKEN = "nightly-loads"
WITH_AND_WITHOUT_REFRESH = pytest.mark.parametrize("refresh", [False, True], ids=["", "refresh"])
WITH_AND_WITHOUT_CHECKS = pytest.mark.parametrize("checks", ["", "off"], ids=["", "no checks"])

Declared = Mapping[str, tuple[str, str]]  # name of the resource: deployment's name, role


@dataclass(frozen=True)
class Astro:
    """The service, with four deployments in which the token holds nothing yet."""

    emulator: Emulator
    token_id: str
    deployments: Mapping[str, str]

    def program(self, declared: Declared) -> Declares:
        """A program that declares these bindings."""
        return bindings(**self.arguments_of(declared))

    def arguments_of(self, declared: Declared, **others: Any) -> dict[str, dict[str, Any]]:
        """The arguments of these bindings, by the resource's name."""
        return {name: self.arguments(*binding, **others) for name, binding in declared.items()}

    def arguments(self, deployment: str, role: str, **others: Any) -> dict[str, Any]:
        """The arguments of one binding."""
        return {"deployment_id": self.deployments[deployment], "org_token_name": TOKEN, "role": role, **others}

    def held(self) -> dict[str, str]:
        """The role by deployment, as the service shows it."""
        roles = {
            name: self.emulator.store.deployment_role(self.token_id, id_) for name, id_ in self.deployments.items()
        }
        return {name: role for name, role in roles.items() if role is not None}

    def recorded(self, stack: Stack) -> dict[str, str]:
        """The role by deployment, as the state records it."""
        names = {id_: name for name, id_ in self.deployments.items()}
        outputs = [resource["outputs"] for resource in stack.resources().values()]
        return {names[one["deployment_id"]]: one["role"] for one in outputs if one["deployment_id"] in names}


@pytest.fixture
def service(astro: Emulator, token_id: str) -> Astro:
    return Astro(astro, token_id, _deployments(astro))


@dataclass(frozen=True)
class Change:
    """A change of a program: what it declares before and after, with `overwrite` or not, and what is replaced by force."""

    before: Declared
    after: Declared
    overwrite: bool = False
    replace: tuple[str, ...] = ()


SIDE_BY_SIDE = {
    "removal": Change({"x": ("a", ADMIN), "y": ("b", ADMIN)}, {"x": ("a", ADMIN)}),
    "removal of all": Change({"x": ("a", ADMIN), "y": ("b", ADMIN)}, {}),
    "move": Change({"x": ("a", ADMIN), "y": ("b", ADMIN)}, {"x": ("c", ADMIN), "y": ("b", ADMIN)}),
    "move to where another one leaves": Change({"x": ("a", ADMIN), "y": ("b", ADMIN)}, {"x": ("b", ADMIN)}),
    "swap": Change({"x": ("a", ADMIN), "y": ("b", ADMIN)}, {"x": ("b", ADMIN), "y": ("a", ADMIN)}),
    "swap with other roles": Change(
        {"x": ("a", ADMIN), "y": ("b", ACCESSOR)}, {"x": ("b", ADMIN), "y": ("a", ACCESSOR)}, overwrite=True
    ),
    "rotation of three": Change(
        {"x": ("a", ADMIN), "y": ("b", ADMIN), "z": ("c", ADMIN)},
        {"x": ("b", ADMIN), "y": ("c", ADMIN), "z": ("a", ADMIN)},
    ),
    "rename": Change({"x": ("a", ADMIN), "y": ("b", ADMIN)}, {"z": ("a", ADMIN), "y": ("b", ADMIN)}),
    "rename and another role": Change({"x": ("a", ADMIN)}, {"z": ("a", ACCESSOR)}, overwrite=True),
    "rename and move": Change({"x": ("a", ADMIN)}, {"z": ("b", ADMIN)}),
    "rename onto the name of one that moves": Change(
        {"x": ("a", ADMIN), "y": ("b", ADMIN)}, {"y": ("a", ADMIN), "z": ("b", ADMIN)}
    ),
    "another role": Change({"x": ("a", ADMIN)}, {"x": ("a", ACCESSOR)}),
    "forced replacement": Change({"x": ("a", ADMIN)}, {"x": ("a", ADMIN)}, replace=("x",)),
    "forced replacement with another role": Change(
        {"x": ("a", ADMIN)}, {"x": ("a", ACCESSOR)}, overwrite=True, replace=("x",)
    ),
    "forced replacement beside a removal": Change(
        {"x": ("a", ADMIN), "y": ("b", ADMIN)}, {"x": ("a", ADMIN)}, replace=("x",)
    ),
    "forced replacement beside a rename": Change(
        {"x": ("a", ADMIN), "y": ("b", ADMIN)}, {"x": ("a", ADMIN), "z": ("b", ADMIN)}, replace=("x",)
    ),
}


FLAGS = {
    "no flag": {},
    "refresh": {"refresh": True},
    "continue on error": {"continue_on_error": True},
    "refresh and continue on error": {"refresh": True, "continue_on_error": True},
}


@pytest.mark.parametrize(
    ("flags", "checks"), list(zip(FLAGS.values(), ("warn", "strict", "off", "off"), strict=True)), ids=FLAGS
)
def test_each_change_of_a_program_is_what_the_service_shows_and_the_state_records(
    stack: Stack, astro: Emulator, token_id: str, flags: Mapping[str, bool], checks: str
) -> None:
    """All changes stand side by side in one program, each with deployments of its own."""
    places = {name: Astro(astro, token_id, _deployments(astro)) for name in SIDE_BY_SIDE}
    stack.set_environment(ASTRO_PREVIEW_CHECKS=checks)
    begin_with(stack, astro, _side_by_side(places, lambda name, change: places[name].arguments_of(change.before)))

    stack.program = _side_by_side(
        places, lambda name, change: places[name].arguments_of(change.after, overwrite=change.overwrite)
    )
    replaced = [f"{name}-{resource}" for name, change in SIDE_BY_SIDE.items() for resource in change.replace]
    up = stack.up(replace=replaced, **flags)

    asked = {name: dict(change.after.values()) for name, change in SIDE_BY_SIDE.items()}
    assert not up.failed, up.text
    assert {name: place.held() for name, place in places.items()} == asked
    assert {name: place.recorded(stack) for name, place in places.items()} == asked
    assert set(stack.resources()) == {
        f"{name}-{resource}" for name, change in SIDE_BY_SIDE.items() for resource in change.after
    }


def _deployments(astro: Emulator) -> dict[str, str]:
    return {name: astro.store.add_deployment(name) for name in ("a", "b", "c")}


def _side_by_side(
    places: Mapping[str, Astro], arguments: Callable[[str, Change], Mapping[str, dict[str, Any]]]
) -> Declares:
    return bindings(
        **{
            f"{name}-{resource}": declared
            for name in places
            for resource, declared in arguments(name, SIDE_BY_SIDE[name]).items()
        }
    )


@WITH_AND_WITHOUT_CHECKS
@WITH_AND_WITHOUT_REFRESH
def test_a_destroy_takes_every_grant(stack: Stack, service: Astro, *, refresh: bool, checks: str) -> None:
    stack.set_environment(ASTRO_PREVIEW_CHECKS=checks)
    begin_with(stack, service.emulator, service.program({"x": ("a", ADMIN), "y": ("b", ACCESSOR)}))

    destroy = stack.destroy(refresh=refresh)

    assert not destroy.failed, destroy.text
    assert destroy.notices == []
    assert service.held() == service.recorded(stack) == {}


@WITH_AND_WITHOUT_REFRESH
def test_a_destroy_that_runs_the_program_takes_every_grant(stack: Stack, service: Astro, *, refresh: bool) -> None:
    begin_with(stack, service.emulator, service.program({"x": ("a", ADMIN), "y": ("b", ACCESSOR)}))

    destroy = stack.destroy(run_program=True, refresh=refresh)

    assert not destroy.failed, destroy.text
    assert service.held() == service.recorded(stack) == {}


@WITH_AND_WITHOUT_REFRESH
def test_a_targeted_up_takes_what_left_the_program(stack: Stack, service: Astro, *, refresh: bool) -> None:
    begin_with(stack, service.emulator, service.program({"x": ("a", ADMIN), "y": ("b", ADMIN)}))

    stack.program = service.program({"y": ("b", ACCESSOR)})
    up = stack.up(target=[stack.urn("x")], refresh=refresh)

    assert not up.failed, up.text
    assert service.held() == service.recorded(stack) == {"b": ADMIN}


@WITH_AND_WITHOUT_REFRESH
def test_a_targeted_destroy_takes_that_grant_alone(stack: Stack, service: Astro, *, refresh: bool) -> None:
    begin_with(stack, service.emulator, service.program({"x": ("a", ADMIN), "y": ("b", ADMIN)}))

    destroy = stack.destroy(target=[stack.urn("x")], refresh=refresh)

    assert not destroy.failed, destroy.text
    assert service.held() == service.recorded(stack) == {"b": ADMIN}


@WITH_AND_WITHOUT_REFRESH
def test_what_is_protected_keeps_its_grant_and_stays_in_the_state(
    stack: Stack, service: Astro, *, refresh: bool
) -> None:
    options = {"opts": pulumi.ResourceOptions(protect=True)}
    begin_with(stack, service.emulator, bindings(x=service.arguments("a", ADMIN, **options)))

    stack.program = service.program({})
    up = stack.up(refresh=refresh)

    assert up.failed
    assert service.held() == service.recorded(stack) == {"a": ADMIN}


@WITH_AND_WITHOUT_REFRESH
def test_what_is_retained_keeps_its_grant_and_leaves_the_state(stack: Stack, service: Astro, *, refresh: bool) -> None:
    options = {"opts": pulumi.ResourceOptions(retain_on_delete=True)}
    begin_with(stack, service.emulator, bindings(x=service.arguments("a", ADMIN, **options)))

    stack.program = service.program({})
    up = stack.up(refresh=refresh)

    assert not up.failed, up.text
    assert service.held() == {"a": ADMIN}
    assert service.recorded(stack) == {}


def _a_rename_that_fails_halfway(stack: Stack, service: Astro) -> None:
    """Leave `x` (the old name) and `z` (the new one) in the state, both with the same id."""

    def program() -> None:
        renamed = DeploymentOrgTokenBinding("z", **service.arguments("a", ADMIN))
        after = pulumi.ResourceOptions(depends_on=[renamed])
        DeploymentOrgTokenBinding("doomed", opts=after, **service.arguments("b", "Nobody Has Made It"))

    def rename() -> None:
        begin_with(stack, service.emulator, service.program({"x": ("a", ADMIN)}))
        stack.program = program
        assert stack.up().failed

    begin_after(stack, service.emulator, "a rename that fails halfway", rename)
    assert set(stack.resources()) == {"x", "z"}
    stack.program = service.program({"z": ("a", ADMIN)})


@WITH_AND_WITHOUT_CHECKS
@WITH_AND_WITHOUT_REFRESH
def test_an_up_after_a_rename_that_failed_halfway_keeps_the_grant(
    stack: Stack, service: Astro, *, refresh: bool, checks: str
) -> None:
    stack.set_environment(ASTRO_PREVIEW_CHECKS=checks)
    _a_rename_that_fails_halfway(stack, service)

    up = stack.up(refresh=refresh)

    assert not up.failed, up.text
    assert service.held() == service.recorded(stack) == {"a": ADMIN}
    assert set(stack.resources()) == {"z"}


@WITH_AND_WITHOUT_REFRESH
def test_a_destroy_after_a_rename_that_failed_halfway_takes_the_grant(
    stack: Stack, service: Astro, *, refresh: bool
) -> None:
    _a_rename_that_fails_halfway(stack, service)

    destroy = stack.destroy(refresh=refresh)

    assert not destroy.failed, destroy.text
    assert service.held() == service.recorded(stack) == {}


def test_a_rename_whose_create_fails_keeps_the_grant_and_the_old_name(stack: Stack, service: Astro) -> None:
    begin_with(stack, service.emulator, service.program({"x": ("a", ADMIN)}))
    stack.set_environment(ASTRO_PREVIEW_CHECKS="off")  # else the preview would tell what fails

    stack.program = service.program({"z": ("a", ACCESSOR)})
    up = stack.up(continue_on_error=True)

    assert up.failed
    assert (
        f"error: Token '{TOKEN}' ({service.token_id}) in deployment 'a' "
        f"({service.deployments['a']}) was not removed: another resource of this program binds the two as well, and could "
        "not be created. Nothing was written. Fix that resource's error and run again."
    ) in up.errors
    assert service.held() == service.recorded(stack) == {"a": ADMIN}
    assert set(stack.resources()) == {"x"}


@WITH_AND_WITHOUT_CHECKS
def test_a_rename_whose_create_fails_before_it_meets_the_binding_keeps_the_grant(
    stack: Stack, service: Astro, *, checks: str
) -> None:
    begin_with(stack, service.emulator, service.program({"x": ("a", ADMIN)}))
    stack.set_environment(ASTRO_PREVIEW_CHECKS=checks)

    stack.program = bindings(z=service.arguments("a", "Nobody Has Made It", overwrite=True))
    up = stack.up(continue_on_error=True)

    assert up.failed
    assert service.held() == service.recorded(stack) == {"a": ADMIN}
    assert set(stack.resources()) == {"x"}


def test_a_targeted_delete_of_what_an_untargeted_resource_binds_too_takes_the_grant(
    stack: Stack, service: Astro
) -> None:
    """The one case that cannot be known: the engine asks nothing about resources that are not targeted."""
    _a_rename_that_fails_halfway(stack, service)

    targeted = stack.up(target=[stack.urn("x")])
    taken = service.held()
    mended = stack.up(refresh=True)

    assert not targeted.failed, targeted.text
    assert taken == {}
    assert not mended.failed, mended.text
    assert service.held() == service.recorded(stack) == {"a": ADMIN}


@WITH_AND_WITHOUT_CHECKS
def test_a_move_that_failed_halfway_can_be_taken_back(stack: Stack, service: Astro, checks: str) -> None:
    stack.set_environment(ASTRO_PREVIEW_CHECKS=checks)
    begin_with(stack, service.emulator, service.program({"x": ("a", ADMIN)}))
    service.emulator.fault(operation="UpdateApiTokenRoles", status=403, skip=1, times=1)
    stack.program = service.program({"x": ("b", ADMIN)})
    moved = stack.up()
    halfway = service.held()

    stack.program = service.program({"x": ("a", ADMIN)})
    taken_back = stack.up()

    assert moved.failed
    assert halfway == {}
    assert not taken_back.failed, taken_back.text
    assert service.held() == service.recorded(stack) == {"a": ADMIN}


def test_what_a_replacement_deletes_before_another_resource_is_known_to_have_it_is_given_back(
    stack: Stack, service: Astro
) -> None:
    begin_with(stack, service.emulator, service.program({"x": ("b", ADMIN), "y": ("a", ADMIN)}))
    stack.program = service.program({"x": ("c", ADMIN), "y": ("b", ADMIN)})
    stack.up(target=[stack.urn("y")])

    up = stack.up()

    assert not up.failed, up.text
    assert service.held() == service.recorded(stack) == {"b": ADMIN, "c": ADMIN}
