"""How the two doors spell the names of our properties, alone and in a message."""

from __future__ import annotations

import pytest

from astro_provider.engine.property_names import in_camel_case, snake
from astro_provider.names import camel


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("role", "role"),
        ("org_token_id", "orgTokenId"),
        ("created_at", "createdAt"),
        ("deployment_ids", "deploymentIds"),
        ("include_other_scopes", "includeOtherScopes"),
    ],
)
def test_a_name_has_two_spellings(ours: str, theirs: str) -> None:
    assert camel(ours) == theirs
    assert snake(theirs) == ours == snake(ours)


@pytest.mark.parametrize("name", ["", "somebody_s", "mine"])
def test_a_name_that_is_not_ours_is_left_alone_on_its_way_in(name: str) -> None:
    assert snake(name) == name


def test_of_a_place_only_the_property_is_ours() -> None:
    assert camel('roles["org_token_id"]["my_own"]') == 'roles["org_token_id"]["my_own"]'
    assert camel('deployment_ids["a_b"]') == 'deploymentIds["a_b"]'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("give deployment_id or deployment_name.", "give deploymentId or deploymentName."),
        ("Give it as deployment_name, or write the id", "Give it as deploymentName, or write the id"),
        ("No token is named 'org_token_id' (nearest: 'org_token_id 2')", None),
        ('roles["org_token_id"]["x"]: is blank', None),
        ("'x' is no binding's id: write org_token_id", "'x' is no binding's id: write orgTokenId"),
        ("write org_token_name='it_s org_token_id'.", "write orgTokenName='it_s org_token_id'."),
        ("my_org_token_id and organization_ids are nobody's", None),
        ("DEPLOYMENT_ADMIN and ASTRO_ORGANIZATION_ID stay", None),
    ],
)
def test_in_a_message_names_of_ours_are_translated_and_quoted_ones_are_not(text: str, told: str | None) -> None:
    assert in_camel_case(text) == (text if told is None else told)
