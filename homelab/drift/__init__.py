"""What is no longer as declared: expectations beside facts, and the findings between them.

Pure functions, no I/O. ``areas/`` compare, ``catalogue.py`` says how bad each rule's finding is,
``forms/`` show findings to people and machines.
"""
