"""The forms of deals, of their way through the stages and of the people who decide."""
