"""What the people one follows did."""
