"""Each way to install that docs/install.md tells, for an example that was copied out of the repository."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from astro_provider import __version__
from tests.packaging.conftest import ROOT, Installed, clean_environment
from tests.packaging.language_host import required_plugins

SOURCES = (
    *("pyproject.toml", "README.md", "LICENSE"),
    *("astro_provider", "astro_emulator", "pulumi_astro", "pulumi_astro_provider"),
)
DOCUMENT = (ROOT / "docs" / "install.md").read_text()


@pytest.fixture
def git_host(tmp_path: Path) -> Iterator[str]:
    """The address, on a host of this machine, of a repository that holds the sources as they are here."""
    repository = tmp_path / "sources"
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, repository / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            repository.mkdir(exist_ok=True)
            shutil.copy(source, repository / name)
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "x"], ["tag", "v1"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run([*git, "clone", "--quiet", "--bare", ".", str(tmp_path / "host" / "astro.git")], check=True)
    subprocess.run(["git", "-C", str(tmp_path / "host" / "astro.git"), "update-server-info"], check=True)
    serving = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "host"))
    with ThreadingHTTPServer(("127.0.0.1", 0), serving) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"git+http://127.0.0.1:{server.server_port}/astro.git@v1"
        server.shutdown()
        thread.join()


def install(requirements: Path, into: Path) -> None:
    """Install what a project asks for, without its dependencies, so that no test here needs the network."""
    offline = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--no-compile"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(into), "-r", str(requirements)]
    ended = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(params=["checkout", "wheel", "git"])
def line(request: pytest.FixtureRequest, installed: Installed) -> str:
    """The line for a project's requirements.txt, one for each way to install."""
    if request.param == "git":
        return f"pulumi-astro-provider @ {request.getfixturevalue('git_host')}"
    return str({"checkout": ROOT, "wheel": installed.wheel}[request.param])


def test_what_an_example_asks_for_is_installed_alike_in_each_way(
    installed: Installed, tmp_path: Path, line: str
) -> None:
    asked = (ROOT / "examples" / "01-quickstart" / "requirements.txt").read_text()
    requirements, into = tmp_path / "requirements.txt", tmp_path / "installed"
    requirements.write_text(re.sub(r"^\.\./\.\.\[emulator\]$", line, asked, flags=re.MULTILINE))

    install(requirements, into)

    # So what the wheel's environment previews, in test_wheel_in_use.py, each of them previews.
    assert contents(into) == contents(installed.site_packages)
    assert {"astro_provider", "astro_emulator", "pulumi_astro"} <= {path.parts[0] for path in contents(into)}
    assert set() == required_plugins(into)


def contents(site_packages: Path) -> dict[Path, bytes]:
    """The files of the package, and what its metadata say of it, without what an installer adds."""
    files = [path for path in site_packages.glob("*astro*/**/*") if path.is_file() and path.suffix != ".pyc"]
    ours = [path for path in files if ".dist-info" not in str(path) or path.name in {"METADATA", "entry_points.txt"}]
    return {path.relative_to(site_packages): path.read_bytes() for path in ours}


def test_the_page_tells_a_line_for_each_way_and_the_version_that_there_is() -> None:
    lines = re.findall(r"^\| .* \| `(.*)` \|$", DOCUMENT, re.MULTILINE)

    assert lines == [
        "./path/to/the/checkout",
        f"./pulumi_astro_provider-{__version__}-py3-none-any.whl",
        "pulumi-astro-provider @ git+https://<your host>/<path>@<tag or commit>",
    ]
    assert "**Do not install the bare name.**" in DOCUMENT


def test_nothing_tells_anybody_to_install_the_bare_name() -> None:
    places = [
        ROOT / "README.md",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/*"),
        *ROOT.glob("astro_provider/**/*"),
    ]
    made = {"node_modules", "sdks"}  # by a developer who has run the examples
    ours = [
        path for path in places if path.suffix in {".md", ".py", ".txt", ".yaml", ".yml"} and not made & set(path.parts)
    ]
    texts = [(path, path.read_text()) for path in ours]
    bare = re.compile(
        r"""(?:install|add|uvx|pipx run) [^\n`]*['" ]pulumi-astro-provider(?:\[\w+\])?(?! @)|^pulumi-astro-provider(?!.* @ )""",
        re.MULTILINE,
    )

    assert [(path.name, found[0]) for path, text in texts for found in bare.finditer(text)] == []
