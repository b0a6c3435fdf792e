"""The forms of people and of their relations with accounts."""
