"""The native door: the executable `pulumi-resource-astro`, which any program of Pulumi can use, in whatever language.

It leads to the same lifecycles as the dynamic door (`provider.py`). `serving.py` is the process, `servicer.py` hands the
engine's calls in and the answers out, `properties.py` translates bags and names, `configuration.py` finds the settings,
`detailed.py` says what differs, `previewed.py` what a preview can tell, `functions.py` what a program can ask, and
`schema.json` says what there is.
"""
