"""Respond to an incident: the steps, in order."""

from saveit_remediate.respond.auto import AUTO, respond_auto, summary
from saveit_remediate.respond.case import Surroundings
from saveit_remediate.respond.steps import respond
from saveit_remediate.respond.survey import Survey, survey

__all__ = ["AUTO", "Surroundings", "Survey", "respond", "respond_auto", "summary", "survey"]
