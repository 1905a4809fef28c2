"""A program declares bindings and tables here, and asks which tokens a deployment has. Only this wing builds resources."""
