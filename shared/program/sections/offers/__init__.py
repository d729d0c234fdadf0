"""The sections `offers` and `rewards`, and the gifts and terms that both have."""
