"""The pages of deals, of their way through the stages and of the people who decide."""
