"""Taking over what a host has already: its network cards with their addresses, its Linux bridges."""
