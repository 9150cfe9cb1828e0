"""What people's queries share, whichever engine answers."""
