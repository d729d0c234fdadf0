"""What earn rules keep beside the ledger: budgets of rules, and referrals."""
