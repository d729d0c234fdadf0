"""Points: the accounts and lots that hold them, the entries that move them, and what both sum up to.

`ledger` posts every entry there is and keeps lots and balances in step; nothing else moves points.
"""
