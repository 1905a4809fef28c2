"""Stop a preview or an update that breaks a rule of `access.toml`."""

from pathlib import Path

from astro_provider.policy import serve

serve(Path(__file__).with_name("access.toml"))
