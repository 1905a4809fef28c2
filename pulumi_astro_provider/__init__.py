"""The mark by which a Pulumi language host sees that there is no plugin to download; there is nothing else to import here.

Pulumi's Python language host takes every installed distribution whose name begins with `pulumi-` for the SDK of a plugin
of that name, and downloads the plugin, unless the module that is named like the distribution holds a
`pulumi-plugin.json` with `"resource": false`. Our distribution is `pulumi-astro-provider`, and programs import
`astro_provider`, where the file would not be looked for. Without this module `pulumi install` fails, and every preview
tries the download twice. The native provider is no download either: its executable, `pulumi-resource-astro`, comes with the
package.
"""
