"""How the starter model is made: data, tokenizer, training and its evaluation. Nothing here runs in production."""
