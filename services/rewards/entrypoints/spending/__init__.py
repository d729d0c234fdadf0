"""What a checkout asks: previews, points, codes and rewards."""
