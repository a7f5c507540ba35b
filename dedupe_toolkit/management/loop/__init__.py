"""The loop from an unsafe call to a proven constraint, step by step. It only calls the verbs."""
