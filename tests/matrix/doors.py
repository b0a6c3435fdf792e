"""
Every route and method, with what it asks of whoever comes: one line a door.

``asks`` is either one of the words below or a verb of the tables and the record that it is about.
Whoever may not see that record is told that there is none (404), whoever lacks the verb that he
may not (403). Nobody who is not signed in gets further than the log-in.

Three verbs are asked for by more than one cell: ``answer``, which is for the one to whom a lead was
handed over and leads others back to the lead; ``relate``, for which either end is enough, so that
the page opens to whoever may edit any; and ``move``, which asks for both ends when it is done.
"""

from dataclasses import dataclass

OPEN = "everybody"  # signed in or not
SIGNED_IN = "signed in"  # shows or changes nothing but what is the user's own
SETTINGS = "administrators"
PEOPLE = "leaders"  # administrators, and managers for their teams
MINE = "owner"  # the user's own alone, for others there is none
OPERATORS = "operators"  # Django admin

DOORS = """
    account_change_password                     GET POST  signed in
    account_confirm_email                       GET POST  everybody
    account_email                               GET POST  signed in
    account_invitation                          GET POST  everybody
    account_login                               GET POST  everybody
    account_logout                              POST      everybody
    account_reauthenticate                      GET POST  signed in
    account_reset_password                      GET POST  everybody
    account_reset_password_done                 GET       everybody
    account_reset_password_from_key             GET POST  everybody
    account_reset_password_from_key_done        GET       everybody
    account_sessions                            GET       signed in
    account_sessions_end                        POST      signed in
    account_set_password                        GET POST  signed in
    mfa_activate_totp                           GET POST  signed in
    mfa_add_webauthn                            GET POST  signed in
    mfa_authenticate                            GET POST  everybody
    mfa_deactivate_totp                         GET POST  owner of key
    mfa_download_recovery_codes                 GET       owner of key
    mfa_edit_webauthn                           GET POST  owner of key
    mfa_generate_recovery_codes                 GET POST  signed in
    mfa_index                                   GET       signed in
    mfa_list_webauthn                           GET       signed in
    mfa_login_webauthn                          GET POST  everybody
    mfa_reauthenticate                          GET POST  signed in
    mfa_reauthenticate_webauthn                 GET POST  signed in
    mfa_remove_webauthn                         GET POST  owner of key
    mfa_view_recovery_codes                     GET       owner of key

    home                                        GET       signed in
    core:keyboard                               GET       signed in
    core:search                                 GET       signed in
    core:picker                                 GET       signed in
    core:pinned                                 GET       signed in
    core:history                                GET       signed in
    core:recycle_bin                            GET       signed in
    core:seen                                   POST      view lead
    core:operation                              GET       view operation
    core:undo                                   GET POST  undo operation
    core:restore                                POST      restore archived lead
    core:savedview_create                       GET POST  list lead
    core:savedview_update                       GET POST  owner of view
    core:savedview_delete                       GET POST  owner of view
    core:choose                                 POST      choose lead
    core:batch                                  GET POST  owner of started batch
    core:batch_verb                             GET POST  owner of batch

    accounts:account_list                       GET       list account
    accounts:account_create                     GET POST  create account
    accounts:account_detail                     GET       view account
    accounts:account_history                    GET       view account
    accounts:account_tree                       GET       view account
    accounts:account_update                     GET POST  edit account
    accounts:account_move                       GET POST  edit account
    accounts:account_top                        GET POST  edit account
    accounts:account_copy_billing               GET POST  edit account
    accounts:account_assign                     GET POST  assign account
    accounts:account_archive                    GET POST  archive account
    accounts:account_sharing                    GET       view account
    accounts:account_share                      GET POST  share account
    accounts:accountshare_update                GET POST  share account share
    accounts:accountshare_end                   GET POST  share account share

    contacts:contact_list                       GET       list contact
    contacts:contact_create                     GET POST  create contact
    contacts:contact_detail                     GET       view contact
    contacts:contact_history                    GET       view contact
    contacts:contact_update                     GET POST  edit contact
    contacts:contact_assign                     GET POST  assign contact
    contacts:contact_archive                    GET POST  archive contact
    contacts:contact_account                    GET POST  move contact
    contacts:contact_job_change                 GET POST  move contact
    contacts:plannedjobchange_cancel            GET POST  edit plan
    contacts:relation_create                    GET POST  relate contact
    contacts:relation_update                    GET POST  edit relation
    contacts:relation_main                      GET POST  move relation
    contacts:relation_primary                   GET POST  move relation
    contacts:relation_end                       GET POST  edit relation
    contacts:relation_remove                    GET POST  edit relation
    contacts:contact_sharing                    GET       view contact
    contacts:contact_share                      GET POST  share contact
    contacts:contactshare_update                GET POST  share contact share
    contacts:contactshare_end                   GET POST  share contact share

    leads:lead_list                             GET       list lead
    leads:lead_create                           GET POST  create lead
    leads:lead_detail                           GET       view lead
    leads:lead_history                          GET       view lead
    leads:lead_conversion                       GET       view converted lead
    leads:lead_update                           GET POST  edit lead
    leads:lead_status                           GET POST  edit lead
    leads:lead_disqualify                       GET POST  edit lead
    leads:lead_nurture                          GET POST  edit lead
    leads:lead_reopen                           GET POST  edit dead lead
    leads:lead_assign                           GET POST  assign lead
    leads:lead_rules                            GET POST  assign lead
    leads:lead_hand_over                        GET POST  assign accepted lead
    leads:lead_accept                           GET POST  answer lead
    leads:lead_return                           GET POST  answer lead
    leads:lead_archive                          GET POST  archive lead
    leads:lead_convert                          GET POST  convert lead
    leads:lead_convert_plan                     POST      convert lead
    leads:lead_sharing                          GET       view lead
    leads:lead_share                            GET POST  share lead
    leads:leadshare_update                      GET POST  share lead share
    leads:leadshare_end                         GET POST  share lead share

    opportunities:opportunity_list              GET       list deal
    opportunities:opportunity_create            GET POST  create deal
    opportunities:opportunity_detail            GET       view deal
    opportunities:opportunity_history           GET       view whole deal
    opportunities:opportunity_update            GET POST  edit deal
    opportunities:opportunity_stage             GET POST  change_stage deal
    opportunities:opportunity_won               GET POST  change_stage deal
    opportunities:opportunity_lost              GET POST  change_stage deal
    opportunities:opportunity_reopen            GET POST  reopen closed deal
    opportunities:opportunity_assign            GET POST  assign deal
    opportunities:opportunity_archive           GET POST  archive deal
    opportunities:role_create                   GET POST  edit deal
    opportunities:role_update                   GET POST  edit role
    opportunities:role_primary                  GET POST  edit role
    opportunities:role_remove                   GET POST  edit role
    opportunities:opportunity_sharing           GET       view whole deal
    opportunities:opportunity_share             GET POST  share deal
    opportunities:opportunityteammember_update  GET POST  share deal share
    opportunities:opportunityteammember_end     GET POST  share deal share

    administration:index                        GET       leaders
    administration:profile                      GET POST  signed in
    administration:first_steps_hide             POST      signed in
    administration:audit                        GET       administrators
    administration:audit_export                 POST      administrators
    administration:user_list                    GET       leaders
    administration:user_create                  GET POST  administrators
    administration:user_update                  GET POST  administrators
    administration:user_invite                  GET POST  administrators
    administration:user_activate                GET POST  administrators
    administration:user_deactivate              GET POST  administrators
    administration:team_list                    GET       administrators
    administration:team_create                  GET POST  administrators
    administration:team_update                  GET POST  administrators
    administration:sample_data                  GET POST  administrators
    core:access_update                          GET POST  administrators
    core:organisation_update                    GET POST  administrators
    core:list_index                             GET       administrators
    core:listvalue_list                         GET       administrators
    core:listvalue_create                       GET POST  administrators
    core:listvalue_update                       GET POST  administrators
    core:listvalue_move                         POST      administrators
    core:listvalue_remove                       GET POST  administrators
    core:exchangerate_list                      GET       administrators
    core:exchangerate_create                    GET POST  administrators
    core:exchangerate_update                    GET POST  administrators
    leads:leadstatus_list                       GET       administrators
    leads:leadstatus_create                     GET POST  administrators
    leads:leadstatus_update                     GET POST  administrators
    leads:leadstatus_move                       POST      administrators
    leads:assignmentrule_list                   GET       administrators
    leads:assignmentrule_create                 GET POST  administrators
    leads:assignmentrule_update                 GET POST  administrators
    leads:assignmentrule_move                   POST      administrators
    leads:assignmentrule_try                    GET       administrators
    leads:queue_list                            GET       administrators
    leads:queue_create                          GET POST  administrators
    leads:queue_update                          GET POST  administrators
    leads:queuemember_list                      GET       administrators
    leads:queuemember_create                    GET POST  administrators
    leads:queuemember_update                    GET POST  administrators
    leads:queuemember_move                      POST      administrators
    leads:queuemember_remove                    GET POST  administrators
    opportunities:stage_list                    GET       administrators
    opportunities:stage_create                  GET POST  administrators
    opportunities:stage_update                  GET POST  administrators
    opportunities:stage_move                    POST      administrators

    admin:logout                                GET POST  signed in
    admin:password_change                       GET POST  signed in
    admin:*                                     GET POST  operators
"""

