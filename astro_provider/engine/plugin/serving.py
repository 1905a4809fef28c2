"""The process `pulumi-resource-astro`: a server that the engine starts, and ends when it needs it no longer.

It prints its port on the first line of standard output, and nothing else there. The engine shows standard error only if the
process ends before it serves; notices go to the engine's log.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc  # type: ignore[import-untyped]  # no stubs

from astro_provider.engine.callers import OPERATIONS_AT_ONCE
from astro_provider.engine.process import garbage_left_alone
from astro_provider.errors import AstroProviderError
from astro_provider.version import __version__

MOST_THREADS = 1024  # started as they are needed: a Cancel must not queue behind the operations that it ends
LOOK_SECONDS = 1.0  # between two looks whether the engine lives
LONGEST_END_SECONDS = 60.0  # the engine kills the process long before
USAGE = """\
Usage: pulumi-resource-astro [--help | --version] [engine's address]

The native Pulumi provider of Astro organization API tokens. Pulumi starts it; there is nothing to run by hand.
`astro-provider doctor` checks whether Pulumi will find it.
"""
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]  # a table may be large


def main() -> None:
    """Serve until the engine ends this process or is gone, and finish the operations under way; or print help or version."""
    if "--version" in sys.argv[1:]:
        sys.stdout.write(f"{__version__}\n")
        return
    if {"--help", "-h"} & set(sys.argv[1:]):
        sys.stdout.write(USAGE)
        return
    ended = threading.Event()
    # The engine ends a provider by SIGINT, and kills it five seconds later. A Ctrl-C of the terminal reaches the engine too,
    # which then sends Cancel. In both cases the operations under way are finished, and no new one begins.
    signal.signal(signal.SIGINT, lambda _number, _frame: ended.set())
    with garbage_left_alone():
        from pulumi.runtime.proto import provider_pb2_grpc  # noqa: PLC0415  as below

        from astro_provider.astro.api import cancelling  # noqa: PLC0415  as below

        try:
            from astro_provider.engine.plugin.servicer import Servicer  # noqa: PLC0415  loaded without the garbage collector
        except AstroProviderError as error:
            sys.exit(str(error))  # this system has no file locks; the engine shows the text, as nothing is served
    engine, operations = os.getppid(), ThreadPoolExecutor(MOST_THREADS)
    server = grpc.server(operations, options=_UNLIMITED)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(OPERATIONS_AT_ONCE), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not ended.wait(LOOK_SECONDS):
        if os.getppid() != engine:  # it was killed, so no state would record what is done
            cancelling.cancel()
            break
    server.stop(LONGEST_END_SECONDS).wait()
    operations.shutdown()  # for the server, a call whose connection is gone is over; its thread may still write
    os._exit(0)  # the engine waits for this process, and Python's own cleaning up takes a tenth of a second


if __name__ == "__main__":
    main()
