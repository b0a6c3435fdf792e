"""The settings of the product: each page, who may open it, and what saving does."""

import datetime

import pytest
from django.urls import reverse

from core.journal import Change, Kind, Label, Operation, operation
from core.models import ExchangeRate, ListValue, Organisation
from core.reach import Scope
from core.undo import CannotUndo, preview_undo, undo
from leads.models import LeadStatus
from opportunities.models import Stage
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory
from tests.pages import send
from users.models import LastAdministrator, Role, Team, User
from users.services import save_team, save_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client, admin):
    """The client of an administrator."""
    client.force_login(admin)
    return client


PAGES = (
    "administration:index",
    "administration:user_list",
    "administration:user_create",
    "administration:team_list",
    "administration:team_create",
    "core:organisation_update",
    "core:access_update",
    "core:list_index",
    "core:exchangerate_list",
    "core:exchangerate_create",
    "leads:leadstatus_list",
    "leads:leadstatus_create",
    "opportunities:stage_list",
    "opportunities:stage_create",
)
PAGES_OF_ROWS = (
    ("administration:user_update", lambda: [User.objects.order_by("pk").first().pk]),
    ("administration:team_update", lambda: [Team.objects.order_by("pk").first().pk]),
    ("core:listvalue_list", lambda: ["industry"]),
    ("core:listvalue_create", lambda: ["industry"]),
    ("core:listvalue_update", lambda: ["industry", ListValue.objects.of("industry")[0].pk]),
    ("core:listvalue_remove", lambda: ["industry", ListValue.objects.of("industry")[0].pk]),
    ("leads:leadstatus_update", lambda: [LeadStatus.objects.order_by("pk").first().pk]),
    ("opportunities:stage_update", lambda: [Stage.objects.order_by("pk").first().pk]),
)


def addresses():
    yield from (reverse(page) for page in PAGES)
    yield from (reverse(page, args=args()) for page, args in PAGES_OF_ROWS)


def test_administrators_open_every_page_of_the_settings(office, team):
    for address in addresses():
        assert office.get(address).status_code == 200, address


FOR_MANAGERS = {"/settings/", "/settings/users/"}


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_nobody_else_opens_or_saves_settings(client, team, role):
    client.force_login(UserFactory(role=role))
    moves = [
        reverse("opportunities:stage_move", args=[Stage.objects.first().pk]),
        reverse("leads:leadstatus_move", args=[LeadStatus.objects.first().pk]),
        reverse("core:listvalue_move", args=[ListValue.objects.first().pk]),
    ]
    before = digest(journal=True, stamps=True)

    for address in addresses():
        opens = role == Role.MANAGER and address in FOR_MANAGERS
        assert client.get(address).status_code == (200 if opens else 403), address
        if opens:
            continue
        assert client.post(address, {"name": "Mine"}).status_code == 403, address
    for address in moves:
        assert client.post(address, {"place": "0"}).status_code == 403, address

    assert differences(before, digest(journal=True, stamps=True)) == {}


def test_the_rail_leads_administrators_to_the_settings(office):
    assert f'href="{reverse("administration:index")}"' in office.get("/").content.decode()


# -- the organisation -------------------------------------------------------------------------


def test_organisation_is_saved_by_its_form_and_can_be_undone(office, admin):
    response = send(
        office,
        reverse("core:organisation_update"),
        name="Fjord AS",
        fiscal_year_start_month="4",
        free_mail_domains="Gmail.com\n@web.de",
    )

    organisation = Organisation.objects.get()
    assert response.status_code == 303
    assert (organisation.name, organisation.fiscal_year_start_month) == ("Fjord AS", 4)
    assert organisation.free_mail_domains == ["gmail.com", "web.de"]
    undo(Operation.objects.order_by("pk").last(), by=admin)
    assert Organisation.objects.get().fiscal_year_start_month == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Mars/Olympus"),
        ("fiscal_year_start_month", "13"),
        ("default_currency", "XXX"),
        ("default_country", "Atlantis"),
        ("free_mail_domains", "somebody@gmail.com"),
        ("stale_days", "-1"),
        ("name", " "),
    ],
)
def test_organisation_refuses_what_it_cannot_be(office, field, value):
    before = digest(journal=True, stamps=True)

    response = send(office, reverse("core:organisation_update"), **{field: value})

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {field}
    assert differences(before, digest(journal=True, stamps=True)) == {}


