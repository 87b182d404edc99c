"""The starter model's examination: held-out sets, what counts as right, and floors to stand beside every figure."""
