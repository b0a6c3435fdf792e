"""
A sample organisation: Merrow Metering, which sells meters for energy and water to companies.

Everything in it is invented and drawn from one seed, so that it is the same each time, with
dates counted back from today. It is written through the services, as people would have done it.
"""

from crm.demo.loading import AlreadyLoaded, load, loaded_run
from crm.demo.people import PASSWORD

__all__ = ["PASSWORD", "AlreadyLoaded", "load", "loaded_run"]
