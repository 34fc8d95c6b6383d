"""Bonds as they are, held against the site, in words and drawn for a person.

Pure: what was read comes from :mod:`facts.bonds`, and is known here by its type only.
"""
