"""Operating a running manager: routes that a manager serves, and commands that ask them."""
