"""What the rules say of grants, and what they leave undecided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astro_provider.access.rules import Asked, Rule, Rules, Where, fault_of_pattern, fits, verdicts
from astro_provider.access.rules_file import read_rules
from astro_provider.errors import UnusableInput

GRANT = Asked(
    deployment_id="clm9",
    deployment_name="etl-production",
    workspace_name="Data",
    org_token_id="cln7",
    org_token_name="ci-deployer",
    role="DEPLOYMENT_ADMIN",
    protect=False,
    overwrite=False,
)


def said(rules: Rules, *grants: Asked) -> list[tuple[Rule, bool]]:
    return [(one.rule, one.decided) for one in verdicts(rules, grants or (GRANT,))]


@pytest.mark.parametrize(
    ("patterns", "names", "answer"),
    [
        (["*-production"], ["etl-production", "Data", "clm9"], True),
        (["Data"], ["etl-production", "Data", "clm9"], True),
        (["clm9"], [None, None, "clm9"], True),
        (["*-production"], ["etl-staging", "Data", "clm9"], False),
        (["*-production"], [None, None, "clm9"], None),
        (["*-production"], ["etl-staging", None, "clm9"], None),
        (["*"], [None, None, None], True),
        ([], [None, None, None], False),
        (["etl-PRODUCTION"], ["etl-production", "", ""], False),
    ],
)
def test_a_pattern_fits_a_name_or_an_id_or_nobody_can_tell(
    patterns: list[str],
    names: list[str | None],
    answer: bool | None,  # noqa: FBT001  a value of the table
) -> None:
    assert answer is fits(patterns, names)


def test_no_rules_say_nothing() -> None:
    assert said(Rules()) == []


@pytest.mark.parametrize(
    ("role", "decided"),
    [("DEPLOYMENT_ADMIN", [True]), ("deployment_accessor", []), ("Release Engineer", []), (None, [False])],
)
def test_only_allowed_roles_are_given_where_a_pattern_fits(role: str | None, decided: list[bool]) -> None:
    rules = Rules(roles=(("*-production", ("DEPLOYMENT_ACCESSOR", "Release *")),))

    assert [(Rule.ROLE, one) for one in decided] == said(rules, replace(GRANT, role=role))


def test_the_first_pattern_that_fits_decides() -> None:
    rules = Rules(roles=(("etl-*", ("*",)), ("*", ("DEPLOYMENT_ACCESSOR",))))

    assert said(rules) == []
    assert said(rules, replace(GRANT, deployment_name="ml-training")) == [(Rule.ROLE, True)]


def test_a_name_that_nobody_knows_leaves_a_rule_undecided_unless_every_answer_is_the_same() -> None:
    unnamed = replace(GRANT, deployment_name=None, workspace_name=None)
    split = Rules(roles=(("*-production", ("DEPLOYMENT_ACCESSOR",)),))
    united = Rules(roles=(("*-production", ("DEPLOYMENT_ACCESSOR",)), ("*", ("Release Engineer",))))

    assert said(split, unnamed) == [(Rule.ROLE, False)]
    assert said(united, unnamed) == [(Rule.ROLE, True)]


@pytest.mark.parametrize(
    ("grant", "decided"),
    [
        (GRANT, []),
        (replace(GRANT, org_token_name="observability"), [True]),
        (replace(GRANT, org_token_name="observability", role="DEPLOYMENT_ACCESSOR"), []),
        (replace(GRANT, org_token_name="observability", role="deployment_admin"), [True]),
        (replace(GRANT, org_token_name=None), [False]),
        (replace(GRANT, org_token_name="observability", role=None), [False]),
    ],
)
def test_only_named_tokens_may_be_admin(grant: Asked, decided: list[bool]) -> None:
    assert [(Rule.ADMIN, one) for one in decided] == said(Rules(admin_tokens=("ci-*",)), grant)


def test_an_empty_list_of_admins_allows_nobody() -> None:
    assert said(Rules(admin_tokens=())) == [(Rule.ADMIN, True)]


def test_more_admins_than_allowed_are_counted_by_deployment() -> None:
    second = replace(GRANT, org_token_id="clo8", org_token_name="observability")
    elsewhere = replace(second, deployment_id="clp6", deployment_name="ml-training")

    found = verdicts(Rules(most_admins=1), [GRANT, second, elsewhere])

    assert [one.text for one in found] == [
        (
            "Deployment 'etl-production' (clm9) would have 2 tokens that are DEPLOYMENT_ADMIN, and at most 1 are allowed: "
            "'ci-deployer' (cln7), 'observability' (clo8)."
        )
    ]
    assert (GRANT, second) == found[0].asked


@pytest.mark.parametrize("where", list(Where))
def test_bindings_are_protected_and_do_not_overwrite_where_it_is_asked(where: Where) -> None:
    rules = Rules(production=("*-production",), protect=where, no_overwrite=where)
    staging = replace(GRANT, deployment_name="etl-staging")
    rash = replace(GRANT, overwrite=True)

    assert said(rules) == [(Rule.PROTECT, True)]
    assert said(rules, rash) == [(Rule.PROTECT, True), (Rule.OVERWRITE, True)]
    assert said(rules, replace(GRANT, protect=True)) == []
    assert ([(Rule.PROTECT, True)] if where is Where.EVERYWHERE else []) == said(rules, staging)


def test_what_no_stack_manages_breaks_no_rule_about_resources() -> None:
    rules = Rules(protect=Where.EVERYWHERE, no_overwrite=Where.EVERYWHERE)
    unmanaged = replace(GRANT, protect=None, overwrite=None)

    assert said(rules, unmanaged) == []


def test_the_file_of_the_documentation_is_read_whole() -> None:
    text = """
