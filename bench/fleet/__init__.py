"""Growth of a no-op with the number of hosts: hosts, their site, and a deploy of their files."""
