"""The HTTP contract, one file a concept. Routes hold no SQL and no rule."""
