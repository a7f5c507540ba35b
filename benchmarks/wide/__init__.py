"""A large schema: one model that many tables point at, and as many that do not."""
