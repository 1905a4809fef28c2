"""Assignments that exist, brought under Pulumi as they are: found, named, and written as a program and an import file.

Nothing here writes to the service. What a preview would refuse is left out here, with the preview's own words.
"""

from astro_provider.commands.adoption.doors import Door
from astro_provider.commands.adoption.files import IMPORT_FILE, PROGRAM_FILE, require_room, write, write_alone
from astro_provider.commands.adoption.find import Adoption, Found, find
from astro_provider.commands.adoption.program import program
from astro_provider.commands.adoption.project import PLUGIN, module_path, new_project
from astro_provider.commands.adoption.replaced import bindings_in
from astro_provider.commands.adoption.rows import ROWS_FILE, rows

__all__ = [
    "IMPORT_FILE",
    "PLUGIN",
    "PROGRAM_FILE",
    "ROWS_FILE",
    "Adoption",
    "Door",
    "Found",
    "bindings_in",
    "find",
    "module_path",
    "new_project",
    "program",
    "require_room",
    "rows",
    "write",
    "write_alone",
]
