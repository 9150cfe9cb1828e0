"""What the use-cases need from the outside. Adapters fit these; `wiring` chooses them."""
