"""How the lab's artefacts are made out of Debian's packages: no other download."""
