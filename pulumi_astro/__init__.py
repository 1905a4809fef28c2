"""The native door under the name by which Pulumi's generated code imports a package called `astro`.

`pulumi convert`, `pulumi import` and the examples of the schema write `import pulumi_astro`; with this package that import
works and leads to `astro_provider.native`. There is nothing of its own here.
"""

from astro_provider.native import *  # noqa: F403  all of it, and nothing else
from astro_provider.native import __all__ as __all__
