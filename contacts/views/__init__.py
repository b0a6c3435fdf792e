"""The pages of people and of their relations with accounts."""
