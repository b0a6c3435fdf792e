"""
The small pieces that pages are made of: icons, people, and values as people read them.

How each kind of value is written stands in core.display; the tags put the markup around it.
"""

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

from django import template
from django.template.defaultfilters import linebreaksbr
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core import display

register = template.Library()

TONES = frozenset({"good", "warn", "bad", "info"})
KINDS = {  # model name -> the tile's colour, its icon
    "lead": ("lead", "target-arrow"),
    "account": ("account", "building"),
    "contact": ("contact", "user"),
    "opportunity": ("deal", "coin-euro"),
}
SAFE_SCHEMES = frozenset({"http", "https"})


# Marks


register.filter("in_sentence", display.in_sentence)


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name, size=""):
    """Draw a symbol of the sprite: ``{% icon "phone" %}``; size "small" for text of 12 px."""
    css = "icon icon--small" if size == "small" else "icon"
    sprite = static("vendor/icons.svg")
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', css, sprite, name
    )


@lru_cache(maxsize=64)
def _tile(colour, name, size):
    css = f"tile tile--{colour}" if colour else "tile"
    if size == "large":
        css += " tile--large"
    return format_html('<span class="{}" aria-hidden="true">{}</span>', css, icon(name))


@register.simple_tag
def tile(record, size=""):
    """
    Show the kind of a record: ``{% tile lead %}``, or by its model's name ``{% tile "lead" %}``.

    ``"done"`` is a tick; any other name is an icon on grey. Size "large" for a page's header.
    """
    kind = record if isinstance(record, str) else record._meta.model_name
    if kind == "done":
        return _tile("done", "check", size)
    return _tile(*KINDS.get(kind, ("", kind)), size)


@register.simple_tag
def pill(label, tone="", icon=""):
    """Say a state or reason in a word; tone good, warn, bad, info, else grey."""
    if label in (None, ""):
        return ""
    css = f"pill pill--{tone}" if tone in TONES else "pill"
    mark = _icon(icon, "small") if icon else ""
    return format_html('<span class="{}">{}{}</span>', css, mark, label)


@register.simple_tag
def dot(label, tone=""):
    """Say a status in a table: a coloured dot and its word; without a tone the dot is hollow."""
    return "" if label in (None, "") else _dot(str(label), tone)


@lru_cache(maxsize=256)
def _dot(label, tone):
    css = f"dot dot--{tone}" if tone in TONES else "dot dot--hollow"
    return format_html('<span class="cluster nowrap"><span class="{}"></span>{}</span>', css, label)


@register.simple_tag
def score(points):
    """Show a score of 0 to 100 as a bar and a number."""
    return "" if points is None else _score(points, get_language())


@lru_cache(maxsize=256)
def _score(points, language):
    return format_html(
        '<span class="score"><progress max="100" value="{}" aria-label="{}"></progress>{}</span>',
        points,
        _("Score %(points)s of 100") % {"points": points},
        points,
    )


_icon = icon  # for tags with a parameter of that name


@register.filter
def label(record):
    """The label of a record's model, as URLs name it: accounts.account."""
    return record._meta.label_lower


# People


@register.simple_tag
def avatar(user):
    """Show a user's initials alone; the name is spoken and in the title."""
    return "" if user is None else _avatar(str(user), user.pk)


@lru_cache(maxsize=256)
def _avatar(name, pk):
    return format_html('{}<span class="spoken">{}</span>', _initials(name, pk, titled=True), name)


@register.simple_tag
def person(user):
    """Show a user by initials and name."""
    return "" if user is None else _person(str(user), user.pk)


@lru_cache(maxsize=256)
def _person(name, pk):
    initials = _initials(name, pk, titled=False)
    return format_html('<span class="cluster nowrap">{}<span>{}</span></span>', initials, name)


def _initials(name, pk, *, titled):
    words = re.findall(r"\w+", name.partition("@")[0])
    letters = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
    tint = (pk or 0) % 4 + 1
    title = format_html(' title="{}"', name) if titled else ""
    return format_html(
        '<span class="avatar avatar--{}"{} aria-hidden="true">{}</span>', tint, title, letters
    )


