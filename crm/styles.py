"""Our style sheets joined into the one file that pages load, in the order of ``app.css``."""

import re

from django.conf import settings

FOLDER = settings.BASE_DIR / "static" / "css"
JOINED = FOLDER / "topsail.css"
IMPORT = re.compile(r'^@import "(.+?)";\n', re.MULTILINE)


def joined():
    """The text of ``topsail.css``: app.css with each imported file in its place."""
    order = (FOLDER / "app.css").read_text()
    return IMPORT.sub(lambda found: (FOLDER / found[1]).read_text(), order)
