"""The Astro API over HTTP: the only package that knows the service's paths, pages, errors and retries.

It refuses to know what a binding is: it reads and writes what the service has, whole.
"""

from astro_provider.astro.api.client import AstroClient, OrganizationClient
from astro_provider.astro.api.models import ApiToken, ApiTokenRole, Deployment, Organization, Role, SubjectRoles

__all__ = [
    "ApiToken",
    "ApiTokenRole",
    "AstroClient",
    "Deployment",
    "Organization",
    "OrganizationClient",
    "Role",
    "SubjectRoles",
]
