"""Which parts of an image made a network say so: one file a method, found by name on use."""
