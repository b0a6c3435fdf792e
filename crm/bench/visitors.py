"""
What locust runs: people who look at records, edit them and convert leads.

The plan, written by ``crm.bench.load``, gives each visitor a session and records of their own, so
that no two overwrite each other. A redirect is counted as a page of its own.
"""

import json
import os
import random
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from locust import FastHttpUser, between, task

from crm.bench.sending import values_of

PLAN = json.loads(Path(os.environ["LOAD_PLAN"]).read_text())
VISITORS = iter(PLAN["visitors"])
NUMBERS = count(1)
CSRF = "c" * 32


class Visitor(FastHttpUser):
    """One of the people who work at the same time; of what they do, 70 % looks, 5 % converts."""

    wait_time = between(*PLAN["pause"])
    network_timeout = connection_timeout = 30

    def on_start(self):
        self.own = next(VISITORS)
        cookies = {**self.own["cookies"], PLAN["csrf_cookie"]: CSRF}
        self.headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-Forwarded-Proto": PLAN["scheme"],  # the proxy's part
            "Accept-Encoding": "gzip",
        }

    def look(self, name, path):
        """Open a page; anything but 200 is an error."""
        with self.client.get(
            path, name=name, headers=self.headers, allow_redirects=False, catch_response=True
        ) as response:
            if response.status_code != 200:
                response.failure(f"status {response.status_code}")
            return response.text or ""

    def send(self, name, path, **changes):
        """Open a form, send it with changes and follow its redirect; else it is an error."""
        values = values_of(self.look(f"{name}: form", path)) | changes
        if "csrfmiddlewaretoken" not in values:
            return
        with self.client.post(
            path,
            urlencode(values, doseq=True),
            name=f"{name}: save",
            headers={
                **self.headers,
                "Content-Type": "application/x-www-form-urlencoded",
                "Referer": f"{PLAN['origin']}{path}",
            },
            allow_redirects=False,
            catch_response=True,
        ) as response:
            if response.status_code != 303:
                response.failure(f"status {response.status_code}")
                return
        self.look(f"{name}: page after", response.headers["Location"])

    def one_of(self, kind):
        return random.choice(self.own[kind])

    # -- looking, 70 of 100 -------------------------------------------------------------------

    @task(8)
    def open_start_page(self):
        self.look("start page", "/")

    @task(12)
    def list_leads(self):
        self.look("list of leads", "/leads/")

    @task(6)
    def list_deals(self):
        self.look("list of deals", "/opportunities/")

    @task(6)
    def filter_leads(self):
        self.look("list of leads, filtered", "/leads/?source=Web&score=20")

    @task(8)
    def search_leads(self):
        self.look("list of leads, searched", f"/leads/?q={self.one_of('words')}")

    @task(6)
    def search(self):
        self.look("search over everything", f"/search/?q={self.one_of('words')}")

    @task(12)
    def look_at_lead(self):
        self.look("lead", f"/leads/{self.one_of('leads')}/")

    @task(4)
    def look_at_account(self):
        self.look("account", f"/accounts/{self.one_of('accounts')}/")

    @task(4)
    def look_at_contact(self):
        self.look("contact", f"/contacts/{self.one_of('contacts')}/")

    @task(4)
    def look_at_deal(self):
        self.look("deal", f"/opportunities/{self.one_of('deals')}/")

    # -- writing ------------------------------------------------------------------------------

    @task(17)
    def edit_lead(self):
        path = f"/leads/{self.one_of('leads')}/edit/"
        self.send("edit a lead", path, description=f"Called, number {next(NUMBERS)}.")

    @task(8)
    def edit_contact(self):
        path = f"/contacts/{self.one_of('contacts')}/edit/"
        self.send("edit a contact", path, description=f"Called, number {next(NUMBERS)}.")

    @task(5)
    def convert(self):
        if self.own["to_convert"]:
            self.send("convert a lead", f"/leads/{self.own['to_convert'].pop()}/convert/")
