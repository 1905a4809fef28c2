"""The ratchet of prose."""
