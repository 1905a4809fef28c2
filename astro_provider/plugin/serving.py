"""The process `pulumi-resource-astro`: a server that the engine starts, and ends when it needs it no longer.

The port stands alone on the first line of standard output. Standard error is shown to nobody; notices go to the engine.
"""

from __future__ import annotations

import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc  # type: ignore[import-untyped]  # no stubs

from astro_provider.process import garbage_left_alone

THREADS = 64  # operations at once; a run with `--parallel` above that queues, and the engine's own default is far below
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]  # a table may be large


def main() -> None:
    """Serve until the engine ends this process."""
    # A Ctrl-C of the terminal comes to all its processes; what then happens is for the engine to say, with Cancel.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with garbage_left_alone():
        from pulumi.runtime.proto import provider_pb2_grpc  # noqa: PLC0415  as below

        from astro_provider.plugin.servicer import Servicer  # noqa: PLC0415  loaded while nobody collects garbage
    server = grpc.server(ThreadPoolExecutor(THREADS), options=_UNLIMITED)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
