"""Points that no rule gave (adjustments, opening balances), and the proof that the whole ledger agrees."""
