from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from astro_provider.astro.api import Deployment
from astro_provider.commands.adoption.names import keys, resource_name, slug


def named(identifier: str, name: str, created_at: str | None = None) -> Deployment:
    return Deployment(id=identifier, name=name, created_at=created_at)


IDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=3)
# Few characters, so that names meet after what is between words has become a hyphen.
NAMES = st.text("aB -_.~é日", max_size=4) | st.text(max_size=8)
THINGS = st.lists(
    st.builds(named, IDS, NAMES, st.sampled_from([None, "2024-01-01T00:00:00.000Z"])),
    unique_by=lambda thing: thing.id,
    max_size=12,
)


def test_a_name_keeps_its_words_in_any_script() -> None:
    assert slug("etl_production") == "etl_production"
    assert slug("Größe & Café (EU)") == "Größe-Café-EU"
    assert slug("  trailing blanks  ") == "trailing-blanks"
    assert slug("日本語") == "日本語"


def test_a_name_that_is_free_is_the_key_and_a_later_one_has_its_id_beside_it() -> None:
    things = [named("id3", "ci", "2026"), named("id1", "ci", "2024"), named("id2", "c/i", "2025"), named("id4", "🚀")]

    assert keys(things) == {"id1": "ci", "id3": "ci~id3", "id2": "c-i", "id4": "unnamed~id4"}


@given(deployments=THINGS, tokens=THINGS)
def test_no_two_bindings_have_the_same_name(deployments: list[Deployment], tokens: list[Deployment]) -> None:
    pairs = [(d, t) for d in keys(deployments).values() for t in keys(tokens).values()]

    assert len({resource_name(*pair) for pair in pairs}) == len(deployments) * len(tokens)


@given(things=THINGS, order=st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_listed_renames_nothing(things: list[Deployment], order: object) -> None:
    shuffled = list(things)
    order.shuffle(shuffled)  # type: ignore[attr-defined]

    assert keys(shuffled) == keys(things)


@given(things=THINGS, names=st.lists(NAMES, max_size=5))
def test_what_is_made_later_renames_nothing(things: list[Deployment], names: list[str]) -> None:
    later = [named(f"later{number}", name, "2027-01-01T00:00:00.000Z") for number, name in enumerate(names)]

    assert keys(things).items() <= keys([*things, *later]).items()


@given(things=THINGS)
def test_a_name_holds_nothing_that_would_have_to_be_escaped(things: list[Deployment]) -> None:
    for key in keys(things).values():
        assert key.isprintable()
        assert not set(key) & set(" ./:\\\"'{}$%\n")
