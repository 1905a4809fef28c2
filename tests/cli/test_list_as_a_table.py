from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from astro_emulator import Emulator
from tests.cli.conftest import LEDGER, ORDERS, AddToken
from tests.support.shell import Ending, run, run_in_terminal

ONE = """\
TOKEN          TOKEN ID                   ROLE              SCOPE         CREATED       CREATED BY  DESCRIPTION                        MARKS
ci             clx1ci0000000008l6aaaaaaa  DEPLOYMENT_ADMIN  ORGANIZATION  325 days ago  Ada Byron   Deploys from main, on every merge  unused
nightly loads  clx1loads0000008l6aaaaaaa  Release Engineer  ORGANIZATION  1 day ago     Ada Byron
"""
ALL = """\
DEPLOYMENT  DEPLOYMENT ID              TOKEN          TOKEN ID                   ROLE                 SCOPE         CREATED       CREATED BY  DESCRIPTION                        MARKS
ledger      clx0ledger000008l6bbbbbbb  audit          clx1audit0000008l6aaaaaaa  DEPLOYMENT_ACCESSOR  ORGANIZATION  today         Ada Byron   Reads what was posted
ledger      clx0ledger000008l6bbbbbbb  ci             clx1ci0000000008l6aaaaaaa  DEPLOYMENT_ACCESSOR  ORGANIZATION  325 days ago  Ada Byron   Deploys from main, on every merge  unused
orders      clx0orders000008l6aaaaaaa  ci             clx1ci0000000008l6aaaaaaa  DEPLOYMENT_ADMIN     ORGANIZATION  325 days ago  Ada Byron   Deploys from main, on every merge  unused
orders      clx0orders000008l6aaaaaaa  nightly loads  clx1loads0000008l6aaaaaaa  Release Engineer     ORGANIZATION  1 day ago     Ada Byron
"""
SAME = """\
SCOPE       ORGANIZATION
CREATED BY  Ada Byron

"""
ALL_IN_130_COLUMNS = """\
DEPLOYMENT                   TOKEN
  DEPLOYMENT ID                TOKEN ID                   ROLE                 CREATED       DESCRIPTION                    MARKS
ledger                       audit                        DEPLOYMENT_ACCESSOR  today         Reads what was posted
  clx0ledger000008l6bbbbbbb    clx1audit0000008l6aaaaaaa
ledger                       ci                           DEPLOYMENT_ACCESSOR  325 days ago  Deploys from main, on every    unused
  clx0ledger000008l6bbbbbbb    clx1ci0000000008l6aaaaaaa                                     merge
orders                       ci                           DEPLOYMENT_ADMIN     325 days ago  Deploys from main, on every    unused
  clx0orders000008l6aaaaaaa    clx1ci0000000008l6aaaaaaa                                     merge
orders                       nightly loads                Release Engineer     1 day ago
  clx0orders000008l6aaaaaaa    clx1loads0000008l6aaaaaaa
"""
ALL_IN_100_COLUMNS = """\
                             TOKEN
DEPLOYMENT                     TOKEN ID                           ROLE
  DEPLOYMENT ID                DESCRIPTION                          MARKS              CREATED
ledger                       audit                                DEPLOYMENT_ACCESSOR  today
  clx0ledger000008l6bbbbbbb    clx1audit0000008l6aaaaaaa
                               Reads what was posted
ledger                       ci                                   DEPLOYMENT_ACCESSOR  325 days ago
  clx0ledger000008l6bbbbbbb    clx1ci0000000008l6aaaaaaa            unused
                               Deploys from main, on every merge
orders                       ci                                   DEPLOYMENT_ADMIN     325 days ago
  clx0orders000008l6aaaaaaa    clx1ci0000000008l6aaaaaaa            unused
                               Deploys from main, on every merge
orders                       nightly loads                        Release Engineer     1 day ago
  clx0orders000008l6aaaaaaa    clx1loads0000008l6aaaaaaa
"""
ALL_IN_80_COLUMNS = """\
                             TOKEN                           ROLE
DEPLOYMENT                     TOKEN ID                        MARKS
  DEPLOYMENT ID                DESCRIPTION                     CREATED
ledger                       audit                           DEPLOYMENT_ACCESSOR
  clx0ledger000008l6bbbbbbb    clx1audit0000008l6aaaaaaa       today
                               Reads what was posted
ledger                       ci                              DEPLOYMENT_ACCESSOR
  clx0ledger000008l6bbbbbbb    clx1ci0000000008l6aaaaaaa       unused
                               Deploys from main, on every     325 days ago
                               merge
orders                       ci                              DEPLOYMENT_ADMIN
  clx0orders000008l6aaaaaaa    clx1ci0000000008l6aaaaaaa       unused
                               Deploys from main, on every     325 days ago
                               merge
orders                       nightly loads                   Release Engineer
  clx0orders000008l6aaaaaaa    clx1loads0000008l6aaaaaaa       1 day ago
"""
ONE_IN_140_COLUMNS = """\
TOKEN
  TOKEN ID                   ROLE              CREATED       DESCRIPTION                        MARKS
ci                           DEPLOYMENT_ADMIN  325 days ago  Deploys from main, on every merge  unused
  clx1ci0000000008l6aaaaaaa
nightly loads                Release Engineer  1 day ago
  clx1loads0000008l6aaaaaaa
"""
ONE_AS_RECORDS = """\
TOKEN        ci
TOKEN ID     clx1ci0000000008l6aaaaaaa
ROLE         DEPLOYMENT_ADMIN
CREATED      325 days ago
DESCRIPTION  Deploys from main, on every merge
MARKS        unused

TOKEN        nightly loads
TOKEN ID     clx1loads0000008l6aaaaaaa
ROLE         Release Engineer
CREATED      1 day ago
DESCRIPTION
MARKS
"""
CLOSING = (
    "unused: older than 90 days, and Astro shows no use in the last 90. CREATED is the token's age: Astro does not show "
    "when a role was granted. Roles that a token has through its organization or workspace are not listed."
)


