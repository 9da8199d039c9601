"""The kinds of channels that come with us, one file each; they are found by entry point, see `kind.py`."""
