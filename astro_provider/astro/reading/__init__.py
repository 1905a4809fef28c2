"""Shared reads: one call serves many bindings. What is read here is never the base of a write."""
