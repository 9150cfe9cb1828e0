"""What is judged anew, replaced or erased."""
