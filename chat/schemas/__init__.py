"""What crosses the wire: requests refuse unknown fields, responses hold exactly the contract's names."""
