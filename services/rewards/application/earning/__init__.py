"""What earn rules give later: referrals, once the first order has been kept."""
