"""Bonds and LACP at work: what the model decides is carried out here."""
