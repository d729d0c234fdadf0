"""Why a score is what it is: its parts and weights, the events behind them, what changed it, what would raise it."""
