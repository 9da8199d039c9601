"""Respond to an incident: the steps, in order."""

from saveit_remediate.respond.case import Surroundings
from saveit_remediate.respond.steps import respond

__all__ = ["Surroundings", "respond"]
