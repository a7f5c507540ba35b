"""The whole story on real films: race, find, merge, constrain, race again."""
