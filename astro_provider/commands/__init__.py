"""The command `astro-provider`: its options, tables and pages (`cli/`), adopting, and the diagnosis of an installation."""
