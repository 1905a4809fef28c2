"""Who may touch which deployment, and what a run of Pulumi changes about it.

People review access, not resources: a rename, a move between components or a replacement of the same binding is no
change. This room knows neither an engine nor a service. It is given texts (a preview's digest, a stack's export) and
facts, and hands out rows and pages.
"""
