from __future__ import annotations

import pytest

from astro_provider.emulator import Emulator
from tests.cli.conftest import LEDGER, ORDERS, AddToken
from tests.support.shell import run, run_in_terminal

ONE = """\
ID                         NAME           DESCRIPTION                        SCOPE         DEPLOYMENT_ROLE   CREATED       CREATED BY
clx1ci0000000008l6aaaaaaa  ci             Deploys from main, on every merge  ORGANIZATION  DEPLOYMENT_ADMIN  325 days ago  Ada Byron
clx1loads0000008l6aaaaaaa  nightly loads                                     ORGANIZATION  Release Engineer  1 day ago     Ada Byron
"""
ALL = """\
ID                         NAME           DESCRIPTION                        SCOPE         DEPLOYMENT_ROLE      CREATED       CREATED BY  DEPLOYMENT
clx1audit0000008l6aaaaaaa  audit          Reads what was posted              ORGANIZATION  DEPLOYMENT_ACCESSOR  today         Ada Byron   ledger
clx1ci0000000008l6aaaaaaa  ci             Deploys from main, on every merge  ORGANIZATION  DEPLOYMENT_ACCESSOR  325 days ago  Ada Byron   ledger
clx1ci0000000008l6aaaaaaa  ci             Deploys from main, on every merge  ORGANIZATION  DEPLOYMENT_ADMIN     325 days ago  Ada Byron   orders
clx1loads0000008l6aaaaaaa  nightly loads                                     ORGANIZATION  Release Engineer     1 day ago     Ada Byron   orders
"""
ALL_IN_130_COLUMNS = """\
ID                         NAME           DESCRIPTION      SCOPE         DEPLOYMENT_ROLE      CREATED       CREATED BY  DEPLOYMENT
clx1audit0000008l6aaaaaaa  audit          Reads what was   ORGANIZATION  DEPLOYMENT_ACCESSOR  today         Ada Byron   ledger
                                          posted
clx1ci0000000008l6aaaaaaa  ci             Deploys from     ORGANIZATION  DEPLOYMENT_ACCESSOR  325 days ago  Ada Byron   ledger
                                          main, on every
                                          merge
clx1ci0000000008l6aaaaaaa  ci             Deploys from     ORGANIZATION  DEPLOYMENT_ADMIN     325 days ago  Ada Byron   orders
                                          main, on every
                                          merge
clx1loads0000008l6aaaaaaa  nightly loads                   ORGANIZATION  Release Engineer     1 day ago     Ada Byron   orders
"""
ONE_AS_RECORDS = """\
ID               clx1ci0000000008l6aaaaaaa
NAME             ci
DESCRIPTION      Deploys from main, on every merge
SCOPE            ORGANIZATION
DEPLOYMENT_ROLE  DEPLOYMENT_ADMIN
CREATED          325 days ago
CREATED BY       Ada Byron

ID               clx1loads0000008l6aaaaaaa
NAME             nightly loads
DESCRIPTION
SCOPE            ORGANIZATION
DEPLOYMENT_ROLE  Release Engineer
CREATED          1 day ago
CREATED BY       Ada Byron
"""


def test_a_pipe_gets_one_plain_line_for_each_token_however_narrow_the_terminal(organization: Emulator) -> None:
    ended = run(organization, "list", "--deployment-id", ORDERS, COLUMNS="40", FORCE_COLOR="1")

    assert (0, ONE, "") == (ended.status, ended.out, ended.err)


@pytest.mark.parametrize(
    "asked",
    [
        ["--all-deployments"],
        ["--deployment-id", LEDGER, "--deployment-id", ORDERS],
        ["--deployment-id", LEDGER, "--deployment-id", ORDERS, "--deployment-id", LEDGER],
    ],
)
def test_several_deployments_are_told_apart_by_a_column(organization: Emulator, asked: list[str]) -> None:
    ended = run(organization, "list", *asked)

    assert (0, ALL, "") == (ended.status, ended.out, ended.err)


def test_a_workspace_is_all_its_deployments(organization: Emulator) -> None:
    ended = run(organization, "list", "--workspace-id", "clm5t1r9b000308ldg6q8y4nz")

    assert ["audit", "ci"] == [line.split()[1] for line in ended.lines[1:]]
    assert {"ledger"} == {line.split()[-1] for line in ended.lines[1:]}


def test_a_workspace_beside_its_deployment_is_only_a_guard(organization: Emulator) -> None:
    guarded = run(organization, "list", "--deployment-id", ORDERS, "--workspace-id", "clk2v6a3e000208mkh9x5c2wd")

    assert ONE == guarded.out


def test_deployments_of_the_same_name_show_their_ids(organization: Emulator) -> None:
    twin = organization.store.add_deployment("orders")
    organization.store.bind("clx1audit0000008l6aaaaaaa", twin, "DEPLOYMENT_ACCESSOR")

    ended = run(organization, "list", "--all-deployments")

    shown = {line.split("Ada Byron")[1].strip() for line in ended.lines[1:]}
    assert {"ledger", f"orders ({ORDERS})", f"orders ({twin})"} == shown


