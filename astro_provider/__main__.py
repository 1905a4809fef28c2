"""`python -m astro_provider`: the command `astro-provider`, if its script is not on PATH."""

from __future__ import annotations

from astro_provider.commands.cli import app

app(prog_name="astro-provider")
