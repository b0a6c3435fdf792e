"""
Which column fills which field: the names that files give them, kind by kind.

A header is compared without case, accents, blanks and punctuation. Salesforce's export names,
other programs' and German ones stand side by side; a mapping file has the last word.
"""

from core.normalise import choice_key

OWNED = {
    "external_id": "id sf_id external_id source_id record_id externe_id",
    "owner": "owner owner_id owner_email sales_rep_id sales_rep sales inhaber betreuer zuständig",
    "source_created_at": "created created_at created_date creation_date first_seen erstellt_am",
    "is_deleted": "is_deleted deleted gelöscht",
}


def _address(prefix, *, short=()):
    """The five parts of an address; those of ``short`` may stand without their prefix."""
    names = {
        "street": "street address straße strasse anschrift street_address",
        "city": "city town suburb ort stadt",
        "state": "state province region bundesland state_province",
        "postal_code": "postal_code zip zip_code postcode plz postleitzahl",
        "country": "country land",
    }
    fields = {}
    for part, words in names.items():
        spelt = [f"{prefix}{word}" for word in words.split()]
        spelt += words.split() if part in short else []
        fields[f"{prefix}_{part}"] = " ".join(spelt)
    return fields


ADDRESS = ("street", "city", "state", "postal_code", "country")

PERSON = {
    "salutation": "salutation anrede title_prefix",
    "first_name": "first_name firstname given_name forename vorname prénom nombre",
    "middle_name": "middle_name zweiter_vorname",
    "last_name": "last_name lastname surname family_name nachname familienname nom apellidos",
    "suffix": "suffix",
    "name": "name full_name contact_name ansprechpartner",
    "title": "title job_title position funktion titel",
    "department": "department abteilung",
    "email": "email e_mail email_address email_work work_email mail e_mail_adresse",
    "secondary_email": "secondary_email email_2 alternate_email other_email",
    "phone": "phone phone_number business_phone phone_work work_phone telefon telephone "
    "telefonnummer",
    "mobile": "mobile mobile_phone cell cell_phone handy mobiltelefon mobil",
    "fax": "fax fax_number telefax",
    "linkedin_url": "linkedin linkedin_url linkedin_profile",
    "lead_source": "lead_source source herkunft quelle",
    "interests": "interests tags groups interessen",
    "language": "language sprache",
    "time_zone": "time_zone timezone zeitzone",
    "preferred_channel": "preferred_channel",
    "email_opt_out": "email_opt_out has_opted_out_of_email keine_emails",
    "do_not_call": "do_not_call keine_anrufe",
    "fax_opt_out": "fax_opt_out has_opted_out_of_fax",
    "description": "description background notes beschreibung bemerkung notiz",
}

