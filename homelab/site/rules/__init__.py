"""The rules of a site: one file per subject, one function per rule; ``validate.py`` runs them."""
