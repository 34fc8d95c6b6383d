"""Pure half of the toolkit: the site, the documents derived from it, artefacts, and the lab.

Nothing in this package imports pyinfra, so all of it can be tested without a machine.
"""
