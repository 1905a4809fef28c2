"""An Astro, writers and whole runs without sockets, threads or waiting."""
