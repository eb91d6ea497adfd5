"""Exact counts of executed instructions, taken inside an emulated kernel whose clock counts them."""
