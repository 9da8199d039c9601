"""The one exception that a person sees: a single sentence, printed without a traceback."""


class LabError(Exception):
    """What was attempted, on what, what happened, and what to try."""