def test_a_tighter_default_works_from_the_next_request_on_and_is_undone(
    office, client, admin, rep, stranger
):
    account = AccountFactory(owner=rep)
    page = reverse("core:access_update")

    response = send(office, page, account_read=Scope.OWN, account_edit=Scope.OWN)
    assert response.status_code == 303
    done = Operation.objects.order_by("-pk").first()
    client.force_login(stranger)
    assert client.get(account.get_absolute_url()).status_code == 404

    client.force_login(admin)
    assert client.get(account.get_absolute_url()).status_code == 200
    shown = client.get(reverse("core:operation", args=[done.pk])).content.decode()
    assert "accounts are seen by" in shown.lower()
    assert "Their owner and who stands above" in shown
    undo(done, by=admin)
    client.force_login(stranger)
    assert client.get(account.get_absolute_url()).status_code == 200


def test_nobody_edits_further_than_he_sees(office):
    page = reverse("core:access_update")

    response = send(office, page, lead_read=Scope.OWN, lead_edit=Scope.TEAM)

    assert response.status_code == 422
    (message,) = response.context["form"].errors["lead_edit"]
    assert message == "Nobody can edit what he can't see."
    assert Organisation.objects.get().lead_read == Scope.TEAM


@pytest.mark.parametrize("value", ["", "0", "4", "x"])
def test_a_default_is_one_of_three(office, value):
    response = send(office, reverse("core:access_update"), account_read=value)

    assert response.status_code == 422
    assert "account_read" in response.context["form"].errors


def test_organisation_page_says_in_which_quarter_today_lies(office):
    assert "Q" in office.get(reverse("core:organisation_update")).context["effects"][0]


def test_organisation_saved_over_a_newer_version_shows_both(office):
    page = reverse("core:organisation_update")
    Organisation.objects.update(name="Theirs")

    response = send(office, page, name="Mine", version="1")

    assert response.status_code == 409
    assert Organisation.objects.get().name == "Theirs"


# -- lists ------------------------------------------------------------------------------------


def test_a_new_value_is_stored_under_its_first_name_and_comes_last(office):
    page = reverse("core:listvalue_create", args=["industry"])

    assert send(office, page, label="Space").status_code == 303

    value = ListValue.objects.get(list_key="industry", value="Space")
    assert ListValue.values("industry")[-1] == value
    assert send(office, page, label="Space").context["form"].errors.keys() == {"label"}


def test_a_renamed_value_keeps_what_is_stored(office):
    value = ListValue.objects.get(list_key="industry", value="Banking")
    LeadFactory(industry="Banking")
    page = reverse("core:listvalue_update", args=["industry", value.pk])

    assert "In use: 1 lead." in office.get(page).content.decode()
    send(office, page, label="Banks")

    value.refresh_from_db()
    assert (value.value, value.label) == ("Banking", "Banks")


def test_a_value_of_another_list_is_not_found(office):
    value = ListValue.objects.get(list_key="industry", value="Banking")

    page = reverse("core:listvalue_update", args=["salutation", value.pk])

    assert office.get(page).status_code == 404
    assert office.get(reverse("core:listvalue_list", args=["no_such"])).status_code == 404


# -- order ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "place"), [(2, 1), (1, 2), (5, 0), (0, 9), (0, 0), (3, 99)])
def test_a_moved_stage_stands_at_its_place_and_goes_back_by_undo(office, admin, start, place):
    names = [stage.name for stage in Stage.everything()]
    stage = Stage.objects.get(name=names[start])
    wanted = [name for name in names if name != stage.name]
    wanted.insert(place, stage.name)

    for _time in range(2):
        office.post(reverse("opportunities:stage_move", args=[stage.pk]), {"place": place})

    assert [stage.name for stage in Stage.objects.order_by("position")] == wanted
    operations = Operation.objects.filter(label__message="Moved %(row)s in its list")
    if wanted != names:
        undo(operations.get(), by=admin)
    assert [stage.name for stage in Stage.objects.order_by("position")] == names


