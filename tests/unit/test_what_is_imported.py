"""What `import astro_provider` offers."""

from __future__ import annotations

import pytest

import astro_provider


@pytest.mark.parametrize("name", astro_provider.__all__)
def test_every_public_name_is_found_where_it_is_looked_for(name: str) -> None:
    assert getattr(astro_provider, name) is not None


def test_a_name_that_is_not_there_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'astro_provider' has no attribute 'Binding'$"):
        astro_provider.__getattr__("Binding")
