"""`saveit-remediate rbac`: the least that an account in the cluster must be allowed. Asks no cluster."""

from __future__ import annotations

from typing import Any

import click

from saveit_remediate.cli.completion import complete_incident
from saveit_remediate.cli.target import prepare, target_options

_ANY_HOST = "localhost,"  # with a namespace no inventory is needed


@click.command()
@click.argument("incidents", nargs=-1, metavar="[INCIDENT]...", shell_complete=complete_incident)
@click.option("--namespace", metavar="NAME", help="Instead of the inventory's kubernetes_namespace.")
@click.option(
    "--service-account",
    default="saveit-remediate",
    show_default=True,
    metavar="[NAMESPACE:]NAME",
    help="Whom the Role is for.",
)
@click.option(
    "--name", default="saveit-remediate", show_default=True, metavar="NAME", help="What the Role is called."
)
@target_options
def rbac(
    incidents: tuple[str, ...], namespace: str | None, service_account: str, name: str, **options: Any
) -> int:
    """Print the least-privilege Role for runbooks, as YAML for the cluster.

    INCIDENT is an incident type, or one of status, errors, db and debug. Without one it is for all incident
    types, which is enough for status, errors and db too; debug needs more.
    """
    import yaml

    from saveit_remediate.errors import UsageError
    from saveit_remediate.report.document import dump
    from saveit_remediate.report.text import clean
    from saveit_remediate.respond import look

    variables: dict[str, Any] = {
        "look_runbooks": list(incidents),
        "look_service_account": service_account,
        "look_role_name": name,
    }
    if namespace is not None:
        variables |= {"kubernetes_namespace": namespace, "platform": "kubernetes"}
        options["inventory"] = options["inventory"] or _ANY_HOST
    request, settings, world, _result = prepare("rbac", options)
    found = look("rbac", _known(variables, world), request, settings, world)
    if found.unseen:
        raise UsageError("; ".join(dict.fromkeys(clean(one.sentence) for one in found.unseen)))
    if options["as_json"]:
        click.echo(dump({"manifests": found.manifests}))
    else:
        click.echo(yaml.safe_dump_all(found.manifests, explicit_start=True, sort_keys=False), nl=False)
    return 0


def _known(variables: dict[str, Any], world: Any) -> dict[str, Any]:
    """Aliases of incident types become their ids; commands stay what they are."""
    from saveit_remediate.catalog import find

    commands = ("status", "errors", "db", "debug")
    names = [
        name if name in commands else find(world.catalog, name).id for name in variables["look_runbooks"]
    ]
    return {**variables, "look_runbooks": names}
