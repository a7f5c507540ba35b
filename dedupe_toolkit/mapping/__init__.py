"""The work tables of a merge: which row becomes which, and which groups are held back."""
