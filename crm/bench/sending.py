"""Forms as a browser would send them; asks nothing of Django, for other processes read it too."""

from html.parser import HTMLParser


def values_of(html):
    """What a browser would send of the form in ``<main>``: {name: value or values}."""
    reader = FormReader()
    reader.feed(html)
    return reader.values


class FormReader(HTMLParser):
    """Reads the values of the forms inside ``<main>`` that are sent by POST."""

    def __init__(self):
        super().__init__()
        self.values = {}
        self.is_main = self.is_post = False
        self.select = self.text = None
        self.is_unset = False

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "main":
            self.is_main = True
        elif tag == "form":
            self.is_post = self.is_main and attrs.get("method") == "post"
        if not self.is_post:
            return
        if tag == "input":
            self.read_input(attrs)
        elif tag == "select":
            self.select, self.is_unset = attrs.get("name"), "multiple" not in attrs
        elif tag == "option" and self.select:
            self.read_option(attrs)
        elif tag == "textarea":
            self.text = attrs.get("name")
            self.values[self.text] = ""

    def read_input(self, attrs):
        kind = attrs.get("type", "text")
        if kind in ("checkbox", "radio") and "checked" not in attrs:
            return
        if kind not in ("submit", "button") and attrs.get("name"):
            self.add(attrs["name"], attrs.get("value") or "")

    def read_option(self, attrs):
        """The chosen options; of a list with none of them the first one counts."""
        if "selected" in attrs and self.is_unset:
            self.values[self.select] = attrs.get("value", "")
        elif "selected" in attrs:
            self.add(self.select, attrs.get("value", ""))
        elif self.is_unset:
            self.values.setdefault(self.select, attrs.get("value", ""))

    def add(self, name, value):
        if name in self.values:
            known = self.values[name]
            self.values[name] = [*(known if isinstance(known, list) else [known]), value]
        else:
            self.values[name] = value

    def handle_data(self, data):
        if self.text:
            self.values[self.text] += data

    def handle_endtag(self, tag):
        if tag == "main":
            self.is_main = self.is_post = False
        elif tag == "form":
            self.is_post = False
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.text = None