# Values


@register.simple_tag
def money(amount, currency, digits=0, converted=None):
    """
    Show an amount: ``{% money deal.amount deal.currency %}``; nothing if it is unknown.

    ``digits=2`` shows cents. ``converted`` is the amount in the organisation's currency, shown
    in grey behind an amount in another one.
    """
    text = display.money(amount, currency, digits=digits)
    home = display.home_currency()
    if not text or converted is None or currency == home:
        return text
    return format_html('{} <span class="mute">· {}</span>', text, display.money(converted, home))


@register.simple_tag
def percent(number):
    """Show a share of 100 as a whole number."""
    return display.percent(number)


@register.simple_tag
def number(value):
    """Show a whole number with the separators of the user's language."""
    return display.number(value)


@register.simple_tag
def counted(count, cap=display.COUNT_CAP):
    """Show how many there are; a count that stopped at the cap gets a plus."""
    return display.counted(count, cap=cap)


@register.simple_tag
def day(date):
    """Show a date in full: 16 Jun 2026."""
    return _dated(date, display.day(date))


@register.simple_tag
def short_day(date):
    """Show a date in a list: the year only if it is not this one."""
    return _dated(date, display.short_day(date, today=timezone.localdate()))


@register.simple_tag
def due(date):
    """Show when something open is due, in red with the word "overdue" once the day is over."""
    today = timezone.localdate()
    text = _dated(date, display.due(date, today=today))
    if date and date < today:
        return format_html('<span class="bad">{}</span>', text)
    return text


@register.simple_tag
def moment(at):
    """Show when something happened: Today 08:42, Yesterday, Fri 12 Jun 16:20."""
    return _timed(at, display.moment(at, now=timezone.now()))


@register.simple_tag
def stamp(at):
    """Show a date with its time in full, where each minute counts."""
    return _timed(at, display.stamp(at))


@register.simple_tag
def age(at):
    """Show how long ago something was: 12 min, 3 h, 6 days."""
    return _timed(at, display.age(at, now=timezone.now()))


def _dated(date, text):
    return format_html("{}{}</time>", _day_tag(date, get_language()), text) if date else ""


def _timed(at, text):
    if not at:
        return ""
    tag = _moment_tag(at, timezone.get_current_timezone(), get_language())
    return format_html("{}{}</time>", tag, text)


@lru_cache(maxsize=4096)
def _day_tag(date, language):
    return format_html('<time datetime="{}" title="{}">', date.isoformat(), display.day(date))


@lru_cache(maxsize=4096)  # the moments of a list are shown again with the next page
def _moment_tag(at, zone, language):
    local = at.astimezone(zone)
    title = f"{display.stamp(local)} {local.tzname()}"
    return format_html(
        '<time datetime="{}" title="{}">', local.isoformat(timespec="seconds"), title
    )


# Links


@register.simple_tag
def record_link(record):
    """Link to a record's page by its name; nothing for no record."""
    if record is None:
        return ""
    return format_html('<a class="plain" href="{}">{}</a>', record.get_absolute_url(), record)


@register.simple_tag
def phone_link(phone, e164=""):
    """Show a phone number as typed, to be called; one without digits is text."""
    if not phone:
        return ""
    digits = re.sub(r"[^0-9]", "", e164 or phone)
    if not digits:
        return phone
    plus = "+" if (e164 or phone).startswith("+") else ""
    return format_html('<a href="tel:{}{}">{}</a>', plus, digits, phone)


@register.simple_tag
def email_link(email):
    """Show an e-mail address, to be written to."""
    if not email or "@" not in email:
        return email or ""
    return format_html('<a href="mailto:{}">{}</a>', quote(email, safe="@"), email)


@register.simple_tag
def external_link(url):
    """
    Link to a page elsewhere by its short name; anything but a plain web address is text.

    The scheme is checked again here: an address may have come in by another way than the form.
    """
    if not url or not is_web_address(url):
        return url or ""
    name = re.sub(r"^https?://(www\.)?", "", url).rstrip("/")
    return format_html('<a href="{}" rel="noopener noreferrer nofollow">{}</a>', url, name)


