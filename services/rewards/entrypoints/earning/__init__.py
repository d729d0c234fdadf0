"""What earn rules keep beside the ledger, over HTTP: budgets of rules, and referrals."""
