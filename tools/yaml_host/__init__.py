"""Pulumi's YAML language host, for the tests that run whole projects from a shell."""
