"""The five products; none imports another."""
