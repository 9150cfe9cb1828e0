"""What is worth an alert, and the words of it."""
