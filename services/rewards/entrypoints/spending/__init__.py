"""What a checkout asks: previews, points, codes and rewards, and what it was refused."""
