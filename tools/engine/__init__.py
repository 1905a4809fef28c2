"""The Pulumi engine for the demo, the tests and the bench."""
