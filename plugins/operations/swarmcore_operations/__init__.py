"""Operating a manager: routes of the manager, and commands that use them."""
