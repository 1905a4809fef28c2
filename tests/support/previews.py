"""One stack on the real engine, and the digests of what may be previewed on it, each made when it is first asked for.

The stack has four bindings; whatever a scenario changes in Astro it puts back, so that the order does not matter. Each
command of the engine takes seconds, so a digest that another process of the same test run has made is taken from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding
from tests.support.cast import DEPLOYERS, DIRECT, EXPIRED, FINANCE, PRODUCTION, STAGING, TRAINING
from tests.support.digests import RECOMMENDED, Digest, digest
from tests.support.made import Made
from tests.support.programs import bindings
from tests.support.stack import PYTHON_PATH, Program, Stack

ROOT = Path(__file__).parents[2]
ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"
OLD_DEPLOYER, NEW_DEPLOYER = DEPLOYERS
BINDINGS: dict[str, dict[str, Any]] = {
    "etl": {"deployment_id": PRODUCTION, "org_token_id": OLD_DEPLOYER, "role": ADMIN},
    "staging": {"deployment_id": STAGING, "org_token_id": OLD_DEPLOYER, "role": ACCESSOR},
    "training": {"deployment_id": TRAINING, "org_token_name": "snowflake-direct", "role": ADMIN},
    "close": {"deployment_id": FINANCE, "org_token_name": "airflow-1-migration", "role": ACCESSOR},
}
SECRET_OUTPUT = "correct horse battery staple"


def scenario(make: Callable[[Previews], Digest]) -> cached_property[Digest]:
    """A digest that is made once in a test run."""

    def found(self: Previews) -> Digest:
        kept = self.shared / f"{make.__name__}.json"
        if not kept.exists():
            written = self.directory / kept.name
            written.write_text(json.dumps(asdict(make(self))))
            written.replace(kept)
        return Digest(**json.loads(kept.read_text()))

    found.__doc__ = make.__doc__
    return cached_property(found)


class Previews:
    """The stack, and its digests.

    Args:
        engine: the `pulumi` command.
        directory: of this process.
        shared: a directory that all processes of the test run share.
        astro: the service.
    """

    def __init__(self, engine: PulumiCommand, directory: Path, shared: Path, astro: Emulator) -> None:
        self.directory = directory
        self.shared = shared
        self.astro = astro
        self._engine = engine
        self._environment = {
            "ASTRO_API_HOST": astro.url,
            "ASTRO_SETTLE_SECONDS": "0",
            "PYTHONPATH": PYTHON_PATH,
        }

    @cached_property
    def stack(self) -> Stack:
        """The stack with its four bindings."""
        environment = {**self._environment, "ASTRO_API_TOKEN": self.astro.credential}
        stack = Stack(self._engine, self.directory / "stack", environment, bindings(**BINDINGS))
        assert not stack.up().failed
        return stack

    @cached_property
    def fork(self) -> Stack:
        """The same program as a fork runs it: without credential and state."""
        environment = {**self._environment, "ASTRO_PREVIEW_CHECKS": "off"}
        return Stack(self._engine, self.directory / "fork", environment, bindings(**BINDINGS), as_a_user=True)

    @scenario
    def made(self) -> Digest:
        """The bindings are yet to be made, in an Astro of its own: in the other one they are there once the stack is."""
        with Emulator.running() as fresh:
            service = {"ASTRO_API_HOST": fresh.url, "ASTRO_API_TOKEN": fresh.credential}
            environment = {**self._environment, **service}
            first = Stack(self._engine, self.directory / "first", environment, bindings(**BINDINGS))
            return digest(first, "preview", *RECOMMENDED)

    def _preview(self, *arguments: str, program: Program | None = None, flags: tuple[str, ...] = RECOMMENDED) -> Digest:
        self.stack.program = program or bindings(**BINDINGS)
        return digest(self.stack, "preview", *arguments, *flags)

    @contextmanager
    def drift(self) -> Iterator[None]:
        """Somebody gives one binding another role and takes another binding away."""
        assert self.stack  # the bindings are made before anybody touches them
        self.astro.store.bind(OLD_DEPLOYER, PRODUCTION, ACCESSOR)
        self.astro.store.unbind(OLD_DEPLOYER, STAGING)
        yield
        self.astro.store.bind(OLD_DEPLOYER, PRODUCTION, ADMIN)
        self.astro.store.bind(OLD_DEPLOYER, STAGING, ACCESSOR)

    @scenario
    def unchanged(self) -> Digest:
        """Nothing changes."""
        return self._preview()

    @scenario
    def plain(self) -> Digest:
        """Nothing changes, and the digest is made without the recommended flags."""
        return self._preview(flags=())

    @scenario
    def many(self) -> Digest:
        """Much at once: a changed role, a rename, a replacement, a removal, adoptions, what is unknown and secret."""
        return self._preview(program=_many)

    @scenario
    def moved(self) -> Digest:
        """All bindings under other names, one of them beneath a component."""
        return self._preview(program=_moved)

    @scenario
    def replaced(self) -> Digest:
        """The same binding made anew by --replace."""
        return self._preview("--replace", self.stack.urn("etl"))

    @scenario
    def renewed(self) -> Digest:
        """Another token of the same name takes a binding over."""
        return self._preview(program=bindings(**{**BINDINGS, "etl": {**BINDINGS["etl"], "org_token_id": NEW_DEPLOYER}}))

    @scenario
    def failed(self) -> Digest:
        """One binding cannot be right, and another has left the program."""
        left = {name: one for name, one in BINDINGS.items() if name != "training"}
        wrong = {"deployment_id": "nosuch", "org_token_id": OLD_DEPLOYER, "role": ADMIN}
        return self._preview(program=bindings(**left, wrong=wrong))

    @scenario
    def crashed(self) -> Digest:
        """The program ends with an exception before it has declared everything."""

        def program() -> None:
            DeploymentOrgTokenBinding("etl", **BINDINGS["etl"])
            raise RuntimeError("no such table")

        return self._preview(program=program)

    @scenario
    def retained(self) -> Digest:
        """A binding leaves the program whose grant is to stay."""
        keep = pulumi.ResourceOptions(retain_on_delete=True)
        self.stack.program = bindings(**{**BINDINGS, "close": {**BINDINGS["close"], "opts": keep}})
        self.stack.up()
        made = self._preview(program=bindings(**{name: one for name, one in BINDINGS.items() if name != "close"}))
        self.stack.program = bindings(**BINDINGS)
        self.stack.up()
        return made

    @scenario
    def destroyed(self) -> Digest:
        """Everything is to go."""
        return digest(self.stack, "destroy", "--preview-only")

    @scenario
    def destroyed_after_refresh(self) -> Digest:
        """The same with a look at Astro before it, which finds drift."""
        with self.drift():
            return digest(self.stack, "destroy", "--preview-only", "--refresh")

    @scenario
    def refreshed(self) -> Digest:
        """A refresh that finds drift."""
        with self.drift():
            return digest(self.stack, "refresh", "--preview-only")

    @scenario
    def refreshed_in_peace(self) -> Digest:
        """A refresh that finds none."""
        return digest(self.stack, "refresh", "--preview-only")

    @scenario
    def reverting(self) -> Digest:
        """A preview that takes drift back."""
        with self.drift():
            return self._preview()

    @scenario
    def expecting_none(self) -> Digest:
        """A preview with --expect-no-changes where there are some."""
        return self._preview("--expect-no-changes", program=_many)

    @scenario
    def unchecked(self) -> Digest:
        """Many changes with previewChecks off, on a stack that has bindings."""
        self.stack.set_environment(ASTRO_PREVIEW_CHECKS="off")
        made = self._preview(program=_many, flags=("--show-sames",))
        self.stack.set_environment(ASTRO_PREVIEW_CHECKS="")
        return made

    @scenario
    def of_a_fork(self) -> Digest:
        """What a fork's pull request can preview: no credential, no state."""
        return digest(self.fork, "preview", "--show-sames")

    @scenario
    def not_begun(self) -> Digest:
        """A preview that fails before the engine begins."""
        self.fork.set_environment(PULUMI_CONFIG_PASSPHRASE="wrong")
        made = digest(self.fork, "preview")
        self.fork.set_environment(PULUMI_CONFIG_PASSPHRASE="for tests only")
        return made

    @scenario
    def stream(self) -> Digest:
        """A preview that streams events instead of printing a digest."""
        self.fork.set_environment(PULUMI_ENABLE_STREAMING_JSON_PREVIEW="true")
        made = digest(self.fork, "preview")
        self.fork.set_environment(PULUMI_ENABLE_STREAMING_JSON_PREVIEW="")
        return made

    @scenario
    def exported(self) -> Digest:
        """The stack's export."""
        return Digest(exported(self.stack), "", 0)