def table_and_closing(ended: Ending) -> tuple[str, str]:
    """What a terminal got: the table, and the closing sentences in one line."""
    table, _, closing = ended.screen_text.rstrip("\n").rpartition("\n\n")
    return f"{table}\n", " ".join(closing.split())


def test_a_pipe_gets_one_plain_line_for_each_token_however_narrow_the_terminal(organization: Emulator) -> None:
    ended = run(organization, "list", "--deployment-id", ORDERS, COLUMNS="40", FORCE_COLOR="1")

    assert (ended.status, ended.out, ended.err) == (0, ONE, "")


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

    assert (ended.status, ended.out, ended.err) == (0, ALL, "")


def test_a_workspace_is_all_its_deployments(organization: Emulator) -> None:
    ended = run(organization, "list", "--workspace-id", "clm5t1r9b000308ldg6q8y4nz")

    assert [line.split()[0] for line in ended.lines[1:]] == ["ledger", "ledger"]
    assert [line.split()[2] for line in ended.lines[1:]] == ["audit", "ci"]


def test_a_workspace_beside_its_deployment_is_only_a_guard(organization: Emulator) -> None:
    guarded = run(organization, "list", "--deployment-id", ORDERS, "--workspace-id", "clk2v6a3e000208mkh9x5c2wd")

    assert guarded.out == ONE


def test_deployments_of_the_same_name_are_told_apart_by_their_ids(organization: Emulator) -> None:
    twin = organization.store.add_deployment("orders")
    organization.store.bind("clx1audit0000008l6aaaaaaa", twin, "DEPLOYMENT_ACCESSOR")

    ended = run(organization, "list", "--all-deployments")

    shown = {tuple(line.split()[:2]) for line in ended.lines[1:]}
    assert {("ledger", LEDGER), ("orders", ORDERS), ("orders", twin)} == shown


