"""Which value each field of the survivor gets."""
