"""What exptrack costs, measured."""
