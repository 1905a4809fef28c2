"""What is taken over, as exactly what, and what is left out with which reason."""

from __future__ import annotations

import json

from astro_emulator import Emulator
from astro_emulator.organization import FINANCE_ID, entry
from astro_provider.astro.reading.reader import Readers
from astro_provider.commands.adoption.find import Found, find
from astro_provider.commands.adoption.import_file import import_file
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.life import Checked
from astro_provider.names import PROVIDER_KEY
from tests.support.cast import STAGING, TRAINING
from tests.support.clients import Connect
from tests.support.processes import StartProcess
from tests.support.provider_process import PICKLED


def found_in(astro: Emulator, connect: Connect) -> Found:
    reader = Readers(connect(astro.url, credential=astro.credential)).of(astro.organization_id)
    return find(reader, list(reader.deployments().values()))


def left_out(found: Found, name: str) -> str:
    """Why the token of that name is left out; the assertion fails where it is not."""
    return next(line.split(": ", 1)[1] for line in found.left_out if line.startswith(f"token {name!r} "))


def test_an_entry_is_exactly_what_a_refresh_would_leave_in_the_state(
    crowded: Emulator, connect: Connect, start: StartProcess
) -> None:
    lifecycle = start()

    entries = json.loads(import_file(found_in(crowded, connect).adoptions))["resources"]

    for imported in entries:
        assert imported["type"] == "pulumi-python:dynamic/astro:DeploymentOrgTokenBinding"
        assert imported["inputs"].pop(PROVIDER_KEY) == imported["outputs"].pop(PROVIDER_KEY) == PICKLED
        assert lifecycle.check(EngineCall(), imported["inputs"], imported["inputs"]) == Checked(imported["inputs"], [])
        unseen = lifecycle.read(EngineCall(id=imported["id"]), {})  # as the service spells the role on this token
        assert unseen is not None
        assert {**unseen[1], "role": ""} == {**imported["outputs"], "role": ""}
        assert unseen[1]["role"].lower() == imported["outputs"]["role"].lower()
        assert lifecycle.read(EngineCall(id=imported["id"]), imported["outputs"]) == (
            imported["inputs"],
            imported["outputs"],
        )


def test_a_role_is_adopted_in_astros_spelling(astro: Emulator, connect: Connect) -> None:
    astro.store.bind(astro.store.add_token("shouts"), STAGING, "release ENGINEER")

    found = found_in(astro, connect)

    assert [one.role for one in found.adoptions if one.token.name == "shouts"] == ["Release Engineer"]


def test_tokens_of_other_scopes_are_left_out(astro: Emulator, connect: Connect) -> None:
    found = found_in(astro, connect)

    expected = "the token is of scope {}: only ORGANIZATION tokens can be bound."
    assert expected.format("WORKSPACE") == left_out(found, "finance-workspace")
    assert expected.format("DEPLOYMENT") == left_out(found, "staging-deploys")


def test_what_the_next_preview_would_refuse_is_left_out_in_its_words(astro: Emulator, connect: Connect) -> None:
    astro.store.add_role(" padded ")
    for name, role in (("auditor", "Ledger Auditor"), ("padded", " padded "), ("   ", "DEPLOYMENT_ADMIN")):
        astro.store.bind(astro.store.add_token(name), STAGING, role)

    found = found_in(astro, connect)

    assert f"The role Ledger Auditor is restricted to workspace {FINANCE_ID}" in left_out(found, "auditor")
    assert left_out(found, "padded") == "role: ' padded ' has blanks around it: write 'padded'."
    assert left_out(found, "   ") == "org_token_name: is blank: write the name of the organization token."
    assert len(found.adoptions) == 2


def test_what_the_next_preview_would_warn_of_is_adopted_and_said(astro: Emulator, connect: Connect) -> None:
    expired = astro.store.add_token("old", endAt="2024-03-30T13:37:00.000Z")
    astro.store.bind(expired, STAGING, "DEPLOYMENT_ADMIN")
    gone = astro.store.add_token("holds what is gone")
    astro.store.bind(gone, STAGING, "Release Engineer")
    astro.store.delete_role("Release Engineer")

    found = found_in(astro, connect)

    said = "\n".join(found.remarks)
    assert {"old", "holds what is gone"} <= {adoption.token.name for adoption in found.adoptions}
    assert found.warned == 2
    assert f"Token 'old' ({expired}) expired on 2024-03-30" in said
    assert "No deployment role is named 'Release Engineer'" in said


def test_roles_in_dags_are_named_and_left_as_they_are(astro: Emulator, connect: Connect) -> None:
    tagged = astro.store.token("clv9m2t3q000i08l6b8x5g4do")["roles"]
    tag = entry("DAG_TAG", "nightly", "DAG_VIEWER", deploymentId=TRAINING)
    astro.store.set_roles("clv9m2t3q000i08l6b8x5g4do", [*tagged, tag])

    found = found_in(astro, connect)

    whose = "Token 'model-trainer' (clv9m2t3q000i08l6b8x5g4do) also has"
    of = "of deployment 'ml-training': roles in DAGs stay as they are."
    assert [
        f"{whose} DAG_AUTHOR in the DAG train_demand_model {of}",
        f"{whose} DAG_VIEWER in the DAG tag nightly {of}",
    ] == found.remarks


def test_choosing_fewer_deployments_renames_nothing(crowded: Emulator, connect: Connect) -> None:
    reader = Readers(connect(crowded.url, credential=crowded.credential)).of(crowded.organization_id)
    deployments = list(reader.deployments().values())

    namesakes = [deployment for deployment in deployments if deployment.name == "same"]
    some = [one for chosen in namesakes for one in find(reader, [chosen]).adoptions]
    every = find(reader, deployments).adoptions

    names = {str(adoption.inputs.binding): adoption.name for adoption in every}
    assert {one.deployment.id for one in some} == {namesake.id for namesake in namesakes}
    assert len(namesakes) == 2
    assert all(names[str(adoption.inputs.binding)] == adoption.name for adoption in some)
    assert len(set(names.values())) == len(every)