HEADERS = {
    "accounts": {
        **OWNED,
        "external_id": OWNED["external_id"] + " account_id customer_id ref",
        "owner": OWNED["owner"] + " account_owner",
        "name": "name account_name customer_name company company_name organisation organization "
        "firma firmenname unternehmen kunde",
        "parent": "parent parent_id parent_account_id parent_account übergeordnete_firma",
        "kind": "kind",
        "account_number": "account_number customer_number kundennummer",
        "site": "site account_site standort",
        "type": "type account_type typ",
        "status": "status",
        "industry": "industry branche",
        "rating": "rating bewertung",
        "ownership": "ownership eigentumsform",
        "annual_revenue": "annual_revenue revenue turnover umsatz jahresumsatz",
        "currency": "currency currency_iso_code währung",
        "employees": "employees number_of_employees employee_count mitarbeiter mitarbeiterzahl",
        "sic": "sic sic_code",
        "sic_description": "sic_description sic_desc",
        "ticker_symbol": "ticker_symbol",
        "duns": "duns duns_number",
        "tax_id": "tax_id vat_id vat_number ust_id ust_id_nr",
        "phone": "phone phone_number telefon telephone",
        "fax": "fax telefax",
        "website": "website url web homepage webseite",
        "linkedin_url": "linkedin linkedin_url",
        **_address("billing", short=ADDRESS),
        **_address("shipping"),
        "source": "account_source source lead_source herkunft",
        "description": "description notes beschreibung bemerkung",
    },
    "contacts": {
        **OWNED,
        **PERSON,
        "external_id": OWNED["external_id"] + " contact_id",
        "owner": OWNED["owner"] + " contact_owner",
        "account": "account account_id company_id customer_id organisation_id organization_id",
        "account_name": "account_name company company_name organisation organization firma "
        "unternehmen",
        "reports_to": "reports_to reports_to_id manager_id vorgesetzter",
        "nickname": "nickname rufname",
        "level": "level contact_level",
        "home_phone": "home_phone phone_home telefon_privat",
        "other_phone": "other_phone phone_other",
        "assistant_name": "assistant_name assistent",
        "assistant_phone": "assistant_phone telefon_assistent",
        "birthdate": "birthdate birthday date_of_birth geburtsdatum geburtstag",
        **_address("mailing", short=ADDRESS),
        **_address("other"),
        "email_bounced_at": "email_bounced_date",
        "email_bounce_reason": "email_bounced_reason",
        "consent_note": "consent_note einwilligung",
    },
    "relations": {
        "external_id": "",
        "contact": "contact contact_id person_id kontakt",
        "contact_email": "contact_email email e_mail",
        "account": "account account_id organisation_id organization_id firma_id",
        "account_name": "account_name company organisation organization firma",
        "roles": "roles role rolle rollen",
        "title_there": "title title_there position funktion",
        "is_direct": "is_direct",
        "is_primary_for_account": "is_primary_for_account",
        "is_active": "is_active active status aktiv",
        "start_date": "start_date since von beginn",
        "end_date": "end_date until bis ende",
        "notes": "notes description bemerkung",
        "is_deleted": OWNED["is_deleted"],
    },
    "leads": {
        **OWNED,
        **PERSON,
        "external_id": OWNED["external_id"] + " lead_id",
        "owner": OWNED["owner"] + " lead_owner",
        "company": "company company_name account_name organisation organization firma unternehmen",
        "status": "status lead_status",
        "disqualify_reason": "disqualify_reason reason_lost grund",
        "disqualify_note": "disqualify_note",
        "rating": "rating bewertung",
        "source_detail": "source_detail",
        "industry": "industry branche",
        "annual_revenue": "annual_revenue revenue umsatz jahresumsatz",
        "currency": "currency currency_iso_code währung",
        "employees": "employees number_of_employees mitarbeiter mitarbeiterzahl",
        "website": "website url web homepage webseite",
        "street": "street address straße strasse anschrift",
        "city": "city town ort stadt suburb",
        "state": "state province bundesland",
        "postal_code": "postal_code zip zip_code postcode plz postleitzahl",
        "country": "country land",
        "product_interest": "product_interest product produktinteresse",
        "need": "need bedarf",
        "interest": "interest",
        "budget_status": "budget_status",
        "budget": "budget estimated_value deal_value geschätzter_wert",
        "budget_currency": "budget_currency",
        "authority": "authority",
        "timeline": "timeline",
        "nurture_until": "nurture_until next_contact nächster_kontakt follow_up wiedervorlage",
        "email_bounced_at": "email_bounced_date",
        "email_bounce_reason": "email_bounced_reason",
        "consent_note": "consent_note einwilligung",
        "is_converted": "is_converted",
        "converted_at": "converted_at converted_date",
        "converted_account": "converted_account converted_account_id",
        "converted_contact": "converted_contact converted_contact_id",
        "converted_opportunity": "converted_opportunity converted_opportunity_id",
    },
    "opportunities": {
        **OWNED,
        "external_id": OWNED["external_id"] + " opportunity_id deal_id",
        "owner": OWNED["owner"] + " opportunity_owner",
        "name": "name opportunity_name deal_name deal bezeichnung",
        "account": "account account_id customer_id company_id",
        "account_name": "account_name company customer_name firma kunde",
        "contact": "contact contact_id primary_contact primary_contact_id",
        "stage": "stage stage_name phase status",
        "amount": "amount betrag summe wert value",
        "currency": "currency currency_iso_code währung",
        "close_date": "close_date closing_date abschlussdatum",
        "probability": "probability wahrscheinlichkeit",
        "forecast_category": "forecast_category forecast_category_name",
        "expected_revenue": "expected_revenue",
        "type": "type opportunity_type typ",
        "lead_source": "lead_source source herkunft",
        "next_step": "next_step nächster_schritt",
        "next_step_due": "next_step_due",
        "loss_reason": "loss_reason reason_lost verlustgrund",
        "loss_note": "loss_note",
        "win_reason": "win_reason",
        "main_competitor": "main_competitor main_competitors wettbewerber",
        "is_private": "is_private",
        "contract_start": "contract_start",
        "contract_months": "contract_months",
        "delivery_status": "delivery_status delivery_installation_status",
        "closed_at": "closed_at last_stage_change_date",
        "description": "description notes beschreibung",
    },
    "contact_roles": {
        "external_id": "",
        "opportunity": "opportunity opportunity_id deal_id",
        "contact": "contact contact_id",
        "contact_email": "contact_email email e_mail",
        "role": "role rolle",
        "is_primary": "is_primary primary",
        "stance": "stance",
        "notes": "notes description",
        "is_deleted": OWNED["is_deleted"],
    },
}
"""Per kind: field -> the header names that fill it, one blank between them."""


def fields_by_header(kind):
    """Folded header name -> field; where two fields claim a name, the first keeps it."""
    known = {}
    for field, names in HEADERS[kind].items():
        for name in (field, *names.split()):
            known.setdefault(choice_key(name), field)
    return known