def test_moving_sorts_out_equal_positions(office):
    ListValue.objects.filter(list_key="salutation").update(position=0)
    rows = list(ListValue.objects.of("salutation"))

    office.post(reverse("core:listvalue_move", args=[rows[0].pk]), {"place": 1})

    assert list(ListValue.objects.of("salutation")) == [rows[1], rows[0], *rows[2:]]


@pytest.mark.parametrize("place", ["", "-1", "abc", "²"])
def test_a_place_that_is_none_is_refused(office, place):
    stage = Stage.objects.first()

    address = reverse("opportunities:stage_move", args=[stage.pk])

    assert office.post(address, {"place": place}).status_code == 400
    assert office.get(address).status_code == 405


# -- stages and statuses ----------------------------------------------------------------------


def test_a_new_probability_reaches_deals_only_if_that_is_ticked(office, rep):
    stage = Stage.objects.get(name="Qualification")
    deal = OpportunityFactory(stage=stage, owner=rep)
    by_hand = OpportunityFactory(
        stage=stage, owner=rep, probability=33, probability_overridden=True
    )
    page = reverse("opportunities:stage_update", args=[stage.pk])

    send(office, page, probability="15")
    deal.refresh_from_db()
    assert deal.probability == 10

    send(office, page, probability="20", apply="on")
    deal.refresh_from_db()
    by_hand.refresh_from_db()
    assert (deal.probability, by_hand.probability) == (20, 33)


def test_a_used_stage_cannot_become_closed(office, rep):
    deal = OpportunityFactory(owner=rep)

    page = reverse("opportunities:stage_update", args=[deal.stage_id])
    response = send(office, page, is_closed="on", is_won="on", probability="100",
                    forecast_category="CLOSED")  # fmt: skip

    assert response.status_code == 422
    assert "is_closed" in response.context["form"].errors


def test_the_last_active_stage_of_a_kind_stays(office):
    stage = Stage.first_won()
    page = reverse("opportunities:stage_update", args=[stage.pk])
    data = {"name": stage.name, "probability": "100", "forecast_category": "CLOSED",
            "is_closed": "on", "is_won": "on", "stale_after_days": "14"}  # fmt: skip

    response = office.post(page, data)

    assert response.context["form"].errors.keys() == {"is_active"}


def test_another_preset_status_takes_the_place_of_the_one_before(office):
    page = reverse("leads:leadstatus_create")

    response = send(office, page, name="Fresh", phase="OPEN", preset="on")
    assert response.status_code == 303, response.context["form"].errors

    assert LeadStatus.objects.get(is_default=True).name == "Fresh"


def test_a_used_status_keeps_its_phase(office):
    lead = LeadFactory()
    page = reverse("leads:leadstatus_update", args=[lead.status_id])

    response = send(office, page, phase="WORKING", preset="")

    assert "phase" in response.context["form"].errors


# -- exchange rates ---------------------------------------------------------------------------


def test_a_rate_is_read_in_the_users_format(office, admin):
    admin.locale = "de"
    admin.save()

    response = send(
        office,
        reverse("core:exchangerate_create"),
        currency="EUR",
        valid_from="2026-01-01",
        rate="0,9215",
    )

    assert response.status_code == 303
    rate = ExchangeRate.objects.get()
    assert (rate.valid_from, str(rate.rate.normalize())) == (datetime.date(2026, 1, 1), "0.9215")


@pytest.mark.parametrize(
    ("field", "value"),
    [("rate", "0"), ("rate", "1e400"), ("rate", "x"), ("valid_from", "2026-02-30"),
     ("currency", "ZZZ")],
)  # fmt: skip
def test_a_rate_that_is_none_is_refused_at_its_field(office, field, value):
    data = {"currency": "EUR", "valid_from": "2026-01-01", "rate": "0.9"} | {field: value}

    response = send(office, reverse("core:exchangerate_create"), **data)

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not ExchangeRate.objects.exists()


