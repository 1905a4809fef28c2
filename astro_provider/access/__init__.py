"""The access of tokens to deployments, and the changes that a run of Pulumi makes to it.

People review access, not resources: a rename, a move between components or a replacement of the same binding is no
change. This wing knows neither an engine nor a service. Its inputs are texts (a preview's digest, a stack's export) and
facts, its outputs are rows and pages.
"""
