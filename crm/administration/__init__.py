"""The settings of the product in the product: what there is, and users and teams."""
