"""The id of a binding is made and taken apart in one place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astro_provider.astro.identity import BindingId
from astro_provider.errors import InputError

PARTS = st.text(min_size=1, max_size=20).filter(
    lambda text: not any(letter == "/" or letter.isspace() for letter in text) and text not in {".", ".."}
)


@given(PARTS, PARTS, PARTS)
def test_an_id_that_was_made_can_be_taken_apart(organization_id: str, deployment_id: str, token_id: str) -> None:
    binding = BindingId(organization_id, deployment_id, token_id)

    assert binding == BindingId.parse(str(binding))


def test_an_id_reads_organization_deployment_token() -> None:
    assert str(BindingId("o", "d", "t")) == "o/d/t"


@pytest.mark.parametrize(
    "text", ["", "o", "o/d", "o/d/t/x", "//", "o//t", "o/d/", "/d/t", "o/ /t", "o/d /t", " o/d/t", "o/d/t\n"]
)
def test_a_malformed_id_is_refused_and_its_parts_are_named(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        BindingId.parse(text)

    assert str(refusal.value) == f"id: {text!r} is no binding's id: write <organization id>/<deployment id>/<token id>."
    assert refusal.value.property_name == "id"


def test_a_message_speaks_of_token_and_deployment() -> None:
    assert BindingId("o", "d", "t").in_words == "token t in deployment d"


@pytest.mark.parametrize("text", ["./d/t", "o/../t", "o/d/..", "o/d/."])
def test_an_id_that_would_lead_to_another_path_of_the_service_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no binding's id"):
        BindingId.parse(text)
