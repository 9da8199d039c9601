"""`python -m saveit_remediate`."""

from saveit_remediate.cli import main

if __name__ == "__main__":
    main()
