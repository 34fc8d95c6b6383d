"""What a cluster looks like from outside while it is being hurt.

Each probe is a process of its own that does one thing at a steady pace and writes one JSON line
per attempt; ``python -m homelab.probe --help`` lists them. ``figures`` turns those lines into
seconds of outage, ``timeline`` into a picture, ``results`` into JSON and a Markdown table.
"""
