"""Shows the race of ``get_or_create`` on a copy of a table, and the constraint that ends it."""
