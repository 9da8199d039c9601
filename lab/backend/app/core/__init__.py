"""Where the real backend keeps its engine, so that the runbook's one-liner works here too."""
