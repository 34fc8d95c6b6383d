"""Every binary, image and chart: which, from where, and proven to be the right bytes."""