def test_a_second_rate_of_a_day_is_refused(office):
    rate = ExchangeRate.objects.create(currency="EUR", valid_from="2026-01-01", rate=1)
    assert office.get(reverse("core:exchangerate_update", args=[rate.pk])).status_code == 200

    data = {"currency": "EUR", "valid_from": "2026-01-01", "rate": "0.9"}
    response = send(office, reverse("core:exchangerate_create"), **data)

    assert response.status_code in (409, 422)
    assert ExchangeRate.objects.count() == 1


# -- users and teams --------------------------------------------------------------------------


def test_a_user_is_added_through_the_journal(office, admin, team):
    response = send(
        office,
        reverse("administration:user_create"),
        name="Noa New",
        email="Noa@Example.com",
        role="REP",
        team=str(team.pk),
        time_zone="Europe/Berlin",
    )

    user = User.objects.get(email="noa@example.com")
    assert response.status_code == 303
    assert (user.team, user.is_active, user.has_usable_password()) == (team, True, False)
    assert Change.objects.get(model="users.user", object_id=user.pk).operation.actor == admin


def test_a_user_is_edited_over_his_present_version_only(office, rep):
    page = reverse("administration:user_update", args=[rep.pk])

    assert send(office, page, name="Rae Renamed").status_code == 303
    response = send(office, page, name="Rae Again", version="1")

    rep.refresh_from_db()
    assert response.status_code == 422
    assert rep.name == "Rae Renamed"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Bell \x07", None),
        ("\u200b\u202e", None),
        ("  Zoe\u0308   Quinn ", "Zo\u00eb Quinn"),
        ("Ann\u202eeb", "Anneb"),
    ],
)
def test_names_of_people_and_teams_are_read_as_every_other_text(office, rep, team, typed, stored):
    pages = (
        (rep, reverse("administration:user_update", args=[rep.pk])),
        (team, reverse("administration:team_update", args=[team.pk])),
    )
    for row, page in pages:
        before = row.name

        response = send(office, page, name=typed)

        row.refresh_from_db()
        assert row.name == (stored or before)
        assert response.status_code == (303 if stored else 422)


def test_nobody_changes_his_own_role_or_locks_himself_out(office, admin):
    page = reverse("administration:user_update", args=[admin.pk])

    send(office, page, role="REP", grants="import", is_active="", name="Ada Again")

    admin.refresh_from_db()
    assert (admin.name, admin.role, admin.is_active) == ("Ada Again", Role.ADMIN, True)
    assert admin.grants == []


def test_administrators_give_grants_by_ticks_and_the_operators_view_too(office, rep):
    page = reverse("administration:user_update", args=[rep.pk])
    assert send(office, page, grants=["import", "export"]).status_code == 303
    rep.refresh_from_db()
    assert rep.grants == ["export", "import"]

    send(office, page, grants=["everything"])
    rep.refresh_from_db()
    assert rep.grants == ["export", "import"]

    send(office, reverse("admin:users_user_change", args=[rep.pk]), grants=["api"])
    rep.refresh_from_db()
    assert rep.grants == ["api"]


def test_a_manager_sets_role_and_team_of_his_people_on_their_page(client, manager, rep, stranger):
    client.force_login(manager)
    coast = Team.objects.create(name="Coast", parent=manager.team)
    listed = client.get(reverse("administration:user_list")).content.decode()
    page = reverse("administration:user_update", args=[rep.pk])

    response = send(client, page, role="SDR", team=str(coast.pk), name="Mine", grants="import")

    rep.refresh_from_db()
    assert response.status_code == 303
    assert (rep.role, rep.team, rep.name, rep.grants) == (Role.SDR, coast, "Rae Rep", [])
    assert "Rae Rep" in listed
    assert "Sam Stranger" not in listed
    assert send(client, page, role="ADMIN").status_code == 422
    for other in (stranger, manager):
        page = reverse("administration:user_update", args=[other.pk])
        assert client.get(page).status_code == client.post(page, {"role": "SDR"}).status_code == 403


