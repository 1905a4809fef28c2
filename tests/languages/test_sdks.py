"""The SDKs compile, and so do the examples and the programs that the schema shows. No language host is needed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.languages.conftest import SCHEMA, Shell, example

MANY, ONE = "astro:index:DeploymentOrgTokenBindings", "astro:index:DeploymentOrgTokenBinding"


def shown(language: str) -> list[str]:
    """The program in that language in the description of each resource."""
    blocks = [
        re.findall(rf"```{language}\n(.*?)```", SCHEMA["resources"][kind]["description"], re.DOTALL)
        for kind in (ONE, MANY)
    ]
    assert [len(of_one) for of_one in blocks] == [1, 1]
    return [of_one[0] for of_one in blocks]


def test_the_sdk_for_typescript_compiles_and_with_it_the_example_and_the_programs_of_the_schema(
    sdks: Path, tmp_path: Path
) -> None:
    project = example("06-typescript", tmp_path)
    shutil.copytree(sdks / "nodejs", project / "sdks" / "astro")
    programs = [project / f"shown-{number}.ts" for number, _ in enumerate(shown("typescript"))]
    for file, text in zip(programs, shown("typescript"), strict=True):
        file.write_text(text)
    shell = Shell(project)

    shell.run("npm", "install", "--no-audit", "--no-fund")
    compiler = project / "node_modules" / ".bin" / "tsc"
    if not (project / "sdks" / "astro" / "bin" / "index.js").exists():  # an npm that runs no scripts of packages
        shell.run(compiler, "-p", "sdks/astro")
    shell.run(compiler, "-p", ".")
    shell.run(
        compiler, "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "commonjs", *programs
    )

    assert (project / "sdks" / "astro" / "bin" / "deploymentOrgTokenBinding.js").exists()


def test_a_wrong_name_of_a_property_does_not_compile_in_typescript(sdks: Path, tmp_path: Path) -> None:
    """Shows that the test above looks at the generated types."""
    project = example("06-typescript", tmp_path)
    shutil.copytree(sdks / "nodejs", project / "sdks" / "astro")
    shell = Shell(project)
    shell.run("npm", "install", "--no-audit", "--no-fund")
    compiler = project / "node_modules" / ".bin" / "tsc"
    if not (project / "sdks" / "astro" / "bin" / "index.js").exists():
        shell.run(compiler, "-p", "sdks/astro")
    program = project / "index.ts"
    program.write_text(program.read_text().replace("orgTokenName:", "tokenName:"))

    wrong = ""
    try:
        shell.run(compiler, "-p", ".")
    except AssertionError as failed:
        wrong = str(failed)

    assert "'tokenName' does not exist in type 'DeploymentOrgTokenBindingArgs'" in wrong


def test_the_sdk_for_go_compiles_and_with_it_the_example_and_the_programs_of_the_schema(
    sdks: Path, tmp_path: Path
) -> None:
    project = example("07-go", tmp_path)
    shutil.copytree(sdks / "go", project / "sdks" / "astro")
    for number, text in enumerate(shown("go")):
        (project / f"shown{number}").mkdir()
        (project / f"shown{number}" / "main.go").write_text(text)

    Shell(project).run("go", "build", "-mod=mod", "./...")  # of several packages it compiles each, and links none

    assert Shell(project).run("go", "list", "-mod=mod", "./...").split() == [
        "astro-go",
        "astro-go/shown0",
        "astro-go/shown1",
    ]
