"""The areas: what is compared, each in a file of its own, and the one list of them."""
