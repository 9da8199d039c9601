"""Save-It.AI's incident runbook, made executable."""
