"""The install check: tells a website's owner in words what is wrong."""
