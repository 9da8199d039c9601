"""What `lab/lab` is made of. Standard library only, Python 3.9 and later."""
