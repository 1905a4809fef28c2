"""An Astro API that runs on this machine: loopback only, in memory, with the traps of the real one.

It is for trying the provider out, for the demo and for every test, those with several processes included. It shares no
code with the provider's client, so that one misunderstanding of the service cannot hide in both: its behaviour comes
from Astronomer's public documents, and each inferred rule is marked as inferred. It is not a replica: it has the
tokens, deployments and roles of one organization, and never invents a DAG. docs/emulator.md describes how to use it.
"""

from astro_emulator.places import SeedError
from astro_emulator.server import Emulator
from astro_emulator.store import Store

__all__ = ["Emulator", "SeedError", "Store"]
