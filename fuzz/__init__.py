"""Coverage-guided fuzzing of what reads other people's bytes: `python -m fuzz --help`."""
