"""A plan carried out: batches, each of them whole or not there at all."""
