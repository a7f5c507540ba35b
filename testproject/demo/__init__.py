"""The whole story on real films: audit, race, find, merge, constrain, race again, prove."""
