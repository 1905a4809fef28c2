"""Astro organization API tokens bound to Deployments, as a Pulumi resource."""

from astro_provider.binding import DeploymentOrgTokenBinding, DeploymentOrgTokenBindingArgs
from astro_provider.version import __version__

__all__ = ["DeploymentOrgTokenBinding", "DeploymentOrgTokenBindingArgs", "__version__"]
