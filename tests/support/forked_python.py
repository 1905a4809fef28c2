"""A `python` whose modules are loaded already: half of what a command of the engine costs is the start of its provider.

`forked_python()` starts, once in a process of the tests, a server that has imported the SDK and the provider, and returns
an executable that stands for `python`. The executable hands its arguments, environment, directory and streams to the
server. The server forks, and the fork runs the module or the file: a process of its own, as each provider is. It ends when
the executable ends, by SIGKILL too, because the connection between them breaks then. For the fork `sys.executable` is that
executable, so what it starts by that is a fork as well.

A program on standard input or in `-c` gets a new interpreter, and so does an environment that asks for other settings of Python than
the tests have (PYTHONPATH, PYTHONDEVMODE, …). The bench, the demo and tests that watch a provider's process use `sys.executable`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import io
import itertools
import marshal
import os
import pkgutil
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

PRELOADED = ("astro_provider.engine", "astro_provider.lifecycle", "astro_provider.astro", "astro_provider.commands")
PLUGIN, COMMAND = "pulumi-resource-astro", "astro-provider"
HARMLESS = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")
LONGEST_START_SECONDS = 60.0

# The executable imports next to nothing, because this is what still starts for each provider.
EXECUTABLE = """#!{python} -IS
import _signal, _socket, array, marshal, os, sys
arguments = {arguments!r} + sys.argv[1:]
settings = {{name: value for name, value in os.environ.items() if name.startswith("PYTHON") and name not in {harmless!r}}}
if settings != {settings!r} or arguments[:1] in (["-"], ["-c"]):
    os.execv({python!r}, [{python!r}, *arguments])
handed_on = (_signal.SIGINT, _signal.SIGTERM)
_signal.pthread_sigmask(_signal.SIG_BLOCK, handed_on)
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
server.connect({address!r})
request = marshal.dumps((arguments, dict(os.environ), os.getcwd()))
streams = array.array("i", [0, 1, 2])
server.sendmsg([len(request).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
while request:
    request = request[server.send(request):]
for number in handed_on:
    _signal.signal(number, lambda number, frame: server.send(bytes([number])))
_signal.pthread_sigmask(_signal.SIG_UNBLOCK, handed_on)
server.settimeout(1.0)  # a signal that comes just before the call of `recv` is handled after it
while True:
    try:
        status = server.recv(1)
        break
    except TimeoutError:
        pass
os._exit(status[0] if status else 137)
"""


@functools.cache
def forked_python(python_path: str) -> Path:
    """Start the server, which ends with this process, and return the executable `python`.

    Beside it stand `pulumi-resource-astro`, the plugin of the native door, and the command `astro-provider`.

    Args:
        python_path: the PYTHONPATH of the environments that the server is for.
    """
    directory = Path(tempfile.mkdtemp(prefix="python-"))
    settings = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    settings = {name: value for name, value in settings.items() if name not in HARMLESS} | {"PYTHONPATH": python_path}
    address = str(directory / "server")
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", __name__, address],
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,  # closed by the end of this process, however it ends
        stdout=subprocess.PIPE,
    )
    atexit.register(_end, server, directory)
    assert server.stdout is not None
    assert select.select([server.stdout], [], [], LONGEST_START_SECONDS)[0], "the server of forks did not start"
    assert server.stdout.readline() == b"ready\n", "the server of forks has failed"
    modules = {PLUGIN: "astro_provider.engine.plugin.serving", COMMAND: "astro_provider"}
    for name, arguments in {"python": [], **{name: ["-m", module] for name, module in modules.items()}}.items():
        text = EXECUTABLE.format(
            python=sys.executable, arguments=arguments, harmless=HARMLESS, settings=settings, address=address
        )
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)
    return directory / "python"


def _end(server: subprocess.Popen[bytes], directory: Path) -> None:
    server.communicate()  # closes its standard input
    shutil.rmtree(directory)


def serve(address: str) -> None:
    """Import what a provider imports, and fork for each connection until standard input closes."""
    for package in ("pulumi.dynamic", "dill", "grpc", "astro_provider.provider", *PRELOADED):
        loaded = importlib.import_module(package)
        if package in PRELOADED:
            for module in pkgutil.walk_packages(loaded.__path__, f"{package}."):
                importlib.import_module(module.name)
    gc.collect()
    gc.freeze()  # a collection in a fork would touch, and so copy, all that was loaded
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel takes ended forks away
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen(64)
        print("ready", flush=True)  # noqa: T201  for the process that waits
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                sys.executable = str(Path(address).with_name("python"))
                _run(connection)
            connection.close()


def _run(connection: socket.socket) -> NoReturn:
    """Run the module or the file that the executable was asked for, in its place."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sized, streams, _, _ = socket.recv_fds(connection, 4, 3, socket.MSG_WAITALL)
    request = b""
    while len(request) < int.from_bytes(sized, "big"):
        request += connection.recv(2**16)
    arguments, environment, directory = marshal.loads(request)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # The server's own objects remember what its streams were, for example files, in which a position can be asked for.
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    for name, number, errors in (("stdout", 1, "strict"), ("stderr", 2, "backslashreplace")):
        unbuffered = io.FileIO(number, "wb", closefd=False)
        setattr(sys, name, io.TextIOWrapper(unbuffered, encoding="utf-8", errors=errors, write_through=True))
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    run = _program(arguments, directory)
    threading.Thread(target=_follow_the_executable, args=(connection,), daemon=True).start()
    end_process = os._exit

    def end(status: int) -> NoReturn:
        connection.send(bytes([status]))
        end_process(status)

    os._exit = end  # a module may end its process so, and the executable hands the status on
    status = 1
    try:
        run()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if not isinstance(ended.code, int | None):
            print(ended.code, file=sys.stderr)  # noqa: T201  as an interpreter does
    except BaseException:  # noqa: BLE001  an interpreter prints whatever ends its program
        traceback.print_exc()
    finally:
        for file in (sys.stdout, sys.stderr):
            with contextlib.suppress(ValueError):  # the program has closed it
                file.flush()
        end(status)


def _program(arguments: list[str], directory: str) -> Callable[[], object]:
    """Set `sys` as an interpreter does, and return what runs the program: `[FLAG…] -m MODULE …` or `[FLAG…] FILE …`."""
    if "-m" in arguments:
        _, module, *sys.argv[1:] = arguments[arguments.index("-m") :]
        sys.argv[0] = module
        sys.path.insert(0, directory)
        if not hasattr(sys.modules.get(module), "__path__"):  # of a package its `__main__` runs
            sys.modules.pop(module, None)  # runpy warns of a module that is loaded already
        return functools.partial(runpy.run_module, module, run_name="__main__", alter_sys=True)
    sys.argv = list(itertools.dropwhile(lambda one: one.startswith("-"), arguments))
    sys.path.insert(0, str(Path(sys.argv[0]).parent))
    return functools.partial(runpy.run_path, sys.argv[0], run_name="__main__")


def _follow_the_executable(connection: socket.socket) -> None:
    """Take the signals that the executable hands on, and die of SIGKILL if it has ended."""
    while number := connection.recv(1):
        signal.pthread_kill(threading.main_thread().ident or 0, number[0])  # wakes the main thread, even if it sleeps
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    serve(sys.argv[1])
