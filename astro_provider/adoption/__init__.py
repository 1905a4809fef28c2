"""Assignments that exist, brought under Pulumi as they are: found, named, and written as a program and an import file.

Nothing here writes to the service. What a preview would refuse is left out here, with the preview's own words.
"""

from astro_provider.adoption.doors import Door
from astro_provider.adoption.files import IMPORT_FILE, PROGRAM_FILE, require_room, write
from astro_provider.adoption.find import Adoption, Found, find
from astro_provider.adoption.program import program
from astro_provider.adoption.project import (
    PLUGIN,
    PROJECT_FILE,
    Project,
    module_path,
    names_plugin,
    new_project,
    project_of,
)
from astro_provider.adoption.replaced import bindings_in

__all__ = [
    "IMPORT_FILE",
    "PLUGIN",
    "PROGRAM_FILE",
    "PROJECT_FILE",
    "Adoption",
    "Door",
    "Found",
    "Project",
    "bindings_in",
    "find",
    "module_path",
    "names_plugin",
    "new_project",
    "program",
    "project_of",
    "require_room",
    "write",
]