def test_tokens_of_other_scopes_are_shown_where_they_are_asked_for(organization: Emulator) -> None:
    ended = run(organization, "list", "--deployment-id", ORDERS, "--include-other-scopes")

    assert ["ORGANIZATION", "ORGANIZATION", "DEPLOYMENT"] == [line[77:89].strip() for line in ended.lines[1:]]
    assert "orders only" in ended.lines[3]


@pytest.mark.parametrize(
    ("columns", "asked", "shown"),
    [
        (200, ["--all-deployments"], ALL),
        (130, ["--all-deployments"], ALL_IN_130_COLUMNS),
        (140, ["--deployment-id", ORDERS], ONE),
        (80, ["--deployment-id", ORDERS], ONE_AS_RECORDS),
        (60, ["--deployment-id", ORDERS], ONE_AS_RECORDS),
    ],
)
def test_a_terminal_gets_what_fits_into_it(organization: Emulator, columns: int, asked: list[str], shown: str) -> None:
    ended = run_in_terminal(organization, "list", *asked, columns=columns)

    assert (0, shown) == (ended.status, ended.screen_text)
    assert max(len(line) for line in ended.screen_text.splitlines()) <= columns


def test_heads_are_bold_in_a_terminal_and_plain_where_no_colour_is_wanted(organization: Emulator) -> None:
    asked = ["list", "--deployment-id", ORDERS]

    styled = run_in_terminal(organization, *asked)
    no_color = run_in_terminal(organization, *asked, NO_COLOR="1")
    dumb = run_in_terminal(organization, *asked, TERM="dumb")

    assert "\x1b[1mID" in styled.screen
    assert "\x1b" not in no_color.screen
    assert "\x1b" not in dumb.screen
    assert ONE == styled.screen_text == no_color.screen_text
    assert ONE_AS_RECORDS == dumb.screen_text


def test_a_description_can_neither_break_a_line_nor_reach_the_terminal(
    organization: Emulator, add_token: AddToken
) -> None:
    add_token("zz", id="clx1evil00000008l6aaaaaaa", description="one\ntwo\x1b[31m \u202ered [bold]x[/bold]")
    organization.store.bind("clx1evil00000008l6aaaaaaa", LEDGER, "DEPLOYMENT_ADMIN")

    piped = run(organization, "list", "--deployment-id", LEDGER)
    seen = run_in_terminal(organization, "list", "--deployment-id", LEDGER, columns=200)

    assert 4 == len(piped.lines)
    assert "one two\ufffd[31m \ufffdred [bold]x[/bold]" in piped.lines[3]
    assert piped.out == seen.screen_text


def test_wide_letters_take_two_cells_and_the_columns_still_stand_below_each_other(
    organization: Emulator, add_token: AddToken
) -> None:
    add_token("帳簿", id="clx1wide00000008l6aaaaaaa", description="ends here")
    organization.store.bind("clx1wide00000008l6aaaaaaa", LEDGER, "DEPLOYMENT_ADMIN")

    ended = run(organization, "list", "--deployment-id", LEDGER)

    assert ended.lines[0].index("DESCRIPTION") == ended.lines[3].index("ends here") + len("帳簿")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["--deployment-id", "{empty}"], "No organization tokens are assigned to deployment 'empty' ({empty}).\n"),
        (
            ["--deployment-id", "{empty}", "--include-other-scopes"],
            "No tokens are assigned to deployment 'empty' ({empty}).\n",
        ),
        (
            ["--deployment-id", "{empty}", "--deployment-id", "{other}"],
            "No organization tokens are assigned to deployments 'empty' ({empty}), 'other' ({other}).\n",
        ),
        (
            ["--workspace-id", "clx0workspace08l6aaaaaaaa"],
            "No organization tokens are assigned to any of the 2 deployments of workspace clx0workspace08l6aaaaaaaa.\n",
        ),
    ],
)
def test_nothing_assigned_is_said_on_standard_error_and_is_no_failure(
    organization: Emulator, asked: list[str], message: str
) -> None:
    ids = {
        name: organization.store.add_deployment(name, workspace_id="clx0workspace08l6aaaaaaaa")
        for name in ("empty", "other")
    }

    ended = run(organization, "list", *(word.format(**ids) for word in asked))

    assert (0, "", message.format(**ids)) == (ended.status, ended.out, ended.err)


def test_an_organization_without_deployments_has_nothing_assigned(organization: Emulator) -> None:
    for deployment_id in (ORDERS, LEDGER):
        organization.store.delete_deployment(deployment_id)

    ended = run(organization, "list", "--all-deployments")

    assert (0, "") == (ended.status, ended.out)
    assert (
        f"No organization tokens are assigned to organization {organization.organization_id}, "
        "which has no deployments.\n" == ended.err
    )
