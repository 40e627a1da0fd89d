"""What the bench of health is made of: a company, and the other ways to compute its scores."""
