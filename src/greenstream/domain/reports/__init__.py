"""What GreenStream answers: frozen values. The reference page of JSON is made from the meanings of their fields."""
