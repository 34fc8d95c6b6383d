"""What the chapters of the end-to-end suite have in common, by subject."""
