"""The meaning of check, diff, create, read, update and delete, for one binding and for a table. Nothing here knows Pulumi."""
