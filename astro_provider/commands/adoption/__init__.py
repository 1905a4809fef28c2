"""Existing assignments, brought under Pulumi as they are: found, named, and written as a program and an import file.

Nothing here writes to the service. An assignment that a preview would refuse is left out, with the preview's own words.
"""