def test_without_an_option_all_deployments_are_listed_and_the_calls_are_said(organization: Emulator) -> None:
    ended = run(organization, "list")

    said = f"Listing all 2 deployments of organization {organization.organization_id}, in 4 calls at most.\n"
    assert (ended.status, ended.out, ended.err) == (0, ALL, said)
    assert organization.calls()["total"] <= 4


def test_tokens_of_other_scopes_are_shown_where_they_are_asked_for(organization: Emulator) -> None:
    ended = run(organization, "list", "--deployment-id", ORDERS, "--include-other-scopes")

    scopes = [re.findall("ORGANIZATION|DEPLOYMENT(?!_)", line) for line in ended.lines[1:]]
    assert scopes == [["ORGANIZATION"], ["ORGANIZATION"], ["DEPLOYMENT"]]
    assert "orders only" in ended.lines[3]


@pytest.mark.parametrize(
    ("columns", "asked", "shown"),
    [
        (130, ["--all-deployments"], ALL_IN_130_COLUMNS),
        (100, ["--all-deployments"], ALL_IN_100_COLUMNS),
        (80, ["--all-deployments"], ALL_IN_80_COLUMNS),
        (140, ["--deployment-id", ORDERS], ONE_IN_140_COLUMNS),
        (60, ["--deployment-id", ORDERS], ONE_AS_RECORDS),
    ],
)
def test_a_terminal_gets_what_fits_into_it_and_what_it_does_not_show(
    organization: Emulator, columns: int, asked: list[str], shown: str
) -> None:
    ended = run_in_terminal(organization, "list", *asked, columns=columns)

    assert (0, (SAME + shown, CLOSING)) == (ended.status, table_and_closing(ended))
    assert max(len(line) for line in ended.screen_text.splitlines()) <= columns


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_a_crowded_list_is_a_table_from_80_columns_on_and_breaks_no_id(columns: int) -> None:
    with Emulator.running(seed="adopt") as astro:
        ended = run_in_terminal(astro, "list", "--all-deployments", columns=columns)
        rows = run(astro, "list", "--all-deployments", "--output", "json")

    for row in json.loads(rows.out):
        assert row["id"] in ended.screen_text
        assert row["deployment_role"] in ended.screen_text
        assert row["name"] in ended.screen_text
        assert row["deployment_name"] in ended.screen_text
    assert ended.screen_text.count(" ROLE") == 1
    assert max(len(line) for line in ended.screen_text.splitlines()) <= columns


def test_a_single_row_says_everything_beside_its_heads_but_what_is_blank(organization: Emulator) -> None:
    organization.store.unbind("clx1ci0000000008l6aaaaaaa", ORDERS)

    ended = run_in_terminal(organization, "list", "--deployment-id", ORDERS, columns=120)

    assert ended.screen_text.splitlines()[:4] == [
        "TOKEN",
        "  TOKEN ID                   ROLE              SCOPE         CREATED    CREATED BY",
        "nightly loads                Release Engineer  ORGANIZATION  1 day ago  Ada Byron",
        "  clx1loads0000008l6aaaaaaa",
    ]


