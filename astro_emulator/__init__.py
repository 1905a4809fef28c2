"""An Astro API that runs on this machine: loopback only, in memory, with the traps of the real one.

It is for trying the provider out, for the demo and for every test, those with several processes included. It shares
no code with the provider's client, so that one misunderstanding of the service cannot hide in both: what it knows
comes from Astronomer's public documents, and what is inferred is said to be. It is not a replica: it knows one
organization's tokens, deployments and roles, checks no permission beyond "may read" and "may write", and never invents
a DAG. docs/emulator.md tells how to use it.
"""

from astro_emulator.places import SeedError
from astro_emulator.server import Emulator
from astro_emulator.store import Store

__all__ = ["Emulator", "SeedError", "Store"]