# The objects of the tables behind what a line names.
THINGS = {
    "account": "account",
    "contact": "contact",
    "plan": "contact",
    "lead": "lead",
    "converted lead": "lead",
    "dead lead": "lead",
    "accepted lead": "lead",
    "archived lead": "lead",
    "operation": "lead",
    "deal": "opportunity",
    "whole deal": "opportunity",
    "closed deal": "opportunity",
    "role": "opportunity",
    "relation": "contact",
    "key": "",
    "account share": "account",
    "contact share": "contact",
    "lead share": "lead",
    "deal share": "opportunity",
    "view": "",
    "batch": "account",
    "started batch": "account",
}


@dataclass(frozen=True)
class Door:
    """One line: the methods of a route, the verb or word that it asks for, and the record."""

    route: str
    methods: tuple
    verb: str
    what: str = ""

    @property
    def thing(self):
        """The object of the tables; "" if no record is asked for."""
        return THINGS.get(self.what, "")


def _door(line):
    name, *rest = line.split()
    methods = tuple(word for word in rest if word in ("GET", "POST"))
    asks = " ".join(rest[len(methods) :])
    if asks in (OPEN, SIGNED_IN, SETTINGS, PEOPLE, OPERATORS):
        return Door(name, methods, asks)
    verb, _blank, what = asks.removeprefix("owner of ").partition(" ")
    if asks.startswith("owner of "):
        return Door(name, methods, MINE, asks.removeprefix("owner of "))
    return Door(name, methods, verb, what)


ROWS = {door.route: door for door in map(_door, filter(str.strip, DOORS.splitlines()))}


def door_of(route):
    """The line of a route; None if it has none."""
    return ROWS.get(route.name) or (ROWS["admin:*"] if route.is_admin else None)
