"""Respond to an incident: the steps, in order."""

from saveit_remediate.respond.steps import Surroundings, respond

__all__ = ["Surroundings", "respond"]