@pytest.fixture(scope="session")
def previews(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Previews]:
    """The stack with its digests."""
    own = tmp_path_factory.mktemp("previews")
    # The processes of a test run have their directories side by side in one that is made for the run.
    run = own.parents[1] if "PYTEST_XDIST_WORKER" in os.environ else own.parent
    shared = run / "digests"
    shared.mkdir(exist_ok=True)
    with Emulator.running() as astro:
        yield Previews(engine, own, shared, astro)


def exported(stack: Stack) -> str:
    """What `pulumi stack export` prints."""
    workspace = stack.stack.workspace
    arguments = ["stack", "export", "--stack", "test"]
    printed: str = workspace.pulumi_command.run(
        arguments, str(stack.directory / "work"), dict(stack.environment)
    ).stdout
    return printed


def _many() -> None:
    made = Made("made", NEW_DEPLOYER)
    DeploymentOrgTokenBinding("etl", **{**BINDINGS["etl"], "role": ACCESSOR})
    DeploymentOrgTokenBinding("staging-of-the-deployer", **BINDINGS["staging"])
    DeploymentOrgTokenBinding("training", deployment_id=TRAINING, org_token_id=NEW_DEPLOYER, role=ADMIN)
    DeploymentOrgTokenBinding("unknown", deployment_id=STAGING, org_token_id=made.made_id, role=ADMIN)
    DeploymentOrgTokenBinding(
        "secret", deployment_id=STAGING, org_token_name="model-trainer", role=pulumi.Output.secret(ADMIN)
    )
    DeploymentOrgTokenBinding("adopted", deployment_id=PRODUCTION, org_token_name="observability", role=ACCESSOR)
    DeploymentOrgTokenBinding(
        "overwritten", deployment_id=TRAINING, org_token_name="model-trainer", role=ADMIN, overwrite=True
    )
    pulumi.export("password", pulumi.Output.secret(SECRET_OUTPUT))


def _moved() -> None:
    component = pulumi.ComponentResource("example:index:Access", "access")
    for name, arguments in BINDINGS.items():
        opts = pulumi.ResourceOptions(parent=component) if name == "etl" else None
        DeploymentOrgTokenBinding(f"{name}-renamed", **arguments, opts=opts)


def grant_bindings(astro: Emulator) -> None:
    """Give in another Astro what the stack's four bindings give."""
    for one, token_id in zip(BINDINGS.values(), (OLD_DEPLOYER, OLD_DEPLOYER, DIRECT, EXPIRED), strict=True):
        astro.store.bind(token_id, one["deployment_id"], one["role"])
