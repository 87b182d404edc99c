"""Programs that are called back."""
