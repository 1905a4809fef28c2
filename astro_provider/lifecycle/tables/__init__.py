"""Many bindings as one resource: a table of who has which role where.

    program's roles -> values.py (entries, each with its place)
                    -> examining.py (names and ids become things; what is right, what contradicts)
                    -> plan.py (which changes go to which token)
                    -> lifecycle.py (check, diff, create, read, update, delete)

It refuses to do half of a table: everything is examined before anything is written, and if a write fails after others went
through, those are taken back. It never takes a role that the preview has not shown: entries of the table itself stand in
`roles`, and those of strangers, with `exclusive`, in `removes`. Roles are written by `writing/` alone.
"""