production = ["*-production", "Finance"]
[roles]
"*-production" = ["DEPLOYMENT_ACCESSOR", "Release Engineer"]
[admin]
tokens = ["ci-deployer"]
most = 2
[binding]
protect = "production"
no_overwrite = "everywhere"
"""

    assert Rules(
        production=("*-production", "Finance"),
        roles=(("*-production", ("DEPLOYMENT_ACCESSOR", "Release Engineer")),),
        admin_tokens=("ci-deployer",),
        most_admins=2,
        protect=Where.PRODUCTION,
        no_overwrite=Where.EVERYWHERE,
    ) == read_rules(text, "access.toml")


def test_a_sentence_says_who_where_and_what() -> None:
    found = verdicts(Rules(roles=(("*", ("Release Engineer",)),)), [GRANT, replace(GRANT, role=None)])

    assert [one.text for one in found] == [
        "Token 'ci-deployer' (cln7) in deployment 'etl-production' (clm9): the role DEPLOYMENT_ADMIN may not be given there.",
        (
            "Token 'ci-deployer' (cln7) in deployment 'etl-production' (clm9): the role (not known yet) may not be given "
            "there (it depends on what is not known yet)."
        ),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('production = []\nadmin = { most = "x" }\n', 2),
        ('production = []\nadmin.most = "x"\n', 2),
        ('\n["admin"]\n"most" = "x"\n', 3),
        ("[admin]\n[admin.more]\nmost = 2\n", 2),
        ('[[roles]]\n"*" = []\n', 1),
        ('[admin]\ntokens = ["""\nmost = 3\n"""]\nmost = "x"\n', 5),
        ('[admin]\nmost = 2\ntokens = ["ok", "[a-"]\n', 3),
        ('[roles]\n"*" = ["A"]\n"etl-[" = ["A"]\n', 3),
        ('[roles]\r\n"a" = ["b"]\r\n"\\u0063" = [\r\n1,\r\n]\r\n', 3),
    ],
)
def test_the_line_of_what_is_wrong_is_told_however_it_is_written(text: str, line: int) -> None:
    with pytest.raises(UnusableInput, match=f"^access.toml, line {line}: "):
        read_rules(text, "access.toml")


def test_a_pattern_with_an_unclosed_bracket_is_refused_with_its_line() -> None:
    with pytest.raises(UnusableInput) as refused:
        read_rules('\nproduction = ["*-production", "[a-"]\n', "access.toml")

    assert str(refused.value) == (
        "access.toml, line 2: the pattern '[a-' has a [ without its ]: write [[] for the character itself."
    )


@pytest.mark.parametrize(
    ("pattern", "name"), [("[a-c]x", "bx"), ("[[]x", "[x"), ("[]x", "[]x"), ("[!]", "[!]"), ("x]", "x]"), ("[]]", "]")]
)
def test_what_counts_as_closed_is_what_fnmatch_takes_for_a_class(pattern: str, name: str) -> None:
    stands_for_itself = pattern in ("[]x", "[!]")

    assert fits([pattern], [name])
    assert (fault_of_pattern(pattern) is not None) is stands_for_itself
