"""The demo: the quickstart example on the real Pulumi engine, against an Astro that runs on this machine."""
