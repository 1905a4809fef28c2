"""The native provider, for the engine that has made this folder a plugin (docs/languages.md)."""

from astro_provider.engine.plugin.serving import main

main()
