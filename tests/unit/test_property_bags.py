"""What a program may write, what it must not, and what stands in the state."""

from __future__ import annotations

from typing import Any

import pytest

from astro_provider.astro.api import ApiToken
from astro_provider.astro.identity import BindingId
from astro_provider.errors import InvalidInputs
from astro_provider.lifecycle.inputs import Inputs
from astro_provider.lifecycle.values import UNKNOWN, known

Properties = dict[str, Any]
GOOD: Properties = {"deployment_id": "d", "role": "DEPLOYMENT_ADMIN", "org_token_name": "ci"}


def problems_of(properties: Properties) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputs) as refused:
        Inputs.parse(properties)
    return [(problem.property_name, problem.reason) for problem in refused.value.problems]


def without(name: str) -> Properties:
    return {key: value for key, value in GOOD.items() if key != name}


def test_the_least_that_a_program_writes() -> None:
    assert Inputs.parse(GOOD) == Inputs(deployment_id="d", role="DEPLOYMENT_ADMIN", org_token_name="ci")


def test_everything_that_a_program_may_write() -> None:
    everything = {
        "deployment_id": "d",
        "role": "Release Engineer",
        "org_token_id": "t",
        "workspace_id": "w",
        "organization_id": "o",
        "overwrite": True,
    }

    assert everything == Inputs.parse(everything).properties()


def test_overwrite_is_false_unless_given() -> None:
    assert Inputs.parse({**GOOD, "overwrite": None}).overwrite is False


def test_properties_that_nobody_knows_are_left_out() -> None:
    assert Inputs.parse({**GOOD, "scope": "ORGANIZATION", "surprise": 7}) == Inputs.parse(GOOD)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("role", "DEPLOYMENT_ADMIN, or the name of another deployment role"),
    ],
)
def test_a_missing_property_is_told_with_what_to_write(name: str, what: str) -> None:
    expected = [(name, f"is missing: write {what}.")]

    assert expected == problems_of(without(name))
    assert expected == problems_of({**GOOD, name: None})


TEXTS = {
    "deployment_id": "the id of the deployment",
    "role": "DEPLOYMENT_ADMIN, or the name of another deployment role",
    "org_token_name": "the name of the organization token",
    "workspace_id": "the id of the workspace that the deployment must belong to",
    "organization_id": "the id of the organization",
}


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
@pytest.mark.parametrize(("name", "what"), TEXTS.items())
def test_a_blank_text_is_told_with_what_to_write(name: str, what: str, blank: str) -> None:
    assert problems_of({**GOOD, name: blank}) == [(name, f"is blank: write {what}.")]


@pytest.mark.parametrize("value", [1.0, 7, True, False, [], ["d"], {}, {"id": "d"}])
@pytest.mark.parametrize(("name", "what"), TEXTS.items())
def test_a_value_that_is_no_text_is_told_with_the_value(name: str, what: str, value: object) -> None:
    assert problems_of({**GOOD, name: value}) == [(name, f"must be text ({what}), not {value!r}.")]


@pytest.mark.parametrize("name", ["deployment_id", "workspace_id", "organization_id", "role"])
@pytest.mark.parametrize("value", [" x", "x ", "x\n", "\tx"])
def test_blanks_around_an_id_or_role_are_told_with_what_to_write(name: str, value: str) -> None:
    assert problems_of({**GOOD, name: value}) == [(name, f"{value!r} has blanks around it: write 'x'.")]


def test_blanks_around_a_token_id_are_told_with_what_to_write() -> None:
    expected = [("org_token_id", "'t ' has blanks around it: write 't'.")]

    assert expected == problems_of({**without("org_token_name"), "org_token_id": "t "})


@pytest.mark.parametrize("value", ["a/b", "/", "a b", "a\nb", "a\tb", "https://cloud.astronomer.io/d"])
@pytest.mark.parametrize("name", ["deployment_id", "workspace_id", "organization_id"])
def test_slashes_and_blanks_in_an_id_are_refused(name: str, value: str) -> None:
    expected = [(name, f"{value!r} is no id: write {TEXTS[name]}, without slashes and blanks.")]

    assert expected == problems_of({**GOOD, name: value})


@pytest.mark.parametrize("value", [".", ".."])
@pytest.mark.parametrize("name", ["deployment_id", "workspace_id", "organization_id"])
def test_an_id_that_would_lead_to_another_path_of_the_service_is_refused(name: str, value: str) -> None:
    ((property_name, reason),) = problems_of({**GOOD, name: value})

    assert name == property_name
    assert reason.startswith(f"{value!r} is no id")


@pytest.mark.parametrize("name", ["a/b", "two words", " around ", "名前", ".."])
def test_a_token_name_may_hold_anything_but_blanks_alone(name: str) -> None:
    assert name == Inputs.parse({**GOOD, "org_token_name": name}).org_token_name


def test_a_role_name_may_hold_blanks_and_slashes_inside() -> None:
    assert Inputs.parse({**GOOD, "role": "Release / Engineer"}).role == "Release / Engineer"


