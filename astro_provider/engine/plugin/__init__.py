"""The native door: the executable `pulumi-resource-astro`, for a program of Pulumi in any language.

It leads to the same lifecycles as the dynamic door (`provider.py`):

    serving.py         the process
    servicer.py        the engine's calls and their answers
    properties.py      property bags
    configuration.py   the settings
    detailed.py        the places that differ, in a diff
    previewed.py       the outputs of a preview
    functions.py       the functions that a program can call
    schema.json        the resources, functions and settings, for the SDKs of all languages
"""
