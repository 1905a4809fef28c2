"""Many bindings as one resource: a table of the roles that tokens have in deployments.

It refuses to do half of a table: everything is examined before anything is written, and if a write fails after others went
through, those are taken back. It never takes a role that the preview has not shown: entries of the table itself stand in
`roles`, and those of tokens outside an exclusive table in `removes`.
"""