def test_the_last_administrator_cannot_be_lost(admin):
    UserFactory(role=Role.ADMIN, is_active=False)
    admin.role = Role.MANAGER

    with pytest.raises(LastAdministrator):
        admin.check_last_admin()


def saved(row, *, by, **values):
    """The operation that saved a user or a team by the service of the settings pages."""
    row = type(row).objects.get(pk=row.pk)
    for name, value in values.items():
        setattr(row, name, value)
    with operation(Kind.EDIT, by=by, label=Label("Edited")) as op:
        (save_team if isinstance(row, Team) else save_user)(row, by=by)
    return op.row


def test_the_last_administrator_cannot_be_lost_by_an_undo(client, admin, rep):
    promoted = saved(rep, by=admin, role=Role.ADMIN)
    saved(admin, by=rep, role=Role.REP)
    rep.refresh_from_db()
    before = digest(journal=True, stamps=True)

    (plan,) = preview_undo(promoted, by=rep)
    assert [(f.model, f.object_id) for f in plan.in_the_way] == [("users.user", rep.pk)]
    with pytest.raises(CannotUndo):
        undo(promoted, by=rep)
    client.force_login(rep)
    page = client.get(reverse("core:undo", args=[promoted.pk])).content.decode()
    assert "Nobody changes his own rights." in page

    assert differences(before, digest(journal=True, stamps=True)) == {}
    other = UserFactory(role=Role.ADMIN)
    undo(promoted, by=other)
    assert list(User.objects.admins()) == [other]


def test_an_undo_puts_nobody_below_himself(admin, rep, manager, team):
    chief = UserFactory(role=Role.MANAGER)
    saved(manager, by=admin, manager=chief)
    freed = saved(manager, by=admin, manager=None)
    saved(chief, by=admin, manager=manager)
    above, below = Team.objects.create(name="Above"), Team.objects.create(name="Below")
    saved(below, by=admin, parent=above)
    moved = saved(below, by=admin, parent=None)
    saved(above, by=admin, parent=below)
    before = digest(journal=True, stamps=True)

    for op in (freed, moved):
        with pytest.raises(CannotUndo):
            undo(op, by=admin)

    assert differences(before, digest(journal=True, stamps=True)) == {}


def test_the_last_administrator_cannot_be_lost_by_the_operators_view(office, admin):
    page = reverse("admin:users_user_change", args=[admin.pk])

    response = send(office, page, role="REP")

    admin.refresh_from_db()
    assert admin.role == Role.ADMIN
    assert "last active administrator" in response.content.decode()


def test_one_of_two_administrators_can_become_somebody_else(office, admin):
    other = UserFactory(role=Role.ADMIN)

    send(office, reverse("administration:user_update", args=[other.pk]), role="REP")

    other.refresh_from_db()
    assert other.role == Role.REP


def test_a_team_cannot_stand_below_itself(office, team):
    below = Team.objects.create(name="Below", parent=team)

    response = send(
        office, reverse("administration:team_update", args=[team.pk]), parent=str(below.pk)
    )

    assert response.status_code == 422
    assert "parent" in response.context["form"].errors


def test_everybody_sets_his_own_zone_language_and_theme(client, rep):
    client.force_login(rep)

    response = send(
        client,
        reverse("administration:profile"),
        time_zone="Asia/Tokyo",
        locale="de",
        theme="dark",
        role="ADMIN",
        email="other@example.com",
    )

    rep.refresh_from_db()
    assert response.status_code == 303
    assert (rep.time_zone, rep.locale, rep.theme) == ("Asia/Tokyo", "de", "dark")
    assert (rep.role, rep.email) == (Role.REP, "rae@example.com")


@pytest.mark.parametrize("count", [1, 50])
def test_settings_lists_cost_the_same_for_one_row_and_for_fifty(
    office, django_assert_max_num_queries, count
):
    for number in range(count):
        team = Team.objects.create(name=f"Team {number}")
        UserFactory(team=team, manager=UserFactory())
        ListValue.objects.create(list_key="industry", value=f"I{number}", label=f"I{number}")

    for page in ("administration:user_list", "administration:team_list", "core:list_index"):
        with django_assert_max_num_queries(8):
            office.get(reverse(page))
