"""The process `pulumi-resource-astro`: a server that the engine starts, and ends when it needs it no longer.

The port stands alone on the first line of standard output. The engine shows standard error only if the process
ends before it serves; notices go to the engine.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc  # type: ignore[import-untyped]  # no stubs

from astro_provider.engine.process import garbage_left_alone
from astro_provider.errors import AstroProviderError
from astro_provider.version import __version__

OPERATIONS_AT_ONCE = 64  # that are waited for before a write; the engine's own default is four for each core
MOST_THREADS = 1024  # made as they are needed: a Cancel must not queue behind the operations that it ends
LOOK_SECONDS = 1.0  # how often it is looked whether the engine lives
LONGEST_END_SECONDS = 60.0  # far more than the engine's own patience
USAGE = """\
Usage: pulumi-resource-astro [--help | --version] [engine's address]

The native Pulumi provider of Astro organization API tokens. Pulumi starts it; there is nothing to run by hand.
`astro-provider doctor` checks whether Pulumi will find it.
"""
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]  # a table may be large


def main() -> None:
    """Serve until the engine ends this process or is gone, and what is under way then is done; or print help or the version."""
    if "--version" in sys.argv[1:]:
        sys.stdout.write(f"{__version__}\n")
        return
    if {"--help", "-h"} & set(sys.argv[1:]):
        sys.stdout.write(USAGE)
        return
    ended = threading.Event()
    # The engine ends a provider by SIGINT, and kills it five seconds later. If it is a Ctrl-C of the terminal, the engine
    # has it too, and sends Cancel. In both cases what is under way comes to its end, and nothing new begins.
    signal.signal(signal.SIGINT, lambda _number, _frame: ended.set())
    with garbage_left_alone():
        from pulumi.runtime.proto import provider_pb2_grpc  # noqa: PLC0415  as below

        from astro_provider.astro.api import cancelling  # noqa: PLC0415  as below

        try:
            from astro_provider.engine.plugin.servicer import Servicer  # noqa: PLC0415  loaded without the garbage collector
        except (
            AstroProviderError
        ) as error:  # no file locks; the engine shows what a process printed that serves nothing
            sys.exit(str(error))
    engine, operations = os.getppid(), ThreadPoolExecutor(MOST_THREADS)
    server = grpc.server(operations, options=_UNLIMITED)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(OPERATIONS_AT_ONCE), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not ended.wait(LOOK_SECONDS):
        if os.getppid() != engine:  # it was killed, so it would not learn what is done
            cancelling.cancel()
            break
    server.stop(LONGEST_END_SECONDS).wait()
    operations.shutdown()  # to the server, a call whose connection is gone is over; what it does may not be
    os._exit(0)  # the engine waits for this process, and to tidy up takes a tenth of a second


if __name__ == "__main__":
    main()
