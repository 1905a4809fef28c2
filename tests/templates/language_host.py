"""A stand-in for `pulumi-language-python`, which the official download of Pulumi brings and a build from Go does not.

The engine starts it like the real one and asks it to run programs. It runs a project's `__main__.py` with the Python of
the virtual environment that `Pulumi.yaml` names, by the server with which the SDK of *that* environment runs inline
programs. It does not show: how the real host finds or makes an environment, which plugins it takes for required
(tests/packaging/language_host.py), its own messages, nor policy packs that are directories.

`python language_host.py [FLAGS] ENGINE` serves, and prints its port. `python language_host.py --run ANSWER` runs a program: the
request comes on standard input, the answer goes into the file. Nothing of the tests is imported, because the project's
environment has none of them.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc  # type: ignore[import-untyped]  # it has no stubs here
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc


class Host(LanguageServer):
    """What the engine is told about the language, and the way to the project's own environment."""

    def __init__(self, engine_address: str) -> None:
        super().__init__(lambda: None)
        self._engine_address = engine_address

    def Run(  # noqa: N802  the protocol's name
        self, request: language_pb2.RunRequest, _context: object
    ) -> language_pb2.RunResponse:
        """Run the program in its environment."""
        project = Path(request.info.program_directory)
        python = Path(request.info.root_directory) / request.info.options["virtualenv"] / "bin" / "python"
        request.args[:] = [self._engine_address]
        answer = language_pb2.RunResponse()
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "answer"
            command = [str(python), "-u", __file__, "--run", str(file)]
            ended = subprocess.run(command, cwd=project, input=request.SerializeToString(), check=False)
            if file.exists():
                answer.ParseFromString(file.read_bytes())
            else:
                answer.error = f"the program's process ended with {ended.returncode}"
        return answer


def serve(engine_address: str) -> None:
    """Serve one engine until it ends this process."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))  # how the engine ends its plugins
    server = grpc.server(ThreadPoolExecutor(4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(engine_address), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201  the engine reads it
    engine = os.getppid()
    while server.wait_for_termination(timeout=1.0) and os.getppid() == engine:  # it times out; an engine may be killed
        pass


def run_program(answer: Path) -> None:
    """Run the program that the request on standard input asks for."""
    request = language_pb2.RunRequest()
    request.ParseFromString(sys.stdin.buffer.read())
    program = Path(request.info.program_directory) / "__main__.py"

    def run() -> None:
        runpy.run_path(str(program), run_name="__main__")

    ended = LanguageServer(run).Run(request, None)  # type: ignore[no-untyped-call]  # as the SDK has it
    answer.write_bytes(ended.SerializeToString())


if __name__ == "__main__":
    if sys.argv[1] == "--run":
        run_program(Path(sys.argv[2]))
    else:
        serve(sys.argv[-1])
