"""The catalog of incident types: each is a folder of the collection; nothing here knows one by name."""

from saveit_remediate.catalog.extra_vars import check_extra_vars, parse_extra_vars
from saveit_remediate.catalog.find import Catalog, find, load, load_all, load_parameters, open_catalog
from saveit_remediate.catalog.playbooks import Playbook, choose_playbook
from saveit_remediate.catalog.policy import Policy, load_policy
from saveit_remediate.catalog.schema import RISKS, Criterion, Parameter, Remedy, Runbook, Verify

__all__ = [
    "RISKS",
    "Catalog",
    "Criterion",
    "Parameter",
    "Playbook",
    "Policy",
    "Remedy",
    "Runbook",
    "Verify",
    "check_extra_vars",
    "choose_playbook",
    "find",
    "load",
    "load_all",
    "load_parameters",
    "load_policy",
    "open_catalog",
    "parse_extra_vars",
]
