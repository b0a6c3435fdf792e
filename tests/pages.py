"""Forms as a browser sends them: what a page's form holds, with some values changed."""

import re
from html import unescape


def sent(response, **changes):
    """The names and values of a page's form as they stand there, with ``changes`` typed in."""
    html = response.content.decode()
    data = {}
    for tag in re.findall(r"<input[^>]*>", html):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_off = attributes.get("type") in ("radio", "checkbox") and " checked" not in tag
        if "name" in attributes and not is_off and "form" not in attributes:
            value = unescape(attributes.get("value", "on" if " checked" in tag else ""))
            data.setdefault(attributes["name"], []).append(value)
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', html, re.S):
        selected = re.search(r'value="([^"]*)" selected', options)
        first = re.search(r'value="([^"]*)"', options)
        chosen = selected or first
        data[name] = [unescape(chosen[1])] if chosen else [""]
    for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', html, re.S):
        data[name] = [unescape(text)]
    data.pop("q", None)
    typed = {name: values if len(values) > 1 else values[0] for name, values in data.items()}
    return typed | changes


def send(client, page, **changes):
    """Open the page, change some values of its form and send it."""
    return client.post(page, sent(client.get(page), **changes))
