"""Pictures of a network: as boxes and lines in a terminal, as SVG, as Mermaid, and as JSON. Pure."""
