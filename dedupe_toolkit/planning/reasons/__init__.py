"""Why a group is held back: a file for each reason."""
