"""The version, in the one place that packaging, the User-Agent and `--version` read it from, and Pulumi's oldest."""

__version__ = "0.1.0"

# Of the SDK, which pyproject.toml asks for, and of the command, which should not be older than the SDK.
OLDEST_PULUMI = (3, 260, 0)
