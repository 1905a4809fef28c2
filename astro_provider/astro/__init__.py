"""The service: its facts, the shared reads, the only road of writes, and its HTTP. `reading/` and `writing/` do not meet."""
