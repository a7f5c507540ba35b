"""What a person looks at and decides: rows side by side, a preview, a verdict."""