def test_expired_unused_and_direct_access_are_marked(organization: Emulator, add_token: AddToken) -> None:
    add_token("old", id="clx1old00000008l6aaaaaaaa", days=400, endAt="2024-03-30T13:37:00.000Z", kind="DIRECT_ACCESS")
    recently = datetime.now(UTC).isoformat()
    add_token("busy", id="clx1busy0000008l6aaaaaaaa", days=400, lastUsedAt=recently)
    for token_id in ("clx1old00000008l6aaaaaaaa", "clx1busy0000008l6aaaaaaaa"):
        organization.store.bind(token_id, LEDGER, "DEPLOYMENT_ADMIN")

    ended = run(organization, "list", "--deployment-id", LEDGER)
    rows = json.loads(run(organization, "list", "--deployment-id", LEDGER, "--output", "json").out)

    mark = ended.lines[0].index("MARKS")
    marked = {line.split()[0]: line[mark:].strip() for line in ended.lines[1:]}
    assert marked == {"audit": "", "busy": "", "ci": "unused", "old": "expired 2024-03-30, unused, DIRECT_ACCESS"}
    assert [
        ("audit", None, None, "STANDARD"),
        ("busy", None, recently, "STANDARD"),
        ("ci", None, None, "STANDARD"),
        ("old", "2024-03-30T13:37:00.000Z", None, "DIRECT_ACCESS"),
    ] == [(row["name"], row["expires_at"], row["last_used_at"], row["kind"]) for row in rows]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("deployment", ["audit", "ci", "ci", "nightly loads"]),
        ("name", ["audit", "ci", "ci", "nightly loads"]),
        ("role", ["audit", "ci", "ci", "nightly loads"]),
        ("created", ["ci", "ci", "nightly loads", "audit"]),
        ("expires", ["nightly loads", "audit", "ci", "ci"]),
        ("last-used", ["ci", "ci", "audit", "nightly loads"]),
    ],
)
def test_rows_come_in_the_order_that_is_asked_for(organization: Emulator, sort: str, names: list[str]) -> None:
    with organization.store.locked() as state:
        state.tokens["clx1loads0000008l6aaaaaaa"]["endAt"] = "2030-01-01T00:00:00.000Z"
        state.tokens["clx1ci0000000008l6aaaaaaa"]["lastUsedAt"] = "2026-01-01T00:00:00.000Z"

    ended = run(organization, "list", "--all-deployments", "--sort", sort, "--output", "json")

    assert names == [row["name"] for row in json.loads(ended.out)]


def test_a_built_in_role_is_shown_in_astros_spelling(organization: Emulator) -> None:
    organization.store.bind("clx1audit0000008l6aaaaaaa", ORDERS, "deployment_admin")

    ended = run(organization, "list", "--deployment-id", ORDERS, "--output", "json")

    assert {"DEPLOYMENT_ADMIN", "Release Engineer"} == {row["deployment_role"] for row in json.loads(ended.out)}


def test_heads_are_bold_in_a_terminal_and_plain_where_no_colour_is_wanted(organization: Emulator) -> None:
    asked = ["list", "--deployment-id", ORDERS]

    styled = run_in_terminal(organization, *asked)
    no_color = run_in_terminal(organization, *asked, NO_COLOR="1")
    dumb = run_in_terminal(organization, *asked, TERM="dumb")

    assert "\x1b[1mSCOPE" in styled.screen
    assert "\x1b[1mTOKEN" in styled.screen
    assert "\x1b" not in no_color.screen
    assert "\x1b" not in dumb.screen
    assert SAME + ONE_IN_140_COLUMNS == table_and_closing(styled)[0] == table_and_closing(no_color)[0]
    assert "CREATED  CREATED BY" not in dumb.screen_text


def test_a_description_can_neither_break_a_line_nor_reach_the_terminal(
    organization: Emulator, add_token: AddToken
) -> None:
    add_token("zz", id="clx1evil00000008l6aaaaaaa", description="one\ntwo\x1b[31m \u202ered [bold]x[/bold]")
    organization.store.bind("clx1evil00000008l6aaaaaaa", LEDGER, "DEPLOYMENT_ADMIN")

    piped = run(organization, "list", "--deployment-id", LEDGER)
    seen = run_in_terminal(organization, "list", "--deployment-id", LEDGER, columns=200)

    assert len(piped.lines) == 4
    assert "one two\ufffd[31m \ufffdred [bold]x[/bold]" in piped.lines[3]
    assert "one two\ufffd[31m \ufffdred [bold]x[/bold]" in seen.screen_text
    assert "\u202e" not in seen.screen


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

    assert (ended.status, ended.out) == (0, "")
    assert (
        f"No organization tokens are assigned to organization {organization.organization_id}, "
        "which has no deployments.\n" == ended.err
    )