def is_web_address(url):
    """Whether ``url`` is http or https with a host, without credentials, blanks or controls."""
    if re.search(r"[\s\x00-\x1f\x7f\\]", url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in SAFE_SCHEMES and bool(host) and "@" not in parts.netloc


# Any value by the name of its kind


def _text(value):
    return "" if value is None else value


def _lines(text):
    return linebreaksbr(_text(text))


def _pills(values):
    return format_html_join(" ", "{}", ((pill(value),) for value in values or ()))


def _truth(value):
    return "" if value is None else (_("Yes") if value else _("No"))


def _plainly(show):
    """``show`` for a kind that needs neither currency nor tone."""
    return lambda value, *, currency="", tone="": show(value)


SHOWN = {
    "text": _plainly(_text),
    "multiline": _plainly(_lines),
    "list": _plainly(_pills),
    "truth": _plainly(_truth),
    "record": _plainly(record_link),
    "user": _plainly(person),
    "avatar": _plainly(avatar),
    "money": lambda value, *, currency="", tone="": money(value, currency),
    "percent": _plainly(percent),
    "number": _plainly(number),
    "score": _plainly(score),
    "date": _plainly(day),
    "short_date": _plainly(short_day),
    "due": _plainly(due),
    "moment": _plainly(moment),
    "stamp": _plainly(stamp),
    "age": _plainly(age),
    "phone": _plainly(phone_link),
    "email": _plainly(email_link),
    "url": _plainly(external_link),
    "pill": lambda value, *, currency="", tone="": pill(value, tone=tone),
    "dot": lambda value, *, currency="", tone="": dot(value, tone=tone),
}


@register.simple_tag
def value(value, kind="text", currency="", tone=""):
    """
    Show a value by the name of its kind, as facts, details and tables declare it.

    ``kind`` is a key of SHOWN; money needs ``currency``, pill and dot take a ``tone``.
    """
    return SHOWN[kind or "text"](value, currency=currency, tone=tone)


# Frames


@register.simple_tag
def field(bound_field):
    """Show a form field with label, hint and error."""
    return bound_field.as_field_group()


@register.simple_tag
def select_options(groups):
    """
    Write the options of a select, given as its widget's ``optgroups``.

    The long lists are the same on each page, and a loop of the template takes ten times as long.
    """
    return _select_options(
        tuple(
            (group, tuple((str(o["value"]), str(o["label"]), *o["attrs"].items()) for o in options))
            for group, options, _index in groups
        )
    )


@lru_cache(maxsize=256)
def _select_options(groups):
    parts = []
    for group, options in groups:
        lines = format_html_join("\n", "{}", ((_option(*option),) for option in options))
        parts.append(
            format_html('<optgroup label="{}">{}</optgroup>', group, lines) if group else lines
        )
    return format_html_join("\n", "{}", ((part,) for part in parts))


def _option(value, label, *attrs):
    written = (
        format_html(" {}", name) if given is True else format_html(' {}="{}"', name, given)
        for name, given in attrs
    )
    shown = format_html_join("", "{}", ((attr,) for attr in written))
    return format_html('<option value="{}"{}>{}</option>', value, shown, label)


@register.simple_block_tag
def panel(content, *, title, id="", count="", icon="", tone="", action="", href="", foot=""):
    """
    Frame a part of a page: ``{% panel title=_("Tasks") %}…{% endpanel %}``. Never nested.

    The content brings its own ``.panel__body``, ``.lines`` or ``.table``. ``count`` is said
    behind the title, ``action`` and ``href`` make the link at the right, ``tone="attention"``
    asks for a look, ``foot`` is a closing line.
    """
    return render_to_string(
        "core/_panel.html",
        {
            "content": content,
            "title": title,
            "id": id or f"panel-{slugify(title)}",
            "count": count,
            "icon": icon,
            "tone": tone,
            "action": action,
            "href": href,
            "foot": foot,
        },
    )
