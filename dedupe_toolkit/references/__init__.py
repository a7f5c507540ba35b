"""What points at a row, and which unique rules its table has."""
