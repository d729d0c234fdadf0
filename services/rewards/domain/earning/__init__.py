"""Earning: the points that events, orders, milestones and referrals give, and what refunds take back of them.

`earn` applies the earn rules and `orders` follows an order through refunds and cancellations; `limits`, `caps` and
`budgets` bound how often and how much a rule gives.
"""
