"""How fast: traffic between two network namespaces, and what is said of it."""
