"""The command `astro-provider`: its options and tables (`cli/`), adopting, and the diagnosis of an installation."""
