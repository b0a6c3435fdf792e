import csv
import json
import os
import subprocess
import sys

import pytest
from django.test import Client

from crm.bench.filling import fill
from crm.bench.load import HOST, Row, plan_for, row_of, table_of_load
from leads.models import Lead

SUM = {"requests": 100, "median": 20, "p99": 400, "name": "all"}


@pytest.mark.django_db(transaction=True)
def test_visitors_work_with_records_of_their_own(settings):
    settings.ALLOWED_HOSTS = [HOST]
    filling = fill(2000)

    plan = plan_for(filling, users=25, port=8089)

    assert json.loads(json.dumps(plan)) == plan
    assert len(plan["visitors"]) == 25
    converted = [pk for visitor in plan["visitors"] for pk in visitor["to_convert"]]
    assert len(converted) == len(set(converted)) > 25
    first = plan["visitors"][0]
    mine = Lead.objects.visible_to(filling.owners[0], verb="edit")
    assert mine.filter(pk__in=first["leads"]).count() == len(first["leads"]) > 0
    client = Client(SERVER_NAME=HOST)
    client.cookies.load(first["cookies"])
    assert client.get(f"/leads/{first['leads'][0]}/").status_code == 200


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"errors": 0, "p95": 300, "a_second": 40}, "met"),
        ({"errors": 1, "p95": 300, "a_second": 40}, "missed"),
        ({"errors": 0, "p95": 301, "a_second": 40}, "missed"),
        ({"errors": 0, "p95": 300, "a_second": 39.9}, "missed"),
    ],
)
def test_the_goal_is_asked_of_the_sum(found, said):
    *_rows, last = table_of_load([Row(**SUM | found)])

    assert last.endswith(said + ".")


def test_figures_are_read_as_they_are_written():
    text = (
        "Type,Name,Request Count,Failure Count,50%,95%,99%,Requests/s\n"
        "GET,lead,12,1,20,35,N/A,1.5\n,Aggregated,12,1,20,35,80,1.5\n"
    )

    lead, all_ = map(row_of, csv.DictReader(text.splitlines()))

    assert lead == Row("lead", 12, 1, 20, 35, 0, 1.5)
    assert (all_.name, all_.p99) == ("all", 80)


def test_most_visitors_look_and_few_convert(tmp_path):
    """Asked in a process of its own, for locust changes the one that it is in."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"visitors": [], "pause": [1, 2]}))
    code = (
        "from collections import Counter; from crm.bench.visitors import Visitor; import json;"
        "print(json.dumps(Counter(task.__name__ for task in Visitor.tasks)))"
    )

    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"LOAD_PLAN": str(plan)},
        capture_output=True,
        text=True,
    )

    times = json.loads(told.stdout)
    writes = {"edit_lead", "edit_contact", "convert"}
    assert sum(times.values()) == 100
    assert sum(n for name, n in times.items() if name not in writes) == 70
    assert times["convert"] == 5
