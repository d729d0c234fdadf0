"""All customers together over HTTP: metrics, cohorts, completeness."""