def test_a_name_and_an_id_may_stand_beside_each_other() -> None:
    parsed = Inputs.parse({**GOOD, "org_token_id": "t", "deployment_name": "etl"})

    assert (parsed.org_token_name, parsed.org_token_id) == ("ci", "t")
    assert (parsed.deployment_name, parsed.deployment_id) == ("etl", "d")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("org_token_name", "is missing: give org_token_name or org_token_id."),
        ("deployment_id", "is missing: give deployment_id or deployment_name."),
    ],
)
def test_neither_name_nor_id_is_refused(name: str, reason: str) -> None:
    assert [(name, reason)] == problems_of(without(name))


@pytest.mark.parametrize("value", ["true", "", 1, 0, 1.0, []])
def test_overwrite_is_a_boolean(value: object) -> None:
    assert problems_of({**GOOD, "overwrite": value}) == [("overwrite", f"must be true or false, not {value!r}.")]


def test_all_problems_are_told_at_once() -> None:
    found = problems_of({"deployment_id": " d", "role": "", "overwrite": "yes"})

    assert [name for name, _ in found] == ["deployment_id", "role", "org_token_name", "overwrite"]


@pytest.mark.parametrize("name", [*TEXTS, "overwrite"])
def test_a_value_that_is_not_known_yet_is_no_problem_and_stays_unknown(name: str) -> None:
    assert Inputs.parse({**GOOD, name: UNKNOWN}).properties()[name] is UNKNOWN


@pytest.mark.parametrize(("value", "expected"), [("x", True), (UNKNOWN, False), (None, False)])
def test_only_a_text_is_known(value: Any, expected: bool) -> None:  # noqa: FBT001
    assert expected is known(value)


@pytest.mark.parametrize("name", ["organization_id", "deployment_id", "org_token_id"])
@pytest.mark.parametrize("value", [None, UNKNOWN])
def test_a_binding_with_a_part_missing_has_no_id(name: str, value: Any) -> None:
    whole: Properties = {"organization_id": "o", "deployment_id": "d", "org_token_id": "t", "role": "R"}

    assert Inputs(**whole).binding == Inputs.stored(whole).binding == BindingId("o", "d", "t")
    assert Inputs(**{**whole, name: value}).binding is None
    assert Inputs.stored({**whole, name: value}).binding is None


def test_the_state_of_an_old_program_tells_no_id_and_breaks_nothing() -> None:
    assert Inputs.stored({}).binding is None
    assert Inputs.stored({"organization_id": 1.0, "deployment_id": "d", "org_token_id": "t"}).binding is None


TOKEN: Properties = {
    "id": "t",
    "name": "ci",
    "description": "deploys",
    "scope": "ORGANIZATION",
    "createdAt": "2025-01-15T10:20:30.456Z",
    "createdBy": {"id": "u1", "subjectType": "USER", "fullName": "Ada Byron", "username": "ada@example.com"},
}


def test_outputs_are_the_inputs_and_what_the_list_shows() -> None:
    inputs = Inputs("DEPLOYMENT_ADMIN", "d", org_token_name="ci", organization_id="o", workspace_id="w")

    assert inputs.outputs(ApiToken.model_validate(TOKEN)) == {
        "organization_id": "o",
        "deployment_id": "d",
        "org_token_id": "t",
        "org_token_name": "ci",
        "role": "DEPLOYMENT_ADMIN",
        "workspace_id": "w",
        "overwrite": False,
        "description": "deploys",
        "scope": "ORGANIZATION",
        "created_at": "2025-01-15T10:20:30.456Z",
        "created_by": "Ada Byron",
    }


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"fullName": "Ada", "apiTokenName": "pipeline", "username": "ada@x", "id": "u1"}, "Ada"),
        ({"fullName": None, "apiTokenName": "pipeline", "username": "ada@x", "id": "u1"}, "pipeline"),
        ({"fullName": "", "apiTokenName": "", "username": "ada@x", "id": "u1"}, "ada@x"),
        ({"id": "u1"}, "u1"),
    ],
)
def test_created_by_is_full_name_else_token_name_else_user_name_else_id(profile: Properties, expected: str) -> None:
    token = ApiToken.model_validate({**TOKEN, "createdBy": profile})

    assert expected == Inputs("R", "d").outputs(token)["created_by"]


def test_facts_that_the_service_left_out_are_no_outputs() -> None:
    found = Inputs("R", "d").outputs(ApiToken.model_validate({"id": "t", "name": "ci"}))

    assert found == {"deployment_id": "d", "role": "R", "overwrite": False, "org_token_id": "t", "org_token_name": "ci"}


def test_a_name_is_put_out_as_the_program_spells_it() -> None:
    inputs = Inputs("R", "d", org_token_name="before the rename")

    assert inputs.outputs(ApiToken.model_validate(TOKEN))["org_token_name"] == "before the rename"


def test_an_empty_description_is_a_fact() -> None:
    found = Inputs("R", "d").outputs(ApiToken.model_validate({**TOKEN, "description": ""}))

    assert found["description"] == ""
