"""A host's network as a file: what it describes, how that differs from what is, and its picture."""
