"""How well personal data is found: precision and recall by kind on a list made by hand."""
