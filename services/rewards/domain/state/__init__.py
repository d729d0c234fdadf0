"""State: what rewards keeps of a customer, as plain data. Decisions (beside this folder) read it and change it.

A `member` holds the rest: `lots` and `accounts` of points, `purchases` with their `baskets`, `redemptions`, `runs` of
campaigns. `budgets` belong to all customers together. `messages` and `referral_notes` are noted as they are told.
"""
