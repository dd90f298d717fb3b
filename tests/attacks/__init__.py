"""Known attacks, each by its name, and each refused."""
