"""Which rows a merge moves, and what they point at afterwards."""
